"""``python -m tests.faults``: what was acknowledged survives whatever is killed, or exit code 1."""

import argparse
import asyncio
import signal
import sys
from collections import Counter
from typing import get_args

import uvloop

from tests.faults.history import Breach, Call, Made, Refused
from tests.faults.holds import Fate
from tests.faults.run import Options, Report, Weakness, run

_SHOWN = 20


def main() -> int:
    options = _options()
    print(f"seed {options.seed}: {options.seconds:g} s on {options.database}", flush=True)
    report = uvloop.run(_until_told_to_stop(options))
    _print(report)
    return 1 if report.violations else 0


async def _until_told_to_stop(options: Options) -> Report:
    """Cancelled as by Ctrl-C, so that what was started is ended."""
    running = asyncio.create_task(run(options))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await running


def _options() -> Options:
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seconds", type=float, default=default.seconds)
    parser.add_argument("--kills", type=int, default=default.kills)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default=default.database)
    parser.add_argument("--replicas", type=int, default=None, help="default: 2, or 1 on SQLite")
    parser.add_argument("--clients", type=int, default=default.clients)
    parser.add_argument(
        "--without", choices=get_args(Weakness), help="a run that has to fail; PostgreSQL only"
    )
    given = parser.parse_args()
    is_sqlite = given.database == "sqlite"
    if is_sqlite and (given.without or (given.replicas or 1) > 1):
        parser.error("SQLite has one replica, and no weakness to show")
    return Options(
        seconds=given.seconds,
        kills=given.kills,
        seed=given.seed,
        database=given.database,
        replicas=1 if is_sqlite else given.replicas or default.replicas,
        clients=given.clients,
        without=given.without,
    )


def _print(report: Report) -> None:
    for violation in report.violations[:_SHOWN]:
        print(violation)
    kinds = Counter(map(_kind, report.calls))
    kills = ", ".join(f"{number} of a {name}" for name, number in report.kills.items())
    if report.violations:
        print(*report.logs, sep="\n")
    print(f"\nseed {report.options.seed}")
    print(f"calls {len(report.calls)}: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
    fates = ", ".join(f"{report.fates[fate]} {fate}" for fate in Fate)
    print(f"holds {report.fates.total()}: {fates}")
    print(f"answered at a later attempt {sum(call.attempts > 1 for call in report.calls)}")
    print(f"kills {report.kills.total()}: {kills}")
    for breach in Breach:
        print(f"{breach} {report.count(breach)}")


def _kind(call: Call) -> str:
    match call.outcome:
        case Made():
            return "made"
        case Refused(reason):
            return f"refused ({reason})"
        case outcome:
            return type(outcome).__name__.lower()


if __name__ == "__main__":
    sys.exit(main())
