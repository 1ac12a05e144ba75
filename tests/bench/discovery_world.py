"""A generated cloud, and those that discovery asks: what the benchmark of passes runs between.

A place, an account in a region, has 200 VPCs of a /24 each; a VPC has 3 subnets and 10 interfaces,
most of them attached. The first 65,536 VPCs lie side by side in 10.0.0.0/8, the others upon them.
What each place has is kept as the message that `network` would send.
"""

from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from pathlib import Path
from time import thread_time

from cadastre.common.v1 import inventory_pb2 as pb
from cadastre.common.v1 import types_pb2
from services.discovery.coverage import Coverage, Ipam
from services.discovery.evaluation.model import (
    Allocation,
    AllocationType,
    Books,
    Import,
    Pool,
    Scopes,
)
from services.discovery.messages import SnapshotCollector
from services.discovery.service.evaluating import ImportRefused, ObservedCidr
from services.discovery.service.passes import PoolVersion
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion
from shared.cidr import AddressFamily, Cidr

REGIONS = ("us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1")
PLACES = 500
VPCS_PER_PLACE, SUBNETS_PER_VPC, INTERFACES_PER_VPC = 200, 3, 10
CHANGED_EVERY = 100
IPAM, PRIVATE, PUBLIC = (
    "ipam-00000000000000001",
    "ipam-scope-00000000000000001",
    "ipam-scope-00000000000000002",
)

_SPACE = Cidr.parse("10.0.0.0/8").first
_PUBLIC_SPACE = Cidr.parse("52.0.0.0/8").first
_POSITIONS = 1 << 16
_POOLS, _VPCS_PER_POOL, _ALLOCATIONS_PER_POOL = 1000, 64, 50
_PUBLIC_EVERY, _DETACHED_EVERY, _SERVICE_EVERY = 50, 10, 20


def places(count: int) -> list[AccountRegion]:
    return [_place(number) for number in range(count)]


def write_world(folder: Path, count: int) -> None:
    """What ``count`` places have, a file each."""
    for number, place in enumerate(places(count)):
        _file_of(folder, number).write_bytes(_part(number, place).SerializeToString())


class GeneratedSource:
    """Tells what was written, and how long it took to read it.

    ``is_together``: a single place has everything.
    """

    name = "network"
    attempts_at_once = 4
    is_asked_between_passes = True

    def __init__(self, folder: Path, count: int, *, is_together: bool = False) -> None:
        self._files = [_file_of(folder, number) for number in range(count)]
        self._is_together = is_together
        self.places = places(1 if is_together else count)
        self.is_changed = False
        self.seconds = 0.0

    def serves(self, wanted: Collection[AccountRegion]) -> Collection[AccountRegion]:
        return wanted

    async def snapshot(self, place: AccountRegion) -> Snapshot:
        began = thread_time()
        told = SnapshotCollector(*place, datetime.now(UTC))
        for file in self._files if self._is_together else [self._files[self.places.index(place)]]:
            part = pb.InventoryPart.FromString(file.read_bytes())
            if self.is_changed:
                _change(part)
            told.add(part)
        self.seconds += thread_time() - began
        return told.snapshot()


class StaticControlPlane:
    """One IPAM that sees all places."""

    def __init__(self, seen: Iterable[AccountRegion]) -> None:
        scopes = Scopes(IPAM, PRIVATE, PUBLIC, frozenset({PRIVATE}))
        self._places = frozenset(seen)
        self._ipam = Ipam(scopes, "100000000000", REGIONS[0], is_free_tier=False)

    async def coverage(self) -> Coverage:
        return Coverage(
            ipams=[self._ipam],
            ipam_ids=frozenset({IPAM}),
            places=self._places,
            places_of_ipams={IPAM: self._places},
        )

    async def pools(self) -> AbstractSet[PoolVersion]:
        return frozenset()


class MemoryLedger:
    """A thousand pools and up to 50,000 allocations of the world's VPCs; nothing is imported.

    Without VPCs there are no pools either.
    """

    def __init__(self, vpc_count: int) -> None:
        self._observed: dict[str, set[ObservedCidr]] = {}
        self._books = Books(
            {pool.pool_id: pool for pool in map(_pool, range(_POOLS if vpc_count else 0))},
            [
                _allocation(number)
                for number in range(min(vpc_count, _POOLS * _VPCS_PER_POOL))
                if number % _VPCS_PER_POOL < _ALLOCATIONS_PER_POOL
            ],
        )

    async def books(self, ipam_id: str) -> Books:
        assert ipam_id == IPAM
        return self._books

    async def take_in(self, imports: Sequence[Import]) -> Sequence[ImportRefused]:
        raise AssertionError(f"no pool looks for resources: {imports[0]}")

    async def release(self, ipam_pool_allocation_ids: Sequence[str]) -> Sequence[str]:
        raise AssertionError(f"nothing is gone: {ipam_pool_allocation_ids[0]}")

    async def observed(self, scope_id: str) -> AbstractSet[ObservedCidr]:
        return self._observed.get(scope_id, set())

    async def report_observed(
        self, scope_id: str, seen: Iterable[ObservedCidr], gone: Iterable[ObservedCidr]
    ) -> None:
        known = self._observed.setdefault(scope_id, set())
        known |= set(seen)
        known -= set(gone)


def _place(number: int) -> AccountRegion:
    account, region = divmod(number, len(REGIONS))
    return AccountRegion(f"{100_000_000_000 + account}", REGIONS[region])


def _file_of(folder: Path, number: int) -> Path:
    return folder / f"{number}.pb"


def _vpc_id(number: int) -> str:
    return f"vpc-{number:017x}"


def _vpc_block(number: int) -> Cidr:
    return Cidr(AddressFamily.IPV4, _SPACE + (number % _POSITIONS << 8), 24)


def _part(place_number: int, place: AccountRegion) -> pb.InventoryPart:
    part = pb.InventoryPart()
    first = place_number * VPCS_PER_PLACE
    for number in range(first, first + VPCS_PER_PLACE):
        vpc_id, start = _vpc_id(number), _vpc_block(number).first
        part.vpcs.add(
            vpc_id=vpc_id,
            cidrs=[pb.InventoryCidr(cidr=str(_vpc_block(number)))],
            tags=_tags(f"vpc {number}", number),
        )
        for at in range(SUBNETS_PER_VPC):
            block = Cidr(AddressFamily.IPV4, start + at * 64, 26)
            part.subnets.add(
                subnet_id=_subnet_id(number, at),
                vpc_id=vpc_id,
                cidrs=[pb.InventoryCidr(cidr=str(block))],
                tags=_tags(f"subnet {number}/{at}", number),
                availability_zone_id=_zone_id(at),
            )
        for at in range(INTERFACES_PER_VPC):
            part.network_interfaces.append(_interface(number, at, place))
    return part


def _interface(vpc: int, at: int, place: AccountRegion) -> pb.InventoryNetworkInterface:
    number, subnet = vpc * INTERFACES_PER_VPC + at, at % SUBNETS_PER_VPC
    address = Cidr(AddressFamily.IPV4, _vpc_block(vpc).first + subnet * 64 + 4 + at, 32)
    interface = pb.InventoryNetworkInterface(
        network_interface_id=f"eni-{number:017x}",
        vpc_id=_vpc_id(vpc),
        subnet_id=_subnet_id(vpc, subnet),
        addresses=[str(address).partition("/")[0]],
        tags=_tags(f"interface {number}", number) if number % 2 else [],
        description="Primary network interface",
        availability_zone_id=_zone_id(subnet),
        security_groups=[pb.InventorySecurityGroup(group_id=f"sg-{vpc:017x}", group_name="web")],
    )
    if number % _DETACHED_EVERY:
        interface.is_attached = True
        is_service = number % _SERVICE_EVERY == 1
        interface.instance_id = "" if is_service else f"i-{number:017x}"
        interface.instance_owner_id = "amazon-elb" if is_service else place.account_id
        if number % _PUBLIC_EVERY == 1:
            public = Cidr(AddressFamily.IPV4, _PUBLIC_SPACE + number, 32)
            interface.public_ips.add(address=str(public).partition("/")[0], owner_id="amazon")
    return interface


def _subnet_id(vpc: int, at: int) -> str:
    return f"subnet-{vpc * SUBNETS_PER_VPC + at:017x}"


def _zone_id(at: int) -> str:
    return f"use1-az{at + 1}"


def _tags(name: str, number: int) -> list[types_pb2.Tag]:
    return [
        types_pb2.Tag(key="Name", value=name),
        types_pb2.Tag(key="env", value="prod" if number % 3 else "test"),
        types_pb2.Tag(key="team", value=f"team-{number % 40}"),
    ]


def _change(part: pb.InventoryPart) -> None:
    """One in a hundred of each kind."""
    for vpc in part.vpcs[::CHANGED_EVERY]:
        vpc.tags[0].value += " anew"
    for subnet in part.subnets[::CHANGED_EVERY]:
        subnet.tags[0].value += " anew"
    for interface in part.network_interfaces[::CHANGED_EVERY]:
        interface.is_attached = not interface.is_attached


def _pool(number: int) -> Pool:
    length = 24 - (_VPCS_PER_POOL - 1).bit_length()
    first = _vpc_block(number * _VPCS_PER_POOL).first
    return Pool(
        pool_id=_pool_id(number),
        scope_id=PRIVATE,
        family=AddressFamily.IPV4,
        locale=_place(number * _VPCS_PER_POOL // VPCS_PER_PLACE).region,
        source_pool_id=None,
        auto_import=False,
        min_netmask_length=16,
        max_netmask_length=28,
        resource_tags={"env": "prod"},
        cidrs=(Cidr(AddressFamily.IPV4, first, length),),
    )


def _pool_id(number: int) -> str:
    return f"ipam-pool-{number:017x}"


def _allocation(vpc: int) -> Allocation:
    place = _place(vpc // VPCS_PER_PLACE)
    return Allocation(
        allocation_id=f"ipam-pool-alloc-{vpc:032x}",
        pool_id=_pool_id(vpc // _VPCS_PER_POOL),
        cidr=_vpc_block(vpc),
        allocation_type=AllocationType.VPC,
        resource_id=_vpc_id(vpc),
        region=place.region,
        owner_id=place.account_id,
        service="network",
    )
