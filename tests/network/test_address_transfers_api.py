"""Elastic IP addresses handed over to another account, through gRPC, on both databases (EIP-3)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address
from typing import Any

import pytest

from cadastre.network.v1 import address_service_pb2 as pb
from cadastre.network.v1 import inventory_service_pb2
from services.network.address_transfer import (
    OFFERED_FOR,
    SHOWN_AFTER_ACCEPTANCE,
    AddressTransfer,
)
from services.network.quotas import Quotas
from services.network.service.address_transfers import AddressTransfers, TransfersAfter
from services.network.service.rows import Rows
from services.network.store.store import SqlStore
from shared.errors import CadastreError
from shared.persistence.database import Database
from shared.settings import Settings
from tests.network.conftest import Network, network_running
from tests.network.fake_ledger import BYOIP_POOL, CONTIGUOUS_POOL, FakeLedger
from tests.network.support import CALLER, OWNER, SERVICE, STRANGER, tagged
from tests.waiting import PATIENCE_SECONDS

RECEIVER = replace(CALLER, account_id=STRANGER)
PENDING, ACCEPTED, DISABLED = (
    pb.ADDRESS_TRANSFER_STATUS_PENDING,
    pb.ADDRESS_TRANSFER_STATUS_ACCEPTED,
    pb.ADDRESS_TRANSFER_STATUS_DISABLED,
)


async def enable(api: Network, allocation_id: str, to: str = STRANGER) -> pb.AddressTransfer:
    request = pb.EnableAddressTransferRequest(allocation_id=allocation_id, transfer_account_id=to)
    offer: pb.AddressTransfer = (await api.addresses.call(request)).address_transfer
    return offer


async def accept(api: Network, address: str, **members: Any) -> pb.AddressTransfer:
    request = pb.AcceptAddressTransferRequest(address=address, **members)
    answer = await api.addresses.call(request, caller=RECEIVER)
    accepted: pb.AddressTransfer = answer.address_transfer
    return accepted


async def transfers(api: Network, **members: Any) -> list[pb.AddressTransfer]:
    answer = await api.addresses.call(pb.DescribeAddressTransfersRequest(**members))
    return list(answer.address_transfers)


async def received(api: Network) -> list[pb.Address]:
    answer = await api.addresses.call(pb.DescribeAddressesRequest(), caller=RECEIVER)
    return list(answer.addresses)


async def test_an_accepted_address_is_the_receivers(  # EIP-3
    api: Network, ledger: FakeLedger
) -> None:
    allocated = await api.allocate(tag_specifications=tagged("elastic-ip", Name="theirs"))
    before = datetime.now(UTC)
    offer = await enable(api, allocated.allocation_id)
    assert (offer.public_ip, offer.allocation_id) == ("198.18.0.0", allocated.allocation_id)
    assert (offer.transfer_account_id, offer.address_transfer_status) == (STRANGER, PENDING)
    expires_at = offer.transfer_offer_expiration_timestamp.ToDatetime(tzinfo=UTC)
    assert before + OFFERED_FOR <= expires_at <= datetime.now(UTC) + OFFERED_FOR
    assert await transfers(api) == [offer]

    accepted = await accept(api, "198.18.0.0", tag_specifications=tagged("elastic-ip", Name="mine"))

    assert accepted.address_transfer_status == ACCEPTED
    assert accepted.HasField("transfer_offer_accepted_timestamp")
    assert await transfers(api) == [accepted]
    assert await api.public_ips() == []
    [address] = await received(api)
    # The same id, as in AWS's examples, without the tags that it had.
    assert (address.allocation_id, address.public_ip) == (allocated.allocation_id, "198.18.0.0")
    assert [(tag.key, tag.value) for tag in address.tags] == [("Name", "mine")]
    assert ledger.held == {allocated.allocation_id: "198.18.0.0/32"}


async def test_a_transferred_address_is_released_at_the_ledger_in_the_end(  # EIP-3, BEY-1
    api: Network, ledger: FakeLedger
) -> None:
    allocated = await api.allocate()
    await enable(api, allocated.allocation_id)
    await accept(api, allocated.public_ip)
    assert await api.associations() == ledger.held
    listed = await api.inventory.call(
        inventory_service_pb2.ListCidrAssociationsRequest(), caller=SERVICE
    )
    assert [known.owner_id for known in listed.cidr_associations] == [STRANGER]
    await api.addresses.call(
        pb.ReleaseAddressRequest(allocation_id=allocated.allocation_id), caller=RECEIVER
    )
    told = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for change in api.inventory.stream(inventory_service_pb2.WatchRequest()):
            told.append((change.kind, change.cidr_association.owner_id))
            if len(told) == 4:
                break
    gained = inventory_service_pb2.CHANGE_KIND_CIDR_ASSOCIATED
    lost = inventory_service_pb2.CHANGE_KIND_CIDR_DISASSOCIATED
    changed = inventory_service_pb2.CHANGE_KIND_RESOURCE_CHANGED
    # Never as lost while somebody has it: that would have its allocation released.
    assert told == [(gained, OWNER), (changed, OWNER), (gained, STRANGER), (lost, STRANGER)]
    assert change.cidr_association.ipam_pool_allocation_id in ledger.allocations
    assert await api.associations() == {}


@pytest.mark.parametrize("ipam_pool_id", [CONTIGUOUS_POOL, BYOIP_POOL], ids=["contiguous", "BYOIP"])
async def test_addresses_of_pools_are_not_transferred(  # EIP-3
    api: Network, ipam_pool_id: str
) -> None:
    allocated = await api.allocate(ipam_pool_id=ipam_pool_id)
    with pytest.raises(CadastreError, match="only Amazon's own") as refusal:
        await enable(api, allocated.allocation_id)
    assert refusal.value.reason == "OperationNotPermitted"
    assert await transfers(api) == []


async def test_an_offer_can_be_taken_back(api: Network) -> None:  # EIP-3
    allocated = await api.allocate()
    await enable(api, allocated.allocation_id)
    request = pb.DisableAddressTransferRequest(allocation_id=allocated.allocation_id)
    answer = await api.addresses.call(request)
    assert answer.address_transfer.address_transfer_status == DISABLED
    assert await transfers(api) == []
    for caller, refused, reason in (
        (CALLER, request, "IncorrectState"),
        (
            RECEIVER,
            pb.AcceptAddressTransferRequest(address=allocated.public_ip),
            "InvalidAddress.NotFound",
        ),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.addresses.call(refused, caller=caller)
        assert refusal.value.reason == reason
    assert await api.public_ips() == [allocated.public_ip]


async def test_only_the_latest_offer_of_an_address_stands(api: Network) -> None:  # EIP-3
    allocated = await api.allocate()
    await enable(api, allocated.allocation_id)
    latest = await enable(api, allocated.allocation_id, to="111122223333")
    assert await transfers(api, allocation_ids=[allocated.allocation_id]) == [latest]
    with pytest.raises(CadastreError) as refusal:
        await accept(api, allocated.public_ip)
    assert refusal.value.reason == "InvalidAddress.NotFound"


async def test_a_released_address_is_offered_no_more(api: Network) -> None:  # EIP-3
    allocated = await api.allocate()
    await enable(api, allocated.allocation_id)
    await api.addresses.call(pb.ReleaseAddressRequest(allocation_id=allocated.allocation_id))
    assert await transfers(api) == []
    with pytest.raises(CadastreError) as refusal:
        await accept(api, allocated.public_ip)
    assert refusal.value.reason == "InvalidAddress.NotFound"


async def test_nobody_offers_to_itself_or_to_what_is_no_account(api: Network) -> None:
    allocated = await api.allocate()
    for receiver in (OWNER, "someone"):
        with pytest.raises(CadastreError) as refusal:
            await enable(api, allocated.allocation_id, to=receiver)
        assert refusal.value.reason == "InvalidParameterValue"


async def test_the_receivers_quota_holds(  # EIP-3
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_ADDRESSES_PER_REGION", "1")
    async with network_running(settings) as api:
        allocated = await api.allocate()
        await enable(api, allocated.allocation_id)
        await api.addresses.call(pb.AllocateAddressRequest(), caller=RECEIVER)
        with pytest.raises(CadastreError) as refusal:
            await accept(api, allocated.public_ip)
        assert refusal.value.reason == "AddressLimitExceeded"
        assert await api.public_ips() == [allocated.public_ip]


async def test_one_of_many_who_accept_at_once_gets_it(api: Network) -> None:  # EIP-3
    allocated = await api.allocate()
    await enable(api, allocated.allocation_id)
    outcomes = await asyncio.gather(
        *(accept(api, allocated.public_ip) for _ in range(4)), return_exceptions=True
    )
    refusals = [found for found in outcomes if isinstance(found, CadastreError)]
    assert [refusal.reason for refusal in refusals] == ["InvalidAddress.NotFound"] * 3
    assert len(await received(api)) == 1


async def test_dry_runs_transfer_nothing(api: Network) -> None:
    allocated = await api.allocate()
    by_id: dict[str, Any] = {"allocation_id": allocated.allocation_id}
    offer = await enable(api, allocated.allocation_id)
    for caller, request in (
        (CALLER, pb.EnableAddressTransferRequest(**by_id, transfer_account_id="111122223333")),
        (CALLER, pb.DisableAddressTransferRequest(**by_id)),
        (RECEIVER, pb.AcceptAddressTransferRequest(address=allocated.public_ip)),
    ):
        request.dry_run = True
        with pytest.raises(CadastreError) as answer:
            await api.addresses.call(request, caller=caller)
        assert answer.value.reason == "DryRunOperation"
    assert await transfers(api) == [offer]


async def test_offers_are_told_page_by_page(api: Network) -> None:  # BEY-6
    offers = [await enable(api, (await api.allocate()).allocation_id) for _ in range(7)]
    request = pb.DescribeAddressTransfersRequest(max_results=5)
    first = await api.addresses.call(request)
    request.next_token = first.next_token
    second = await api.addresses.call(request)
    assert [*first.address_transfers, *second.address_transfers] == offers
    assert await transfers(api, allocation_ids=[offers[2].allocation_id]) == [offers[2]]


@asynccontextmanager
async def transfers_at(
    settings: Settings, clock: Callable[[], datetime]
) -> AsyncIterator[AddressTransfers]:
    """The use cases on a service's database after its end, at another time."""
    async with store_of(settings) as store:
        yield AddressTransfers(store, Quotas(), clock)


@asynccontextmanager
async def store_of(settings: Settings) -> AsyncIterator[SqlStore]:
    database = Database(settings.database_url_of("network"))
    try:
        yield SqlStore(database, on_change=lambda _: None)
    finally:
        database.close()


def told(found: TransfersAfter) -> list[str]:
    return [offer.allocation_id for _, offer in found(None)]


async def test_offers_end_after_seven_days(settings: Settings) -> None:  # EIP-3
    async with network_running(settings) as api:
        allocated = await api.allocate()
        offer = await enable(api, allocated.allocation_id)
    end = offer.transfer_offer_expiration_timestamp.ToDatetime(tzinfo=UTC)
    allocation_id, public_ip = allocated.allocation_id, IPv4Address(allocated.public_ip)
    async with transfers_at(settings, lambda: end) as late:
        assert await late.describe(CALLER, [allocation_id], told) == []
        for refused in (
            late.accept(RECEIVER, public_ip, {}, dry_run=False),
            late.disable(CALLER, allocation_id, dry_run=False),
        ):
            with pytest.raises(CadastreError) as refusal:
                await refused
            assert refusal.value.reason == "IncorrectState"
        await late.enable(CALLER, allocation_id, STRANGER, dry_run=False)
        assert await late.describe(CALLER, [], told) == [allocation_id]


async def test_accepted_offers_are_told_for_two_weeks(settings: Settings) -> None:  # EIP-3
    async with network_running(settings) as api:
        first, second = await api.allocate(), await api.allocate()
        await enable(api, first.allocation_id)
        accepted = await accept(api, first.public_ip)
    end = accepted.transfer_offer_accepted_timestamp.ToDatetime(tzinfo=UTC) + SHOWN_AFTER_ACCEPTANCE
    moment = timedelta(milliseconds=1)
    async with transfers_at(settings, lambda: end - moment) as early:
        assert await early.describe(CALLER, [first.allocation_id], told) == [first.allocation_id]
    async with transfers_at(settings, lambda: end + moment) as late:
        assert await late.describe(CALLER, [], told) == []
        with pytest.raises(CadastreError) as refusal:
            await late.describe(CALLER, [first.allocation_id], told)
        assert refusal.value.reason == "InvalidAllocationID.NotFound"
        await late.enable(CALLER, second.allocation_id, STRANGER, dry_run=False)
        assert await late.describe(CALLER, [], told) == [second.allocation_id]
    async with store_of(settings) as store:
        kept = await store.read(lambda rows: told(partial(all_offers, rows)))
    assert kept == [second.allocation_id]


def all_offers(rows: Rows, after: str | None) -> Iterator[tuple[str, AddressTransfer]]:
    """Also those that are told no more."""
    return rows.address_transfers.of_owner(CALLER, ids=[], after=after)


async def test_an_address_is_offered_within_its_region(api: Network) -> None:  # EIP-3
    allocated = await api.allocate()
    await enable(api, allocated.allocation_id)
    elsewhere = replace(RECEIVER, region="us-east-1")
    with pytest.raises(CadastreError) as refusal:
        await api.addresses.call(
            pb.AcceptAddressTransferRequest(address=allocated.public_ip), caller=elsewhere
        )
    assert refusal.value.reason == "InvalidAddress.NotFound"
