"""What the ledger tells of an IPAM, in words that are known here or not."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cadastre.allocation.v1 import inventory_service_pb2 as pb
from cadastre.allocation.v1 import inventory_service_pb2_grpc, ledger_service_pb2
from cadastre.allocation.v1 import pool_allocation_pb2 as types
from cadastre.common.v1 import types_pb2
from services.discovery.clients.books import BooksClient
from services.discovery.evaluation.model import AllocationType, Import
from services.discovery.service.evaluating import ImportRefused
from shared.cidr import AddressFamily
from shared.errors import CadastreError
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from shared.rpc.server import Binding, Runtime, running
from tests.discovery.evaluation.support import vpc
from tests.network.support import settings_for

IPAM, POOL = "ipam-00000000000000001", "ipam-pool-00000000000000001"
IPV6 = types_pb2.ADDRESS_FAMILY_IPV6
CUSTOM = types.IPAM_POOL_ALLOCATION_RESOURCE_TYPE_CUSTOM
WANTED = [Import(POOL, vpc(n, f"10.{n}.0.0/16")) for n in range(2)]
DONE = pb.ImportOutcome(ipam_pool_allocation_id="alloc-1")
REFUSED = pb.ImportOutcome(reason="InsufficientCidrSpace", message="taken")


class FakeInventory(inventory_service_pb2_grpc.InventoryServiceServicer):
    """Has one pool and one allocation."""

    def __init__(self) -> None:
        definition = ledger_service_pb2.IpamPoolDefinition(ipam_pool_id=POOL, address_family=IPV6)
        self.pool = pb.PoolRecord(definition=definition, cidrs=["2001:db8::/32"])
        self.allocation = pb.AllocationRecord(cidr="2001:db8::/48", resource_type=CUSTOM)
        self.outcomes = [DONE, REFUSED]

    async def ListPools(self, request: Any, context: Any) -> Any:
        return pb.ListPoolsResponse(pools=[self.pool])

    async def ListAllocations(self, request: Any, context: Any) -> Any:
        return pb.ListAllocationsResponse(allocations=[self.allocation])

    async def ImportResourceCidrs(self, request: Any, context: Any) -> Any:
        return pb.ImportResourceCidrsResponse(outcomes=self.outcomes)


@pytest.fixture
async def ledger() -> FakeInventory:
    return FakeInventory()  # type: ignore[abstract] # all that is asked is there


@pytest.fixture
async def books(ledger: FakeInventory, tmp_path: Path) -> AsyncIterator[BooksClient]:
    @asynccontextmanager
    async def build(_runtime: Runtime) -> AsyncIterator[Sequence[Binding]]:
        yield [
            Binding(
                inventory_service_pb2_grpc.add_InventoryServiceServicer_to_server,
                ledger,
                "cadastre.allocation.v1.InventoryService",
            )
        ]

    settings = settings_for(tmp_path)
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    async with (
        running("allocation", build, settings) as server,
        Remote(server.address, signer=signer) as remote,
    ):
        yield BooksClient(remote)


async def test_pools_allocations_and_refused_imports_are_told(books: BooksClient) -> None:  # MON-4
    told = await books.books(IPAM)
    [pool], [allocation] = told.pools.values(), told.allocations
    assert (pool.family, allocation.allocation_type) == (AddressFamily.IPV6, AllocationType.CUSTOM)
    refused = ImportRefused(WANTED[1], "InsufficientCidrSpace", "taken")
    assert await books.take_in(WANTED) == [refused]


@pytest.mark.parametrize(
    ("family", "resource_type", "message"),
    [
        (99, CUSTOM, "99 for a pool's family, which is not known"),
        (IPV6, 99, "99 for an allocation's type, which is not known"),
        (IPV6, 0, "0 for an allocation's type"),
    ],
    ids=["a family of tomorrow", "a type of tomorrow", "no type"],
)
async def test_words_of_a_later_version_are_an_answer_that_can_not_be_acted_on(
    books: BooksClient, ledger: FakeInventory, family: Any, resource_type: Any, message: str
) -> None:
    ledger.pool.definition.address_family = family
    ledger.allocation.resource_type = resource_type
    with pytest.raises(CadastreError, match=message) as refusal:
        await books.books(IPAM)
    assert refusal.value.reason == "Unavailable"


@pytest.mark.parametrize("outcomes", [[DONE], [DONE] * 3], ids=["too few", "too many"])
async def test_outcomes_that_are_not_those_asked_for_are_none(
    books: BooksClient, ledger: FakeInventory, outcomes: list[pb.ImportOutcome]
) -> None:
    ledger.outcomes = outcomes
    with pytest.raises(CadastreError, match=f"{len(outcomes)} for the outcomes of 2 imports"):
        await books.take_in(WANTED)
