"""``python -m services.local.brownfield``: bring an address plan into a pool (BEY-13).

In this order: ``plan`` tells what would be reserved and changes nothing, ``reserve`` does it,
``verify`` compares, ``open`` releases what resources are to have from then on. Exits with 0 when
all is as it should be, 1 when there are conflicts or differences, 2 when it can't tell.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
from pydantic import ValidationError

from services.local.aws_profiles import ACCOUNT_IDS, DEFAULT_PROFILE, DEFAULT_REGION
from services.local.brownfield import importing
from services.local.brownfield.importing import NotReserved
from services.local.brownfield.ledger import Pool
from services.local.brownfield.plan_file import GLOBAL, Line, PlanFileRefused, read_plan
from services.local.brownfield.planning import (
    DIFFERENCES,
    Finding,
    Verdict,
    in_vrf,
    vrfs_of,
)
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import CadastreError, StartFailed
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from shared.settings import Settings

CLEAN, FINDINGS_LEFT, NOT_DONE = 0, 1, 2

_HELP = {
    "plan": "tell what would be reserved and what conflicts; change nothing",
    "reserve": "reserve all of it, unless there are conflicts",
    "verify": "compare the pool with the file",
    "open": "release reservations of the file, so that resources can have the space",
}
_BAD = {
    "plan": {Verdict.CONFLICT},
    "reserve": {Verdict.CONFLICT},
    "verify": DIFFERENCES,
    "open": {Verdict.CONFLICT},
}
# What was found, in words of what the step makes of it.
_WORDS: Mapping[str, Mapping[Verdict, str]] = {
    "plan": {Verdict.MISSING: "reserve"},
    "open": {Verdict.HELD: "open", Verdict.MISSING: "open already"},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Take a step, print what is found, and answer with the exit code."""
    options = _parser().parse_args(arguments)
    try:
        lines = _lines(options.file, options.vrf)
        findings = asyncio.run(_taken(options, lines, Settings()))
    except (CadastreError, NotReserved, PlanFileRefused, StartFailed, ValidationError) as error:
        return _not_done(str(error))
    except grpc.aio.AioRpcError as error:
        return _not_done(f"{error.code().name}: {error.details()}")
    return _tell(options.step, findings, as_json=options.json)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("file", type=Path, help="CSV, or an export of NetBox or phpIPAM")
    common.add_argument("--pool", required=True, help="id of the pool")
    common.add_argument(
        "--account", default=ACCOUNT_IDS[DEFAULT_PROFILE], help="who owns it (%(default)s)"
    )
    common.add_argument("--region", default=DEFAULT_REGION, help="its home region (%(default)s)")
    common.add_argument("--vrf", help="only what is in this VRF; 'global': in none")
    common.add_argument(
        "--containers",
        action="store_true",
        help="of prefixes in one another reserve the outermost, not the innermost",
    )
    common.add_argument("--json", action="store_true", help="one JSON object per line")
    parser = argparse.ArgumentParser(
        prog="python -m services.local.brownfield",
        description="Bring an address plan into a pool as allocations made by hand.",
    )
    steps = parser.add_subparsers(dest="step", required=True)
    made = {
        step: steps.add_parser(step, help=text, description=text, parents=[common])
        for step, text in _HELP.items()
    }
    chosen = made["open"].add_mutually_exclusive_group(required=True)
    chosen.add_argument("--all", action="store_true", help="all of the file")
    chosen.add_argument(
        "--cidr",
        action="append",
        default=[],
        type=_cidr,
        help="what of the file lies in this block; may be repeated",
    )
    return parser


def _cidr(text: str) -> Cidr:
    try:
        return Cidr.parse(text)
    except CadastreError as error:
        raise argparse.ArgumentTypeError(error.message) from error


def _lines(path: Path, vrf: str | None) -> list[Line]:
    lines = read_plan(path)
    if vrf is None:
        return lines
    wanted = GLOBAL if vrf.lower() == "global" else vrf
    known = vrfs_of(lines)
    if wanted not in known:
        names = ", ".join(sorted(f"'{name or 'global'}'" for name in known))
        raise PlanFileRefused(f"{path} has nothing in VRF '{vrf}'; it has VRFs {names or 'none'}")
    return in_vrf(lines, wanted)


async def _taken(
    options: argparse.Namespace, lines: Sequence[Line], settings: Settings
) -> list[Finding]:
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    caller = Caller(options.account, options.region, "service/local/brownfield")
    async with Remote.to("allocation", settings, signer) as remote:
        pool = Pool(remote, caller, options.pool)
        containers: bool = options.containers
        match options.step:
            case "plan":
                return await importing.plan(pool, lines, containers=containers)
            case "reserve":
                return await importing.reserve(pool, lines, containers=containers)
            case "verify":
                return await importing.verify(pool, lines, containers=containers)
            case _:
                named = None if options.all else options.cidr
                return await importing.open_up(pool, lines, named, containers=containers)


def _tell(step: str, findings: Sequence[Finding], *, as_json: bool) -> int:
    words = _WORDS.get(step, {})
    counts: Counter[str] = Counter()
    for found in findings:
        word = words.get(found.verdict, found.verdict.value)
        counts[word] += 1
        if as_json:
            print(json.dumps(_record(found, word)))
        else:
            where = f"line {found.line}" if found.line else "no line"
            message = f": {found.message}" if found.message else ""
            print(f"{where}: {found.text}: {word}{message}")
    if as_json:
        print(json.dumps({"summary": counts}))
    else:
        print(", ".join(f"{count} {word}" for word, count in counts.items()) or "nothing")
    return FINDINGS_LEFT if any(f.verdict in _BAD[step] for f in findings) else CLEAN


def _record(found: Finding, word: str) -> dict[str, object]:
    return {
        "line": found.line,
        "cidr": found.text,
        "verdict": word,
        "message": found.message,
        "description": found.entry.description if found.entry else "",
        "ipam_pool_allocation_id": (
            found.allocation.ipam_pool_allocation_id if found.allocation else ""
        ),
    }


def _not_done(why: str) -> int:
    sys.stderr.write(f"It could not be done: {why}\n")
    return NOT_DONE


if __name__ == "__main__":
    sys.exit(main())
