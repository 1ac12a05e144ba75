"""The figures of MET-2's example, 2,500 dual-stack VPCs and 10,000 subnets, on both databases."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring_pb
from cadastre.discovery.v1 import usage_service_pb2 as pb
from services.discovery import tables
from shared.cidr import Cidr
from shared.rpc.client import MAX_MESSAGE_BYTES
from tests.discovery.monitored import (
    HOME,
    OWNER,
    POOL,
    PRIVATE,
    Known,
    cidr_values,
    record_values,
    serving,
)

VPC_COUNT, SUBNETS_PER_VPC, EACH = 2500, 4, 50
IPV4, IPV6 = types_pb2.ADDRESS_FAMILY_IPV4, types_pb2.ADDRESS_FAMILY_IPV6
VPCS, SUBNETS = monitoring_pb.IPAM_RESOURCE_TYPE_VPC, monitoring_pb.IPAM_RESOURCE_TYPE_SUBNET
NO_STATES = dict.fromkeys(("management_state", "compliance_status", "overlap_status"))


on_sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where no database has a part in what size does; test_usage_api.py has small pages on both."""


class Large:
    """Rows, and beside them what the figures are by their making."""

    def __init__(self, inventory_id: int) -> None:
        self._inventory_id, self._rng = inventory_id, random.Random(1)
        self.there: list[dict[str, Any]] = []
        self.recorded: list[dict[str, Any]] = []
        self.known: defaultdict[Any, list[pb.ResourceUtilization]] = defaultdict(list)
        """By type and family."""
        for n in range(VPC_COUNT):
            self._add_vpc(n)

    def _add_vpc(self, n: int) -> None:
        vpc_id = self._id("vpc", n)
        pool_id = POOL if self._rng.random() < 0.4 else None
        ipv4 = [f"10.{n >> 6}.{n % 64 * 4}.0/22"]
        if n % 3 == 0:
            ipv4.append(f"11.{n >> 8}.{n % 256}.0/24")
        for cidrs in (ipv4, [f"2001:db8:{n:x}::/{self._rng.choice((56, 60))}"]):
            self._add("vpc", vpc_id, cidrs, vpc_id, pool_id)
        for part in range(SUBNETS_PER_VPC):
            cidr = f"10.{n >> 6}.{n % 64 * 4 + part}.0/{self._rng.choice((24, 25, 28))}"
            self._add("subnet", self._id("subnet", n), [cidr], vpc_id, pool_id)

    def _id(self, kind: str, n: int) -> str:
        return f"{kind}-{self._rng.getrandbits(52):013x}{n:04x}"

    def _add(
        self, kind: str, id_: str, cidrs: Sequence[str], vpc_id: str, pool_id: str | None
    ) -> None:
        sizes = [Cidr.parse(cidr).size for cidr in cidrs]
        # Such shares add up without rounding, and many resources have the same.
        shares = [self._rng.randrange(65) / 64 for _ in cidrs]
        for cidr, share in zip(cidrs, shares, strict=True):
            row_id = len(self.there) + 1
            row = cidr_values(self._inventory_id, kind, id_, cidr)
            self.there.append({**row, "row_id": row_id, "ip_usage": share})
            record = record_values(kind, id_, cidr, row_id, vpc_id=vpc_id, **NO_STATES)
            record["ipam_pool_id"] = pool_id if kind == "vpc" else None
            self.recorded.append(record)
        used = sum(size * share for size, share in zip(sizes, shares, strict=True))
        group = VPCS if kind == "vpc" else SUBNETS, IPV6 if ":" in cidrs[0] else IPV4
        self.known[group].append(
            pb.ResourceUtilization(
                resource_id=id_,
                owner_id=OWNER,
                region=HOME,
                vpc_id=vpc_id,
                ip_usage=used / sum(sizes),
                total_addresses=str(sum(sizes)),
                is_allocated=pool_id is not None,
            )
        )


@pytest.fixture
async def it(database_url: str, tmp_path: Path) -> AsyncIterator[Known]:
    async with serving(database_url, tmp_path) as known:
        yield known


@pytest.fixture
def large(it: Known) -> Large:
    made = Large(it.inventory())
    it.insert(tables.resource_cidrs, made.there)
    it.insert(tables.records, made.recorded)
    return made


def named_by_the_rule(known: Sequence[Any]) -> list[Any]:
    """Of equal ones the one whose id comes first."""
    falling = sorted(known, key=lambda one: (-one.ip_usage, one.resource_id))
    rising = sorted(known, key=lambda one: (one.ip_usage, one.resource_id))
    extremes = {one.resource_id for one in (*falling[:EACH], *rising[:EACH])}
    others = [one for one in known if one.is_allocated and one.resource_id not in extremes]
    others.sort(key=lambda one: (-int(one.total_addresses), one.resource_id))
    wanted = extremes | {one.resource_id for one in others[:EACH]}
    return [one for one in falling if one.resource_id in wanted]


async def test_exactly_those_are_chosen_that_the_rule_names_none_twice(  # MET-2
    it: Known, large: Large
) -> None:
    assert [len(known) for known in large.known.values()] == [2500, 2500, 10_000]
    for (kind, family), known in large.known.items():
        request = pb.ListResourceUtilizationRequest(
            ipam_scope_id=PRIVATE,
            resource_type=kind,
            address_family=family,
            highest=EACH,
            lowest=EACH,
            allocated=EACH,
        )
        found = list((await it.figures(request)).utilizations)
        assert len({one.resource_id for one in found}) == len(found) == 3 * EACH
        assert found == named_by_the_rule(known)


@on_sqlite_alone
async def test_each_is_listed_once_in_pages_of_up_to_ten_thousand(  # BEY-11
    it: Known, large: Large
) -> None:
    for (kind, family), known in large.known.items():
        expected = sorted(known, key=lambda one: one.resource_id)
        page = 10_000 if kind == SUBNETS else 999
        request = pb.ListResourceUsagesRequest(
            ipam_scope_id=PRIVATE, resource_type=kind, address_family=family, max_results=page
        )
        for begin in range(0, len(expected), page):
            answer = await it.figures(request)
            assert list(answer.utilizations) == expected[begin : begin + page]
            request.next_token = answer.next_token
        assert not answer.next_token


@on_sqlite_alone
async def test_pages_of_the_longest_records_fit_into_messages(it: Known) -> None:  # BEY-11
    inventory_id, count, longest = it.inventory(), 1500, "\U0001f310" * 250
    ids = [f"{n:05}{longest}" for n in range(count)]
    rows = [cidr_values(inventory_id, "vpc", id_, "10.0.0.0/16") for id_ in ids]
    it.insert(tables.resource_cidrs, [{**row, "ip_usage": 0.5} for row in rows])
    members = {"vpc_id": ids[0], "name": longest + "\U0001f310" * 6, "owner_id": "9" * 64}
    it.insert(
        tables.records,
        [record_values("vpc", id_, "10.0.0.0/16", at + 1, **members) for at, id_ in enumerate(ids)],
    )
    request = pb.ListResourceUsagesRequest(
        ipam_scope_id=PRIVATE, resource_type=VPCS, address_family=IPV4, max_results=10_000
    )
    pages: list[Any] = []
    while not pages or request.next_token:
        pages.append(await it.figures(request))
        request.next_token = pages[-1].next_token
    assert [one.resource_id for page in pages for one in page.utilizations] == ids
    assert len(pages) == 2
    assert pages[0].ByteSize() < MAX_MESSAGE_BYTES
