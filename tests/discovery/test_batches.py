"""How changes are gathered, without any server."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from services.discovery.service import batched
from services.discovery.sources import Change
from shared.errors import ServiceUnavailable


async def test_what_came_meanwhile_is_one_batch() -> None:
    async def source() -> AsyncGenerator[Change, None]:
        for sequence in range(1, 11):
            yield Change(sequence, None)

    batches = [batch async for batch in batched(source())]
    assert [change.sequence for batch in batches for change in batch] == list(range(1, 11))
    assert len(batches) < 10


async def test_a_failure_comes_after_what_came_before_it() -> None:
    async def source() -> AsyncGenerator[Change, None]:
        yield Change(1, None)
        raise ServiceUnavailable("gone")

    batches = batched(source())
    assert await anext(batches) == [Change(1, None)]
    with pytest.raises(ServiceUnavailable):
        await anext(batches)


async def test_closing_it_closes_the_source() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[Change, None]:
        try:
            yield Change(1, None)
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
            yield Change(produced, None)

    batches = batched(source())
    first = await anext(batches)
    assert len(first) <= 1000
    await asyncio.sleep(0)
    assert produced <= 2 * 1000 + 1
    await batches.aclose()
