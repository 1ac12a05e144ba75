"""How changes are gathered, without any server."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.discovery.service.following import batched
from services.discovery.sources import AccountRegion, Association, Change
from shared.errors import ServiceUnavailable

PLACE = AccountRegion("123456789012", "us-west-2")


def change(sequence: int) -> Change:
    return Change(
        sequence, False, Association("vpc-cidr-assoc-00000000000000001", None, None), PLACE
    )


async def test_what_came_meanwhile_is_one_batch() -> None:
    async def source() -> AsyncGenerator[Change, None]:
        for sequence in range(1, 11):
            yield change(sequence)

    batches = [batch async for batch in batched(source())]
    assert [told.sequence for batch in batches for told in batch] == list(range(1, 11))
    assert len(batches) < 10


async def test_a_failure_comes_after_what_came_before_it() -> None:
    async def source() -> AsyncGenerator[Change, None]:
        yield change(1)
        raise ServiceUnavailable("gone")

    batches = batched(source())
    assert await anext(batches) == [change(1)]
    with pytest.raises(ServiceUnavailable):
        await anext(batches)


async def test_closing_it_closes_the_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[Change, None]:
        try:
            yield change(1)
            await asyncio.Event().wait()
        finally:
            closed.set()

    batches = batched(source())
    await anext(batches)
    await batches.aclose()
    assert closed.is_set()


async def test_a_slow_reader_slows_the_source_down() -> None:
    produced = 0

    async def source() -> AsyncGenerator[Change, None]:
        nonlocal produced
        while True:
            produced += 1
            yield change(produced)

    batches = batched(source())
    first = await anext(batches)
    assert len(first) <= 1000
    await asyncio.sleep(0)
    assert produced <= 2 * 1000 + 1
    await batches.aclose()
