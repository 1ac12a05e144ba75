"""What can be done to subnets (VPC-4)."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from services.network.changes import ChangeKind, changes_of
from services.network.cidr_blocks import BlockSource, FamilyRules
from services.network.errors import SubnetBlockInUse, SubnetLimitExceeded
from services.network.quotas import Quotas
from services.network.resource import CidrAssociation
from services.network.service.rows import Rows, Store
from services.network.service.undertaking import Block, Undertakings
from services.network.service.vpcs import vpc_of
from services.network.subnet import (
    IPV4,
    IPV6,
    Subnet,
    SubnetAttributes,
    check_place,
    placed,
)
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import DependencyViolation
from shared.ids import SUBNET, SUBNET_CIDR_ASSOCIATION
from shared.tags import Tags

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubnet:
    """What a caller wants created."""

    vpc_id: str
    availability_zone: str
    ipv4: BlockSource
    ipv6: BlockSource | None
    tags: Tags


@dataclass(frozen=True, slots=True)
class SubnetInUse:
    """A subnet, and how many IPv4 addresses are left in it."""

    subnet: Subnet
    free_addresses: int


SubnetsAfter = Callable[[str | None], Iterator[tuple[str, SubnetInUse]]]


class Subnets:
    """A subnet of another account or region is answered like one that does not exist (BEY-12)."""

    def __init__(self, store: Store, undertakings: Undertakings, quotas: Quotas) -> None:
        self._store, self._undertakings, self._quotas = store, undertakings, quotas

    async def create(self, caller: Caller, wanted: NewSubnet, *, dry_run: bool) -> SubnetInUse:
        """Make a subnet, with blocks given or allocated; a refusal leaves nothing behind (VPC-4).

        Decided twice: before the ledger is asked, to spare it what is hopeless, and again under the
        VPC's lock, where no other subnet can come in between.
        """
        new = Subnet(
            subnet_id=SUBNET.new(),
            vpc_id=wanted.vpc_id,
            owner_id=caller.account_id,
            region=caller.region,
            availability_zone=wanted.availability_zone,
            tags=wanted.tags,
        )
        blocks = [_block(IPV4, wanted.ipv4)]
        if wanted.ipv6:
            blocks.append(_block(IPV6, wanted.ipv6))
        named = [block.source.cidr for block in blocks if block.source.cidr]

        def establish(rows: Rows, associations: tuple[CidrAssociation, ...]) -> SubnetInUse:
            cidrs = [known.cidr for known in associations]
            around = self._check_place(rows, caller, new, cidrs, lock=True)
            subnet = replace(new, associations=tuple(map(placed, associations, around)))
            rows.subnets.add(subnet)
            rows.feed.append(changes_of(subnet.holder, ChangeKind.CIDR_ASSOCIATED, associations))
            return SubnetInUse(subnet, subnet.free_addresses(used=0))

        await self._store.read(lambda rows: self._check_place(rows, caller, new, named, lock=False))
        return await self._undertakings.carry_out(new.holder, blocks, establish, dry_run=dry_run)

    async def describe(
        self, caller: Caller, subnet_ids: Collection[str], select: Callable[[SubnetsAfter], T]
    ) -> T:
        """What ``select`` makes of the caller's subnets, or of those with these ids.

        Raises:
            UnknownId: one of ``subnet_ids`` is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            _check_known(rows, caller, subnet_ids)
            return select(lambda after: _in_use(rows, caller, subnet_ids, after))

        return await self._store.read(use_case)

    async def delete(self, caller: Caller, subnet_id: str, *, dry_run: bool) -> None:
        """Remove it and tell so: whoever reads the feed gives the allocations back (BEY-1).

        Raises:
            DependencyViolation: a network interface is in it.
        """

        def use_case(rows: Rows) -> None:
            subnet = subnet_of(rows, caller, subnet_id, lock=True)
            if rows.interfaces.any_in(subnet_id):
                raise DependencyViolation(
                    f"The subnet '{subnet_id}' has dependencies and cannot be deleted: delete its"
                    " network interfaces first",
                    subnet_id=subnet_id,
                )
            rows.subnets.remove(subnet)
            rows.feed.append(
                changes_of(subnet.holder, ChangeKind.CIDR_DISASSOCIATED, subnet.associations)
            )

        await self._store.write(use_case, dry_run=dry_run)

    async def associate(
        self, caller: Caller, subnet_id: str, source: BlockSource
    ) -> tuple[Subnet, CidrAssociation]:
        """Give a subnet an IPv6 block; a refusal leaves nothing behind (VPC-4).

        Decided twice, as in `create`.

        Raises:
            OperationNotPermitted: it has one.
            InvalidSubnetRange, InvalidSubnetConflict: it can't have this one.
        """

        def check(rows: Rows) -> Subnet:
            subnet = subnet_of(rows, caller, subnet_id, lock=False)
            subnet.check_room()
            if source.cidr:
                _check_block(rows, caller, subnet, source.cidr, lock=False)
            return subnet

        def establish(
            rows: Rows, associations: tuple[CidrAssociation, ...]
        ) -> tuple[Subnet, CidrAssociation]:
            [added] = associations
            # A subnet stays in its VPC, whose lock comes first.
            around = _check_block(rows, caller, known, added.cidr, lock=True)
            subnet = subnet_of(rows, caller, subnet_id, lock=True)
            subnet.check_room()
            block = placed(added, around)
            rows.blocks.add(subnet.holder, block)
            rows.feed.append(changes_of(subnet.holder, ChangeKind.CIDR_ASSOCIATED, [block]))
            return subnet, block

        known = await self._store.read(check)
        return await self._undertakings.carry_out(known.holder, [_block(IPV6, source)], establish)

    async def disassociate(
        self, caller: Caller, association_id: str
    ) -> tuple[Subnet, CidrAssociation]:
        """Take its IPv6 block from a subnet, and tell so (BEY-1).

        Raises:
            SubnetBlockStays: it is the IPv4 one, or new interfaces get addresses of it.
            SubnetBlockInUse: an interface has an address of it.
        """

        def use_case(rows: Rows) -> tuple[Subnet, CidrAssociation]:
            subnet_id = rows.subnets.with_association(caller, association_id)
            subnet = rows.subnets.get(caller, subnet_id, lock=True) if subnet_id else None
            if subnet is None:
                raise SUBNET_CIDR_ASSOCIATION.unknown(association_id)
            removed = subnet.check_removable(association_id)
            if rows.interfaces.any_ipv6_in(subnet.subnet_id):
                raise SubnetBlockInUse(subnet.subnet_id, removed.cidr)
            rows.blocks.remove([association_id])
            rows.feed.append(changes_of(subnet.holder, ChangeKind.CIDR_DISASSOCIATED, [removed]))
            return subnet, removed

        return await self._store.write(use_case)

    async def change_attributes(
        self, caller: Caller, subnet_id: str, change: Callable[[SubnetAttributes], SubnetAttributes]
    ) -> None:
        """
        Raises:
            InvalidParameterValue: the subnet has no IPv6 block to assign addresses of.
        """

        def use_case(rows: Rows) -> None:
            subnet = subnet_of(rows, caller, subnet_id, lock=True)
            rows.subnets.save(subnet.with_attributes(change(subnet.attributes)))

        await self._store.write(use_case)

    def _check_place(
        self, rows: Rows, caller: Caller, new: Subnet, cidrs: Sequence[Cidr], *, lock: bool
    ) -> list[CidrAssociation]:
        """The VPC's blocks in which ``new`` can have ``cidrs``."""
        vpc = vpc_of(rows, caller, new.vpc_id, lock=lock)
        others = rows.subnets.in_vpc(vpc.vpc_id)
        quota = self._quotas.subnets_per_vpc.of(vpc.owner_id)
        if len(others) >= quota:
            raise SubnetLimitExceeded(vpc.vpc_id, len(others), quota)
        return [check_place(cidr, vpc, others) for cidr in cidrs]


def subnet_of(rows: Rows, caller: Caller, subnet_id: str, *, lock: bool) -> Subnet:
    """The caller's.

    Raises:
        UnknownId: it is none of theirs.
    """
    subnet = rows.subnets.get(caller, subnet_id, lock=lock)
    if subnet is None:
        raise SUBNET.unknown(subnet_id)
    return subnet


def _check_block(
    rows: Rows, caller: Caller, subnet: Subnet, cidr: Cidr, *, lock: bool
) -> CidrAssociation:
    """The VPC's block in which ``subnet`` can have ``cidr`` as well."""
    vpc = vpc_of(rows, caller, subnet.vpc_id, lock=lock)
    return check_place(cidr, vpc, rows.subnets.in_vpc(vpc.vpc_id))


def _block(rules: FamilyRules, source: BlockSource) -> Block:
    return Block(SUBNET_CIDR_ASSOCIATION.new(), source, rules.check)


def _in_use(
    rows: Rows, caller: Caller, subnet_ids: Collection[str], after: str | None
) -> Iterator[tuple[str, SubnetInUse]]:
    for some in rows.subnets.all(caller, ids=subnet_ids, after=after):
        used: Mapping[str, int] = rows.interfaces.counts([subnet.subnet_id for _, subnet in some])
        for key, subnet in some:
            yield key, SubnetInUse(subnet, subnet.free_addresses(used.get(subnet.subnet_id, 0)))


def _check_known(rows: Rows, caller: Caller, subnet_ids: Collection[str]) -> None:
    if not subnet_ids:
        return
    every = rows.subnets.all(caller, ids=subnet_ids, after=None)
    known = {subnet.subnet_id for some in every for _, subnet in some}
    for subnet_id in subnet_ids:
        if subnet_id not in known:
            raise SUBNET.unknown(subnet_id)
