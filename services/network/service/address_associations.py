"""Associating elastic IP addresses with interfaces (EIP-2)."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from services.network.address import (
    Address,
    AddressAssociation,
    AddressName,
    private_address_of,
    unknown_address,
)
from services.network.errors import TerminatedInstance
from services.network.interface import NetworkInterface
from services.network.service.addresses import known_address
from services.network.service.news import tell_of_changed
from services.network.service.rows import Rows, Store
from shared.caller import Caller
from shared.ids import ADDRESS_ASSOCIATION, INSTANCE, NETWORK_INTERFACE


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAssociation:
    """What a caller wants associated."""

    address: AddressName
    target_id: str
    """Of an interface, or of an instance, whose primary one is meant."""
    private_address: IPv4Address | None
    """By default the interface's primary one."""
    allow_reassociation: bool


class AddressAssociations:
    """What is of another account or region is answered like what does not exist (BEY-12)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def associate(self, caller: Caller, wanted: NewAssociation, *, dry_run: bool) -> str:
        """The id of the association; the same one when it was there already.

        An address that is associated is moved, and one that the private address has gives way,
        unless the caller forbids it.

        Raises:
            TerminatedInstance: the target has no interface any more.
            AlreadyAssociated: something would have to move, or give way, that may not.
        """

        def use_case(rows: Rows) -> str:
            interface = _interface(rows, caller, wanted.target_id)
            private = private_address_of(interface, wanted.private_address)
            association = AddressAssociation(
                ADDRESS_ASSOCIATION.new(), interface.network_interface_id, private
            )
            address, occupant = _contenders(rows, caller, wanted.address, association)
            address.check_reaches(interface)
            associated = address.associated(
                association, occupant, allow_reassociation=wanted.allow_reassociation
            )
            if occupant:
                # First, since a private address is in one association at a time.
                rows.addresses.save(occupant.disassociated())
            rows.addresses.save(associated)
            if associated != address:
                parties = [address, associated, *([occupant] if occupant else [])]
                tell_of_changed(rows, [one for each in parties for one in each.association_holders])
            return (associated.association or association).association_id

        return await self._store.write(use_case, dry_run=dry_run)

    async def disassociate(
        self, caller: Caller, association: str | IPv4Address, *, dry_run: bool
    ) -> None:
        """End an association, named by its id or by the address.

        An address without association stays as it is.
        """

        def use_case(rows: Rows) -> None:
            address = _associated(rows, caller, association)
            rows.addresses.save(address.disassociated())
            if address.association:
                tell_of_changed(rows, address.association_holders)

        await self._store.write(use_case, dry_run=dry_run)


def _interface(rows: Rows, caller: Caller, target_id: str) -> NetworkInterface:
    """Locked."""
    if not target_id.startswith(INSTANCE.prefix):
        interface = rows.interfaces.get(caller, target_id, lock=True)
        if interface is None:
            raise NETWORK_INTERFACE.unknown(target_id)
        return interface
    instance = rows.instances.get(caller, target_id, lock=True)
    if instance is None:
        raise INSTANCE.unknown(target_id)
    interfaces = rows.interfaces.of_instance(target_id, lock=True)
    if not interfaces:
        raise TerminatedInstance(target_id)
    return interfaces[0]


def _contenders(
    rows: Rows, caller: Caller, name: AddressName, wanted: AddressAssociation
) -> tuple[Address, Address | None]:
    """The address to associate, and the one that the private address has; locked, in order.

    The interface is locked, so no other address gets there meanwhile.
    """
    address_id = known_address(rows, caller, name, lock=False).allocation_id
    occupant_id = _occupant_id(rows, wanted)
    held = {
        allocation_id: rows.addresses.get(caller, allocation_id, lock=True)
        for allocation_id in sorted({address_id, occupant_id or address_id})
    }
    address = held[address_id]
    if address is None:
        raise unknown_address(name)
    occupant = held[occupant_id] if occupant_id else None
    is_there = occupant and occupant.association and _is_same_place(occupant.association, wanted)
    return address, occupant if is_there else None


def _occupant_id(rows: Rows, wanted: AddressAssociation) -> str | None:
    interface_id = wanted.network_interface_id
    for known in rows.addresses.of_interfaces([interface_id]).get(interface_id, ()):
        if known.association and _is_same_place(known.association, wanted):
            return known.allocation_id
    return None


def _is_same_place(one: AddressAssociation, other: AddressAssociation) -> bool:
    return (one.network_interface_id, one.private_address) == (
        other.network_interface_id,
        other.private_address,
    )


def _associated(rows: Rows, caller: Caller, association: str | IPv4Address) -> Address:
    """Locked."""
    if isinstance(association, IPv4Address):
        return known_address(rows, caller, association, lock=True)
    allocation_id = rows.addresses.with_association(caller, association)
    address = rows.addresses.get(caller, allocation_id, lock=True) if allocation_id else None
    # It may have ended before the lock was got.
    if not address or not address.association or address.association.association_id != association:
        raise ADDRESS_ASSOCIATION.unknown(association)
    return address
