"""The keys of associations: secret, the same after a crash, and rotated without losing one."""

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.encryption_keys import EncryptionKeys, EncryptionKeysUnusable
from shared.errors import CadastreError
from shared.fail_points import FailPoint
from shared.identity import TokenSigner
from shared.persistence.database import Database
from shared.rpc.client import Remote
from tests.acceptance.installation import free_base_port
from tests.control_plane.registry_associations import HELD, Associations, id_of
from tests.control_plane.test_fail_points import let_leases_run_out
from tests.control_plane.test_secrets import NEW, OLD, contents, use
from tests.control_plane.world import Client, World, on_sqlite_alone
from tests.registries.internet_registry import InternetRegistry, ParentResponse
from tests.service_process import ServiceProcess
from tests.waiting import PATIENCE_SECONDS, eventually

_KEYS = (
    "SELECT association_id, encrypted_key FROM internet_registry_delegations UNION ALL"
    " SELECT association_id || ' ' || class_name, encrypted_key FROM rpki_authorities"
)
"""What each is bound to, and the key."""


def stored(world: World) -> dict[str, bytes]:
    """By what it is bound to, each encrypted key in the database."""
    database = Database(world.settings.database_url)
    try:
        with database.read() as connection:
            return {row[0]: bytes(row[1]) for row in connection.execute(sa.text(_KEYS))}
    finally:
        database.close()


@on_sqlite_alone
async def test_keys_are_encrypted_at_rest_and_rotated_without_losing_one(
    world: World, rir: InternetRegistry
) -> None:
    use(world, OLD)
    async with world.serving() as client:
        association_id, _ = await Associations(client).enabled(await client.create_ipam(), rir)
    before = stored(world)
    assert {name.partition(" ")[0] for name in before} == {association_id}
    plain = {
        name: EncryptionKeys([OLD]).decrypt(key, bound_to=name) for name, key in before.items()
    }
    assert len(set(plain.values())) == 2
    assert all(key.startswith(b"-----BEGIN PRIVATE KEY-----") for key in plain.values())

    use(world, NEW, OLD)
    async with world.serving() as client:
        assert len(await Associations(client).seen()) == 1
    after = stored(world)
    for name, key in after.items():
        assert EncryptionKeys([NEW]).decrypt(key, bound_to=name) == plain[name]
    use(world, NEW)
    async with world.serving() as client:
        # The key is needed to have the certificate revoked.
        await Associations(client).delete(association_id)
        await Associations(client).gone(association_id)
    assert [kind for _, kind in rir.asked] == ["list", "list", "issue", "revoke"]


@on_sqlite_alone
async def test_another_encryption_key_stops_the_start(world: World) -> None:
    use(world, OLD)
    async with world.serving() as client:
        pending = await Associations(client).pending(await client.create_ipam())
    use(world, NEW)
    with pytest.raises(EncryptionKeysUnusable, match=id_of(pending)):
        async with world.serving():
            pass


@on_sqlite_alone
async def test_no_key_is_logged_or_told(
    world: World, rir: InternetRegistry, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    use(world, OLD)
    async with world.serving() as client:
        associations = Associations(client)
        pending = await associations.pending(await client.create_ipam())
        response = rir.admit(pending.child_request_xml, HELD)
        rir.answer_with(b"no CMS")
        await associations.enable(id_of(pending), response)
        await associations.settled(id_of(pending), "enable-failed")
        rir.answer_again()
        await associations.enable(id_of(pending), response)
        told = [await associations.settled(id_of(pending), "enable-complete")]
    logged = "".join(capfd.readouterr())
    assert "EnableIpamInternetRegistryAssociation" in logged
    for text in (logged, str(told)):
        assert "PRIVATE KEY" not in text
    assert b"PRIVATE KEY" not in contents(tmp_path)


async def enable_and_die(
    world: World, point: str, association_id: str, response: ParentResponse
) -> None:
    """A control plane that dies at ``point`` is asked to enable an association."""
    own = world.settings.model_copy(update={"port": free_base_port()})
    signer = TokenSigner(own.identity_secret_path.read_bytes())
    with ServiceProcess("control_plane", own, fail_point=point).running() as victim:
        async with Remote(victim.address, signer=signer) as remote:
            await asyncio.wait_for(remote.channel.channel_ready(), PATIENCE_SECONDS)
            with suppress(CadastreError):
                await Associations(Client(remote)).enable(association_id, response)
            assert await asyncio.to_thread(victim.wait) == -signal.SIGKILL


@on_sqlite_alone
async def test_who_dies_between_certificate_and_its_safekeeping_has_its_key_still(
    world: World, rir: InternetRegistry
) -> None:  # design.md section 5
    async with world.serving() as client:
        pending = await Associations(client).pending(await client.create_ipam())
    response = rir.admit(pending.child_request_xml, HELD)
    # At the first time the key was kept, at the second a certificate is there for it.
    point = f"{FailPoint.OUTBOX_BEFORE_FINISH}:2"
    await enable_and_die(world, point, id_of(pending), response)
    assert [kind for _, kind in rir.asked] == ["list", "list", "issue"]
    lost = rir.certificate_of(response.child_handle)
    assert lost
    let_leases_run_out(world)
    async with world.serving() as client:
        associations = Associations(client)
        await associations.settled(id_of(pending), "enable-complete")
        assert await associations.cidrs(id_of(pending)) == ["192.0.2.0/24", "2001:db8::/32"]
        await associations.register(id_of(pending), "192.0.2.0/24", "64496")

        async def is_published() -> bool:
            return await associations.roas(id_of(pending)) == [("192.0.2.0/24", "64496")]

        await eventually(is_published)
    # The registry lists the certificate, and the key is there that it is for.
    assert [kind for _, kind in rir.asked[3:]] == ["list"]
    assert rir.certificate_of(response.child_handle) == lost
