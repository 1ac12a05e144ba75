"""Handing elastic IP addresses over to other accounts (EIP-3).

The address keeps its allocation id, as at AWS. The ledger's allocation stays as it is, too: it goes
on naming the account that allocated the address, in a pool that no account sees, and is released
when whoever has the address then releases it.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import datetime
from ipaddress import IPv4Address
from typing import TypeVar

from services.network.address import Address
from services.network.address_transfer import (
    OFFERED_FOR,
    SHOWN_AFTER_ACCEPTANCE,
    AddressTransfer,
    check_receiver,
)
from services.network.changes import ChangeKind, changes_of, resources_changed
from services.network.errors import (
    InvalidAddressNotFound,
    OfferedAddressAssociated,
    TransferredAddressAssociated,
)
from services.network.quotas import Quotas
from services.network.service.addresses import check_address_quota, known_address
from services.network.service.rows import Rows, Store
from shared.caller import Caller
from shared.errors import IncorrectState
from shared.tags import Tags

T = TypeVar("T")
TransfersAfter = Callable[[str | None], Iterator[tuple[str, AddressTransfer]]]


class AddressTransfers:
    """Offers within one region; only the owner and the account named learn of them."""

    def __init__(self, store: Store, quotas: Quotas, clock: Callable[[], datetime]) -> None:
        self._store, self._quotas, self._clock = store, quotas, clock

    async def enable(
        self, caller: Caller, allocation_id: str, receiver: str, *, dry_run: bool
    ) -> AddressTransfer:
        """Offer an address to an account for seven days; an earlier offer of it ends."""
        check_receiver(receiver, caller.account_id)
        now = self._clock()

        def use_case(rows: Rows) -> AddressTransfer:
            address = known_address(rows, caller, allocation_id, lock=True)
            address.check_transferable()
            if address.association:
                raise OfferedAddressAssociated(
                    address.public_ip,
                    address.association.association_id,
                    address.association.network_interface_id,
                )
            offer = AddressTransfer(
                allocation_id=allocation_id,
                public_ip=address.public_ip,
                owner_id=caller.account_id,
                region=caller.region,
                transfer_account_id=receiver,
                expires_at=now + OFFERED_FOR,
            )
            rows.address_transfers.forget_accepted(now - SHOWN_AFTER_ACCEPTANCE)
            rows.address_transfers.put(offer)
            return offer

        return await self._store.write(use_case, dry_run=dry_run)

    async def disable(
        self, caller: Caller, allocation_id: str, *, dry_run: bool
    ) -> AddressTransfer:
        """Take an offer back.

        Raises:
            IncorrectState: the address is offered to nobody.
        """
        now = self._clock()

        def use_case(rows: Rows) -> AddressTransfer:
            known_address(rows, caller, allocation_id, lock=True)
            offer = rows.address_transfers.pending(allocation_id)
            if offer is None or not offer.is_shown(now):
                raise IncorrectState(
                    f"'{allocation_id}' is not offered to another account",
                    allocation_id=allocation_id,
                )
            rows.address_transfers.remove_pending(allocation_id)
            return offer

        return await self._store.write(use_case, dry_run=dry_run)

    async def describe(
        self, caller: Caller, ids: Collection[str], select: Callable[[TransfersAfter], T]
    ) -> T:
        """What ``select`` makes of the caller's offers, or of those of these addresses.

        Accepted ones are told of for 14 days.

        Raises:
            UnknownId: one of ``ids`` is, and was, none of theirs.
        """
        now = self._clock()

        def shown(rows: Rows, after: str | None) -> Iterator[tuple[str, AddressTransfer]]:
            for key, offer in rows.address_transfers.of_owner(caller, ids=ids, after=after):
                if offer.is_shown(now):
                    yield key, offer

        def use_case(rows: Rows) -> T:
            told = {offer.allocation_id for _, offer in shown(rows, None)} if ids else set()
            for allocation_id in ids:
                if allocation_id not in told:
                    known_address(rows, caller, allocation_id, lock=False)
            return select(lambda after: shown(rows, after))

        return await self._store.read(use_case)

    async def accept(
        self, caller: Caller, public_ip: IPv4Address, tags: Tags, *, dry_run: bool
    ) -> AddressTransfer:
        """Take an address that is offered to the caller; its former tags go."""
        now = self._clock()

        def use_case(rows: Rows) -> AddressTransfer:
            address, offer = _offered(rows, caller, public_ip)
            accepted = offer.accepted(now)
            if address.association:
                raise TransferredAddressAssociated(public_ip)
            received = replace(address, owner_id=caller.account_id, tags=tags)
            rows.addresses.change_owner(received)
            rows.addresses.save(received)
            rows.address_transfers.put(accepted)
            # Told as gained, not as lost before: the ledger's allocation is not to be released.
            blocks = [received.block] if received.block else []
            gained = changes_of(received.holder, ChangeKind.CIDR_ASSOCIATED, blocks)
            rows.feed.append([*resources_changed([address.holder]), *gained])
            # Counted after the append, which makes this the only one to count.
            check_address_quota(rows, self._quotas, caller, others=0)
            return accepted

        return await self._store.write(use_case, dry_run=dry_run)


def _offered(rows: Rows, caller: Caller, public_ip: IPv4Address) -> tuple[Address, AddressTransfer]:
    """The address, locked, and its offer to the caller."""
    offer = rows.address_transfers.offered_to(caller, public_ip)
    if offer:
        owner = replace(caller, account_id=offer.owner_id)
        address = rows.addresses.get(owner, offer.allocation_id, lock=True)
        # It may have been taken back before the lock was got.
        offer = rows.address_transfers.offered_to(caller, public_ip)
        if address and offer:
            return address, offer
    raise InvalidAddressNotFound(public_ip)
