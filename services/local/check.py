"""``python -m services.local.check``: do the books of a running system agree (BEY-10)?

Exits with 0 when they do, or do after repairs, 1 when findings are left, 2 when it can't tell.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict

import grpc
from pydantic import ValidationError

from services.local.clients import ControlPlaneClient, LedgerClient, NetworkClient, Summary
from services.local.comparison import Finding, control_plane_findings, network_findings
from shared.errors import CadastreError, StartFailed
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from shared.settings import Context, Settings

CLEAN, FINDINGS_LEFT, NOT_CHECKED = 0, 1, 2

SETTLING_SECONDS = 2.0
"""Longer than what one service tells another is usually on its way."""


class CutOff(Exception):
    """The ledger's check ended before its summary."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Check, print what is found, and answer with the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m services.local.check", description="Audit the ledger of a running system."
    )
    parser.add_argument("--repair", action="store_true", help="carry out the repairs there are")
    parser.add_argument(
        "--accept-loss",
        action="store_true",
        help="with --repair: go on without what a restored backup lacks and can't be redone",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    options = parser.parse_args(arguments)
    report = Report(as_json=options.json)
    try:
        asyncio.run(
            _check(Settings(), report, repair=options.repair, accept_loss=options.accept_loss)
        )
    except (CadastreError, CutOff, StartFailed, ValidationError) as error:
        return _not_checked(str(error))
    except grpc.aio.AioRpcError as error:
        return _not_checked(f"{error.code().name}: {error.details()}")
    return report.end()


class Report:
    """Tells findings as they come, and what they come to."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._findings = self._repaired = 0
        self._summary = Summary(0, 0, 0)

    def tell(self, found: Finding | Summary) -> None:
        if isinstance(found, Summary):
            self._summary = found
            return
        self._findings += 1
        self._repaired += found.is_repaired
        print(json.dumps(asdict(found)) if self._as_json else _line(found), flush=True)

    def end(self) -> int:
        """Tell what it came to; the exit code."""
        counts = asdict(self._summary) | {"findings": self._findings, "repaired": self._repaired}
        if self._as_json:
            print(json.dumps({"summary": counts}))
        else:
            print(
                "{pools_checked} pools, {cidrs_checked} CIDRs, {allocations_checked} allocations:"
                " {findings} findings, {repaired} of them repaired".format(**counts)
            )
        return FINDINGS_LEFT if self._findings > self._repaired else CLEAN


async def _check(settings: Settings, report: Report, *, repair: bool, accept_loss: bool) -> None:
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    async with AsyncExitStack() as stack:

        async def remote(context: Context) -> Remote:
            made = Remote.to(context, settings, signer)
            return await stack.enter_async_context(made)

        ledger = LedgerClient(await remote("allocation"))
        network = NetworkClient(await remote("network"))
        control_plane = ControlPlaneClient(await remote("control_plane"))
        checked = ledger.check(repair=repair, accept_loss=accept_loss)
        async for found in _all_findings(ledger, network, control_plane, checked):
            report.tell(found)


async def _all_findings(
    ledger: LedgerClient,
    network: NetworkClient,
    control_plane: ControlPlaneClient,
    checked: AsyncIterator[Finding | Summary],
) -> AsyncIterator[Finding | Summary]:
    async def compare() -> list[Finding]:
        held, associations = await ledger.held_allocations("network"), await network.associations()
        known, defined = await ledger.pools(), await control_plane.pools()
        return [*network_findings(held, associations), *control_plane_findings(known, defined)]

    found: Finding | Summary | None = None
    async for found in checked:
        yield found
    if not isinstance(found, Summary):
        raise CutOff("the ledger's check was cut off; repeat it")
    for lasting in await _lasting(compare):
        yield lasting


async def _lasting(compare: Callable[[], Awaitable[Sequence[Finding]]]) -> Iterable[Finding]:
    """What is found twice: no two services are read at one moment, and work goes on meanwhile."""
    first = await compare()
    if not first:
        return ()
    await asyncio.sleep(SETTLING_SECONDS)
    again = set(await compare())
    return (finding for finding in first if finding in again)


def _line(found: Finding) -> str:
    repair = ""
    if found.is_repaired:
        repair = f" [repaired: {found.repair}]"
    elif found.repair:
        repair = f" [repair: {found.repair}]"
    return f"{found.check}: {found.kind}: {found.message}{repair}"


def _not_checked(why: str) -> int:
    sys.stderr.write(f"The check could not be made: {why}\n")
    return NOT_CHECKED


if __name__ == "__main__":
    sys.exit(main())
