"""A small database that shows what was committed."""

import sqlalchemy as sa
from sqlalchemy import Connection

from shared.persistence.client_tokens import client_token_table
from shared.persistence.database import Database
from shared.persistence.outbox import outbox_table

metadata = sa.MetaData()
notes = sa.Table(
    "notes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.String, nullable=False),
)
outbox = outbox_table(metadata)
client_tokens = client_token_table(metadata)


class Books:
    """Notes, in the order they were committed in."""

    def __init__(self, database: Database, *, create: bool) -> None:
        self.database = database
        if create:
            metadata.create_all(database.engine)

    def write(self, text: str) -> None:
        with self.database.write() as connection:
            note(connection, text)

    @property
    def texts(self) -> list[str]:
        with self.database.read() as connection:
            return texts(connection)


def note(connection: Connection, text: str) -> None:
    connection.execute(sa.insert(notes).values(text=text))


def texts(connection: Connection) -> list[str]:
    return list(connection.scalars(sa.select(notes.c.text).order_by(notes.c.id)))
