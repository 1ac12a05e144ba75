"""What keeps access keys' secrets secret: encryption at rest, and silence about them."""

import base64
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.encryption_keys import EncryptionKeys, EncryptionKeysUnusable
from shared.persistence.database import Database
from tests.control_plane.test_users import Followed, key_of, refused, user
from tests.control_plane.world import ACCOUNT, AUTHORIZATION, IAM, World, on_sqlite_alone

OLD, NEW = b"o" * 32, b"n" * 32


def use(world: World, *keys: bytes) -> None:
    lines = [base64.b64encode(key).decode() for key in keys]
    world.settings.encryption_key_path.write_text("\n".join(lines))


def stored(world: World) -> list[tuple[str, bytes]]:
    """The access keys in the database: ids and encrypted secrets."""
    database = Database(world.settings.database_url)
    try:
        with database.read() as connection:
            query = sa.text("SELECT access_key_id, encrypted_secret FROM iam_access_keys")
            return [(row[0], bytes(row[1])) for row in connection.execute(query)]
    finally:
        database.close()


def contents(folder: Path) -> bytes:
    """Of the database's files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*.db*"))


async def made_key(world: World) -> tuple[str, str]:
    """A new user's key: its id and its secret."""
    async with world.serving() as control:
        await user(control)
        key = await key_of(control)
    return key.access_key_id, key.secret_access_key


async def told_secret(world: World) -> str:
    async with world.serving() as control:
        told = await Followed(control.stream_of(AUTHORIZATION, "WatchUsers")).up_to_synced()
    secret: str = told[ACCOUNT].users[0].access_keys[0].secret_access_key
    return secret


async def test_secrets_are_encrypted_at_rest(world: World) -> None:
    use(world, OLD)
    key_id, secret = await made_key(world)
    [(stored_id, encrypted)] = stored(world)
    assert stored_id == key_id
    assert secret.encode() not in encrypted
    assert EncryptionKeys([OLD]).decrypt(encrypted, bound_to=key_id) == secret.encode()


async def test_the_encryption_key_is_rotated_without_losing_an_access_key(world: World) -> None:
    use(world, OLD)
    key_id, secret = await made_key(world)
    use(world, NEW, OLD)
    assert await told_secret(world) == secret
    [(_, encrypted)] = stored(world)
    assert EncryptionKeys([NEW]).decrypt(encrypted, bound_to=key_id) == secret.encode()
    use(world, NEW)
    assert await told_secret(world) == secret


@on_sqlite_alone
async def test_another_encryption_key_stops_the_start(world: World) -> None:
    use(world, OLD)
    key_id, _ = await made_key(world)
    use(world, NEW)
    with pytest.raises(EncryptionKeysUnusable, match=key_id):
        await told_secret(world)


@on_sqlite_alone
async def test_no_secret_is_logged_or_told_twice(
    world: World, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    use(world, OLD)
    async with world.serving() as control:
        await user(control)
        key = await key_of(control)
        told = [
            await control.of(IAM, "ListAccessKeys", user_name="alice"),
            await control.of(IAM, "GetUser", user_name="alice"),
            await refused(control.of(IAM, "DeleteUser", user_name="alice")),
            await refused(key_of(control, "nobody")),
        ]
        await Followed(control.stream_of(AUTHORIZATION, "WatchUsers")).up_to_synced()
    logged = "".join(capfd.readouterr())
    assert "CreateAccessKey" in logged
    for text in (logged, str(told)):
        assert key.secret_access_key not in text
        assert base64.b64encode(OLD).decode() not in text
    files = contents(tmp_path)
    assert key.access_key_id.encode() in files
    assert key.secret_access_key.encode() not in files
