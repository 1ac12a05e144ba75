"""What can be done to network interfaces."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import TypeVar

from services.network.address import Address
from services.network.errors import AddressInUse, InsufficientFreeAddresses
from services.network.instance import Instance
from services.network.interface import Attachment, NetworkInterface
from services.network.interface_addresses import (
    WantedAddresses,
    check_within,
    ipv6_block,
    ipv6_candidates,
)
from services.network.resource import Holder
from services.network.service.news import tell_of_changed
from services.network.service.once import Answer, write_once
from services.network.service.rows import Rows, Store
from services.network.service.subnets import subnet_of
from services.network.service.token_rows import Once
from services.network.subnet import Subnet, usable
from shared.caller import Caller
from shared.ids import INSTANCE, NETWORK_INTERFACE, NETWORK_INTERFACE_ATTACHMENT
from shared.tags import Tags

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInterface:
    """What a caller wants created."""

    subnet_id: str
    description: str
    groups: tuple[str, ...]
    addresses: WantedAddresses
    tags: Tags


@dataclass(frozen=True, slots=True)
class AssociatedInterface:
    """An interface with the elastic IP addresses that are associated with it."""

    interface: NetworkInterface
    elastic_ips: Sequence[Address]

    @property
    def holders(self) -> list[Holder]:
        """What the interface's place is told of: itself and its addresses."""
        return [self.interface.holder, *(address.holder for address in self.elastic_ips)]


InterfacesAfter = Callable[[str | None], Iterator[tuple[str, AssociatedInterface]]]


class Interfaces:
    """One of another account or region is answered like one that does not exist (BEY-12)."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    async def create(
        self,
        caller: Caller,
        wanted: NewInterface,
        answer: Callable[[AssociatedInterface], Answer],
        *,
        once: Once,
        dry_run: bool,
    ) -> bytes:
        """Make an interface; the serialized answer to the request's first coming (ALLOC-7).

        Raises:
            InvalidParameterValue, AddressInUse: it can't have an address that is given.
            InsufficientFreeAddresses: too few are left to choose from.
        """

        def use_case(rows: Rows) -> AssociatedInterface:
            subnet = subnet_of(rows, caller, wanted.subnet_id, lock=True)
            space = SubnetSpace(rows, subnet, wanted.addresses.given)
            chosen = space.ipv4(wanted.addresses.ipv4_to_choose)
            interface = new_interface(subnet, wanted, space, chosen)
            rows.interfaces.add([interface])
            tell_of_changed(rows, [interface.holder])
            return AssociatedInterface(interface, ())

        return await write_once(self._store, use_case, answer, once=once, dry_run=dry_run)

    async def describe(
        self,
        caller: Caller,
        network_interface_ids: Collection[str],
        select: Callable[[InterfacesAfter], T],
    ) -> T:
        """What ``select`` makes of the caller's interfaces, or of those with these ids.

        Raises:
            UnknownId: one of the ids is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            _check_known(rows, caller, network_interface_ids)
            return select(
                lambda after: associated_interfaces(rows, caller, network_interface_ids, after)
            )

        return await self._store.read(use_case)

    async def delete(self, caller: Caller, network_interface_id: str, *, dry_run: bool) -> None:
        """Remove it; an elastic IP address associated with it stays, without association.

        Raises:
            InterfaceAttached: it is attached.
        """

        def use_case(rows: Rows) -> None:
            interface = interface_of(rows, caller, network_interface_id)
            interface.check_deletable()
            [gone] = with_elastic_ips(rows, [interface])
            rows.addresses.end_associations([network_interface_id])
            rows.interfaces.remove([network_interface_id])
            tell_of_changed(rows, gone.holders)

        await self._store.write(use_case, dry_run=dry_run)

    async def attach(
        self,
        caller: Caller,
        network_interface_id: str,
        instance_id: str,
        device_index: int,
        *,
        dry_run: bool,
    ) -> Attachment:
        """Attach an interface to an instance.

        Raises:
            InterfaceInUse: it is attached.
            IncorrectInstanceState, OtherZone, DeviceIndexTaken: the instance can't have it.
        """

        def use_case(rows: Rows) -> Attachment:
            instance = instance_of(rows, caller, instance_id)
            interface = interface_of(rows, caller, network_interface_id)
            attachment = new_attachment(
                instance_id, device_index, self._clock(), delete_on_termination=False
            )
            attached = interface.attached(attachment)
            present = rows.interfaces.of_instance(instance_id, lock=False)
            instance.check_attachable(interface, device_index, present)
            _move(rows, attached)
            return attachment

        return await self._store.write(use_case, dry_run=dry_run)

    async def detach(self, caller: Caller, attachment_id: str, *, dry_run: bool) -> None:
        """Detach an interface; its elastic IP addresses stay with it.

        Raises:
            UnknownId: nothing is attached by this id.
            PrimaryInterface: it is the instance's primary one.
        """

        def use_case(rows: Rows) -> None:
            interface = rows.interfaces.with_attachment(caller, attachment_id)
            if interface is None:
                raise NETWORK_INTERFACE_ATTACHMENT.unknown(attachment_id)
            _move(rows, interface.detached())

        await self._store.write(use_case, dry_run=dry_run)


class SubnetSpace:
    """What interfaces of one subnet, whose row is locked, get; each address is dealt out once."""

    def __init__(
        self, rows: Rows, subnet: Subnet, given: Collection[IPv4Address | IPv6Address]
    ) -> None:
        """Without those ``given``.

        Raises:
            InvalidParameterValue: one of them is none that interfaces of the subnet can have.
            AddressInUse: an interface has one of them.
        """
        check_within(subnet, given)
        if in_use := rows.interfaces.used(subnet.subnet_id, given):
            raise AddressInUse(in_use, subnet.subnet_id)
        self._rows, self._subnet, self._given = rows, subnet, frozenset(given)
        numbers = usable(subnet.ipv4.cidr)
        runs = rows.interfaces.free_runs(subnet.subnet_id, numbers[0], numbers[-1])
        free = (IPv4Address(number) for run in runs for number in run)
        self._free = (address for address in free if address not in self._given)

    @cached_property
    def default_group(self) -> str:
        """The security group of interfaces that ask for none."""
        return self._rows.vpc_defaults.group_of(self._subnet.vpc_id)

    def at_most(self, count: int) -> list[IPv4Address]:
        """The lowest ones; fewer than ``count`` when no more are free."""
        return list(islice(self._free, count))

    def ipv4(self, count: int) -> list[IPv4Address]:
        """The lowest ones.

        Raises:
            InsufficientFreeAddresses: fewer than ``count`` are free.
        """
        found = self.at_most(count)
        if len(found) < count:
            raise InsufficientFreeAddresses(self._subnet.subnet_id, count, len(found))
        return found

    def ipv6(self, network_interface_id: str, count: int) -> list[IPv6Address]:
        """Some for an interface.

        Raises:
            InvalidParameterValue: the subnet has no IPv6 block.
        """
        if not count:
            return []
        candidates = ipv6_candidates(network_interface_id, ipv6_block(self._subnet))
        found: dict[IPv6Address, None] = {}
        while len(found) < count:
            some = list(islice(candidates, count - len(found)))
            used = self._rows.interfaces.used(self._subnet.subnet_id, some)
            taken = self._given.union(used)
            found |= dict.fromkeys(address for address in some if address not in taken)
        return list(found)


def new_interface(
    subnet: Subnet,
    wanted: NewInterface,
    space: SubnetSpace,
    chosen: Sequence[IPv4Address],
    attachment: Attachment | None = None,
) -> NetworkInterface:
    """An interface as ``wanted``, with the IPv4 addresses that were ``chosen``."""
    network_interface_id, addresses = NETWORK_INTERFACE.new(), wanted.addresses
    return NetworkInterface(
        network_interface_id=network_interface_id,
        subnet_id=subnet.subnet_id,
        vpc_id=subnet.vpc_id,
        owner_id=subnet.owner_id,
        region=subnet.region,
        availability_zone=subnet.availability_zone,
        description=wanted.description,
        groups=wanted.groups or (space.default_group,),
        private_addresses=addresses.private_addresses(chosen),
        ipv6_addresses=(
            *addresses.ipv6,
            *space.ipv6(network_interface_id, addresses.ipv6_to_choose(subnet)),
        ),
        attachment=attachment,
        tags=wanted.tags,
    )


def new_attachment(
    instance_id: str, device_index: int, now: datetime, *, delete_on_termination: bool
) -> Attachment:
    return Attachment(
        attachment_id=NETWORK_INTERFACE_ATTACHMENT.new(),
        instance_id=instance_id,
        device_index=device_index,
        delete_on_termination=delete_on_termination,
        attached_at=now,
    )


def interface_of(rows: Rows, caller: Caller, network_interface_id: str) -> NetworkInterface:
    """The caller's, locked.

    Raises:
        UnknownId: it is none of theirs.
    """
    interface = rows.interfaces.get(caller, network_interface_id, lock=True)
    if interface is None:
        raise NETWORK_INTERFACE.unknown(network_interface_id)
    return interface


def instance_of(rows: Rows, caller: Caller, instance_id: str) -> Instance:
    """The caller's, locked.

    Raises:
        UnknownId: it is none of theirs.
    """
    instance = rows.instances.get(caller, instance_id, lock=True)
    if instance is None:
        raise INSTANCE.unknown(instance_id)
    return instance


def with_elastic_ips(
    rows: Rows, interfaces: Sequence[NetworkInterface]
) -> list[AssociatedInterface]:
    found = rows.addresses.of_interfaces([known.network_interface_id for known in interfaces])
    return [
        AssociatedInterface(known, found.get(known.network_interface_id, ()))
        for known in interfaces
    ]


def associated_interfaces(
    rows: Rows, caller: Caller, network_interface_ids: Collection[str], after: str | None
) -> Iterator[tuple[str, AssociatedInterface]]:
    """The caller's, or those of them with these ids; oldest first, each with its paging key."""
    for some in rows.interfaces.all(caller, ids=network_interface_ids, after=after):
        keys, interfaces = [key for key, _ in some], [interface for _, interface in some]
        yield from zip(keys, with_elastic_ips(rows, interfaces), strict=True)


def _move(rows: Rows, interface: NetworkInterface) -> None:
    """Save its new place and tell of it."""
    rows.interfaces.save(interface)
    [moved] = with_elastic_ips(rows, [interface])
    tell_of_changed(rows, moved.holders)


def _check_known(rows: Rows, caller: Caller, network_interface_ids: Collection[str]) -> None:
    if not network_interface_ids:
        return
    every = rows.interfaces.all(caller, ids=network_interface_ids, after=None)
    known = {interface.network_interface_id for some in every for _, interface in some}
    for network_interface_id in network_interface_ids:
        if network_interface_id not in known:
            raise NETWORK_INTERFACE.unknown(network_interface_id)
