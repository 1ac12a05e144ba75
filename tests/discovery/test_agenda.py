"""What gathers between two errands, without any server."""

import asyncio

from services.discovery.service.agenda import Agenda, Errand
from services.discovery.sources import AccountRegion

HERE, THERE = AccountRegion("1" * 12, "us-east-1"), AccountRegion("2" * 12, "us-east-1")


async def test_what_came_often_is_there_once() -> None:
    agenda = Agenda()
    for place in (HERE, THERE, HERE):
        agenda.look_at(place)
    agenda.evaluate("ipam-1")
    assert await agenda.next() == Errand(frozenset({HERE, THERE}), frozenset({"ipam-1"}), False)


async def test_nothing_is_run_twice_and_nothing_is_lost() -> None:
    agenda = Agenda()
    agenda.look_at(HERE)
    errand = await agenda.next()
    waiting = asyncio.create_task(agenda.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    agenda.evaluate_all()
    assert await waiting == Errand(frozenset(), None, False)
    agenda.put_back(errand)
    agenda.look_everywhere()
    assert await agenda.next() == Errand(frozenset({HERE}), frozenset(), True)


async def test_all_ipams_stay_all_when_put_back() -> None:
    agenda = Agenda()
    agenda.evaluate_all()
    agenda.put_back(await agenda.next())
    agenda.evaluate("ipam-1")
    assert (await agenda.next()).ipam_ids is None
