"""What is asked of discovery, with much to look through: each question through gRPC."""

import random
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import sqlalchemy as sa
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2 as pb
from cadastre.discovery.v1 import usage_service_pb2 as usage_pb
from services.discovery.service.monitoring import Question, Span
from services.discovery.store.batches import insert_rows, stored_as
from services.discovery.store.reading import SqlReader
from services.discovery.tables import records, resource_cidrs
from shared.cidr import AddressFamily, Cidr
from shared.persistence.database import Database
from tests.discovery.monitored import IPAM, OWNER, PRIVATE, Known, serving

RECORDS, RECORDS_PER_CIDR, LOOK_UPS = 10_000_000, 100, 2_000
RESOURCE_CIDRS, SUBNETS_PER_VPC, ROUNDS = 100_000, 3, 20
PAGE = 1000
BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)

_SPACE = Cidr.parse("10.0.0.0/8").first
# One hour each, the last of each CIDR has not ended: as they come about, side by side in time.
_FILL_HISTORY = f"""
    INSERT INTO records (
        ipam_id, ipam_scope_id, inventory_id, row_id, is_monitored, resource_type, resource_id,
        owner_id, region, first_address, prefix_length, name, vpc_id, management_state,
        compliance_status, overlap_status, broken_rules, started_at, ended_at
    )
    SELECT
        '{IPAM}', '{PRIVATE}', 1, n % :cidrs + 1, true, 'vpc',
        'vpc-' || lpad(to_hex(n % :cidrs), 17, '0'), '{OWNER}', 'us-east-1',
        decode('00000000000000000000ffff' || lpad(to_hex({_SPACE} + n % :cidrs * 16), 8, '0'),
               'hex'),
        28, 'vpc ' || n % :cidrs, 'vpc-' || lpad(to_hex(n % :cidrs), 17, '0'), 'unmanaged',
        'unmanaged', 'nonoverlapping', '',
        :beginning + n / :cidrs * interval '1 hour',
        CASE WHEN n < :total - :cidrs
             THEN :beginning + (n / :cidrs + 1) * interval '1 hour' END
    FROM generate_series(0, :total - 1) AS n
"""


async def report_history(url: str, scale: float) -> None:
    """Look-ups of random CIDRs: the read alone, and the whole call."""
    cidr_count = max(1, int(RECORDS * scale) // RECORDS_PER_CIDR)
    with tempfile.TemporaryDirectory() as folder:
        async with serving(url, Path(folder)) as known:
            total = cidr_count * RECORDS_PER_CIDR
            began = perf_counter()
            await known.database.run(_fill_history, known.database, cidr_count, total)
            filled = perf_counter() - began
            print(f"  {total:,} records, {RECORDS_PER_CIDR} of a CIDR, made in {filled:.0f} s")
            reader = SqlReader(known.database)
            start = Timestamp()
            start.FromDatetime(BEGINNING)
            for name, span, times in (
                ("what is now", None, {}),
                ("all that was", Span(BEGINNING, known.now[-1]), {"start_time": start}),
            ):

                async def read(cidr: Cidr, span: Span | None = span) -> None:
                    question = Question(PRIVATE, cidr, None, span)
                    await reader.read(lambda view: list(view.history(question, None)))

                async def call(cidr: Cidr, times: dict[str, Any] = times) -> None:
                    await known.ask(
                        pb.GetIpamAddressHistoryRequest(
                            ipam_scope_id=PRIVATE, cidr=str(cidr), max_results=PAGE, **times
                        )
                    )

                for what, ask in (("read", read), ("call", call)):
                    look_ups = max(10, min(LOOK_UPS, cidr_count // 10))
                    seconds = [await _seconds(ask, cidr) for cidr in _any(cidr_count, look_ups)]
                    _print(f"GetIpamAddressHistory, {name}, {what}", seconds)


async def report_lists(url: str, scale: float) -> None:
    """Lists and figures of what an IPAM monitors."""
    count = max(PAGE, int(RESOURCE_CIDRS * scale))
    with tempfile.TemporaryDirectory() as folder:
        async with serving(url, Path(folder)) as known:
            await known.database.run(_fill_monitored, known, count)
            deep = await _token_near_the_end(known)
            for name, request in _questions(deep).items():
                is_figure = isinstance(request, usage_pb.GetCidrMapRequest)
                is_figure |= isinstance(request, usage_pb.ListResourceUtilizationRequest)
                ask = known.figures if is_figure else known.ask
                _print(name, [await _seconds(ask, request) for _ in range(ROUNDS)])


def _questions(deep: str) -> dict[str, Any]:
    return {
        "GetIpamResourceCidrs, first page of 100": pb.GetIpamResourceCidrsRequest(
            ipam_scope_id=PRIVATE, max_results=100
        ),
        "GetIpamResourceCidrs, a page at the end": pb.GetIpamResourceCidrsRequest(
            ipam_scope_id=PRIVATE, max_results=100, next_token=deep
        ),
        "ListResourceUtilization of subnets": usage_pb.ListResourceUtilizationRequest(
            ipam_scope_id=PRIVATE,
            resource_type=pb.IPAM_RESOURCE_TYPE_SUBNET,
            address_family=types_pb2.ADDRESS_FAMILY_IPV4,
            highest=10,
            lowest=10,
            allocated=10,
        ),
        "GetCidrMap of 10.0.0.0/8": usage_pb.GetCidrMapRequest(
            ipam_scope_id=PRIVATE, cidr="10.0.0.0/8", netmask_length=20
        ),
        "GetCidrMap of 10.1.0.0/16": usage_pb.GetCidrMapRequest(
            ipam_scope_id=PRIVATE, cidr="10.1.0.0/16", netmask_length=24
        ),
    }


async def _token_near_the_end(known: Known) -> str:
    token = last = ""
    while True:
        answer = await known.ask(
            pb.GetIpamResourceCidrsRequest(
                ipam_scope_id=PRIVATE, max_results=PAGE, next_token=token or None
            )
        )
        if not answer.next_token:
            return last or token
        last, token = token, answer.next_token


async def _seconds(ask: Callable[[Any], Awaitable[Any]], question: Any) -> float:
    began = perf_counter()
    await ask(question)
    return perf_counter() - began


def _print(name: str, seconds: Iterable[float]) -> None:
    ranked = sorted(one * 1000 for one in seconds)
    p50, p99 = ranked[len(ranked) // 2], ranked[len(ranked) * 99 // 100]
    print(f"  {name:45} p50 {p50:8.2f} ms, p99 {p99:8.2f} ms, {len(ranked)} times")


def _any(cidr_count: int, count: int) -> Iterator[Cidr]:
    rng = random.Random(cidr_count)
    for _ in range(count):
        yield Cidr(AddressFamily.IPV4, _SPACE + rng.randrange(cidr_count) * 16, 28)


def _fill_history(database: Database, cidr_count: int, total: int) -> None:
    with database.write() as connection:
        # An index is made of ten million rows in a tenth of what it takes to add them to it.
        for index in records.indexes:
            index.drop(connection)
        values = {"cidrs": cidr_count, "total": total, "beginning": BEGINNING}
        connection.execute(sa.text(_FILL_HISTORY), values)
        for index in records.indexes:
            index.create(connection)
    _analyze(database)


def _fill_monitored(known: Known, count: int) -> None:
    inventory_id = known.inventory()
    rows = list(_monitored(count))
    there = ("anchor_id", "resource_type", "first_address", "prefix_length", "vpc_id", "ip_usage")
    constant = {
        "inventory_id": inventory_id,
        "is_monitored": True,
        "fingerprint": b"",
        "owner_id": OWNER,
        "tags": '{"Name": "some", "env": "prod"}',
        "ip_source": "none",
    }
    names = (*there, "row_id", "resource_id", *constant)
    with known.database.write() as connection:
        insert_rows(
            connection,
            resource_cidrs,
            [resource_cidrs.c[name] for name in names],
            [(*row, at, row[0], *constant.values()) for at, row in enumerate(rows, 1)],
        )
        _fill_records(connection, inventory_id, rows)
    _analyze(known.database)


def _analyze(database: Database) -> None:
    """As PostgreSQL does by itself before long."""
    if database.dialect == "postgresql":
        with database.write() as connection:
            connection.execute(sa.text("ANALYZE"))


def _fill_records(
    connection: sa.Connection, inventory_id: int, rows: Iterable[tuple[Any, ...]]
) -> None:
    constant = {
        "inventory_id": inventory_id,
        "is_monitored": True,
        "ipam_id": IPAM,
        "ipam_scope_id": PRIVATE,
        "owner_id": OWNER,
        "region": "us-east-1",
        "broken_rules": "",
        "started_at": stored_as(connection, records.c.started_at)(BEGINNING),
    }
    names = ("resource_id", "resource_type", "first_address", "prefix_length", "vpc_id")
    states = ("row_id", "management_state", "compliance_status", "overlap_status")
    vpc_states = ("unmanaged", "unmanaged", "nonoverlapping")
    insert_rows(
        connection,
        records,
        [records.c[name] for name in (*names, *states, *constant)],
        [
            (
                *(*row[:5], at),
                *(vpc_states if row[1] == "vpc" else (None,) * 3),
                *constant.values(),
            )
            for at, row in enumerate(rows, 1)
        ],
    )


def _monitored(count: int) -> Iterator[tuple[Any, ...]]:
    """Id, type, CIDR, VPC and usage of VPCs and their subnets, side by side."""
    for number in range(count // (1 + SUBNETS_PER_VPC)):
        block = Cidr(AddressFamily.IPV4, _SPACE + (number << 8), 24)
        vpc_id = f"vpc-{number:017x}"
        yield vpc_id, "vpc", block.first_key, 24, vpc_id, 0.75
        for at in range(SUBNETS_PER_VPC):
            subnet = Cidr(AddressFamily.IPV4, block.first + at * 64, 26)
            subnet_id = f"subnet-{number * SUBNETS_PER_VPC + at:017x}"
            yield subnet_id, "subnet", subnet.first_key, 26, vpc_id, number % 64 / 64
