"""A worker that dies at its first step: ``python -m ... <database url> <point> <file>``."""

import asyncio
import os
import sys
from pathlib import Path

from sqlalchemy import Connection

from shared.persistence.database import Database
from shared.persistence.outbox import Finish, Outbox, Step
from tests.shared.persistence.books import note, outbox

EXIT_CODE = 9


def main(url: str, point: str, remote: Path) -> None:
    async def handle(step: Step) -> Finish:
        await asyncio.to_thread(remote.write_text, "done")
        if point == "before its change":
            os._exit(EXIT_CODE)
        return finish

    def finish(connection: Connection) -> None:
        note(connection, "by the one that died")
        os._exit(EXIT_CODE)

    asyncio.run(Outbox(Database(url), outbox, {"note": handle}).run())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
