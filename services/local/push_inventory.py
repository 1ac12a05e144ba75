"""``python -m services.local.push_inventory``: tell discovery what is elsewhere (DISC-3, PUB-1).

Reads lines of JSON (`services.local.inventory_lines`) and replaces with them all that the source
told before of the account and region. Exits with 0 when that is done, 1 when lines are bad and
nothing was sent, 2 when it could not be sent or was refused.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import grpc
from pydantic import ValidationError

from cadastre.discovery.v1 import snapshot_service_pb2 as pb
from cadastre.discovery.v1 import snapshot_service_pb2_grpc
from services.local.inventory_lines import BadLine, Read, Resource, read
from services.local.inventory_messages import push_to_proto
from shared.caller import Caller
from shared.errors import CadastreError, StartFailed
from shared.identity import TokenSigner, load_secret
from shared.rpc.client import Remote
from shared.settings import Settings

PUSHED, BAD_LINES, NOT_PUSHED = 0, 1, 2

TIMEOUT_SECONDS = 600
BAD_LINES_SHOWN = 100

_ACCOUNT_ID = re.compile(r"[0-9]{12}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Push, print what it changed, and answer with the exit code."""
    options = _parser().parse_args(arguments)
    try:
        told = _read(options.file)
    except OSError as error:
        return _not_pushed(str(error))
    if told.bad_lines:
        return _bad_lines(told.bad_lines)
    what = (
        f"{options.source}: {len(told.resources)} resources of account {options.account} in"
        f" {options.region}"
    )
    if options.dry_run:
        print(f"{what}; nothing was sent")
        return PUSHED
    try:
        changed = asyncio.run(_push(Settings(), options, told.resources))
    except (CadastreError, StartFailed, ValidationError) as error:
        return _not_pushed(str(error))
    except grpc.aio.AioRpcError as error:
        return _not_pushed(f"{error.code().name}: {error.details()}")
    print(
        f"{what}: {changed.added_total} CIDRs added, {changed.changed_total} changed,"
        f" {changed.removed_total} removed"
    )
    return PUSHED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.local.push_inventory",
        description="Tell discovery all that an account has in a region, from lines of JSON.",
    )
    parser.add_argument("--account", required=True, type=_account_id, help="whose resources")
    parser.add_argument("--region", required=True, help="where they are, such as us-east-1")
    parser.add_argument("--source", required=True, help="whose view it is, such as dc-frankfurt")
    parser.add_argument(
        "--at", type=_moment, help="when it was so, such as 2026-11-26T12:00:00Z; by default now"
    )
    parser.add_argument("--dry-run", action="store_true", help="read the lines, send nothing")
    parser.add_argument("file", metavar="FILE", help="lines of JSON; - is standard input")
    return parser


def _account_id(text: str) -> str:
    if not _ACCOUNT_ID.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not an account id; use 12 digits")
    return text


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a time; use one such as '2026-11-26T12:00:00Z'"
        ) from error
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"'{text}' has no time zone; use '{text}Z' if it is UTC")
    return moment.astimezone(UTC)


def _read(file: str) -> Read:
    if file == "-":
        return read(sys.stdin.buffer)
    with Path(file).open("rb") as lines:
        return read(lines)


async def _push(
    settings: Settings, options: argparse.Namespace, resources: Sequence[Resource]
) -> pb.PushSnapshotResponse:
    signer = TokenSigner(load_secret(settings.identity_secret_path))
    caller = Caller(options.account, options.region, "service/local", service="local")
    async with Remote.to("discovery", settings, signer) as remote:
        stub = snapshot_service_pb2_grpc.SnapshotServiceStub(remote.channel)
        messages = push_to_proto(
            resources, source=options.source, account_id=options.account, sampled_at=options.at
        )
        changed: pb.PushSnapshotResponse = await remote.call(
            stub.PushSnapshot, messages, caller=caller, timeout_seconds=TIMEOUT_SECONDS
        )
        return changed


def _bad_lines(bad_lines: Sequence[BadLine]) -> int:
    for bad in bad_lines[:BAD_LINES_SHOWN]:
        sys.stderr.write(f"line {bad.number}: {bad.message}\n")
    more = len(bad_lines) - BAD_LINES_SHOWN
    sys.stderr.write(f"and {more} more\n" if more > 0 else "")
    sys.stderr.write("Nothing was sent: every line has to be right\n")
    return BAD_LINES


def _not_pushed(why: str) -> int:
    sys.stderr.write(f"Nothing was pushed: {why}\n")
    return NOT_PUSHED


if __name__ == "__main__":
    sys.exit(main())
