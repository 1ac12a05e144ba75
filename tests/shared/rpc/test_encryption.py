"""TLS and mutual TLS by configuration (design.md section 6)."""

import socket
import ssl
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509
from pydantic import ValidationError

from cadastre.network.v1 import network_service_pb2 as network_pb
from cadastre.network.v1 import network_service_pb2_grpc as network_grpc
from shared.errors import ServiceUnavailable
from shared.identity import TokenSigner
from shared.rpc.client import Remote
from shared.rpc.encryption import CertificatesUnusable
from shared.rpc.server import Build, running
from shared.settings import Settings
from tests.shared.rpc.certificates import LOOPBACK, Authority, Issued
from tests.shared.rpc.conftest import USER, Serve


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


def encrypted(settings: Settings, authority: Authority, own: Issued, **others: Any) -> Settings:
    return settings.model_copy(
        update={
            "tls_certificate_file": own.certificate,
            "tls_key_file": own.key,
            "tls_ca_file": authority.certificate,
            **others,
        }
    )


async def described(settings: Settings, signer: TokenSigner, port: int) -> str:
    """Whose VPCs a service tells that is called as the settings say."""
    there = settings.model_copy(update={"addresses": {"network": f"{LOOPBACK}:{port}"}})
    async with Remote.to("network", there, signer) as remote:
        stub = network_grpc.NetworkServiceStub(remote.channel)
        answer = await remote.call(stub.DescribeVpcs, network_pb.DescribeVpcsRequest(), caller=USER)
    owner: str = answer.vpcs[0].owner_id
    return owner


async def test_services_that_trust_one_authority_speak_through_tls(
    serve: Serve, settings: Settings, signer: TokenSigner, build: Build, authority: Authority
) -> None:
    tls = encrypted(settings, authority, authority.issue("service"))
    async with serve("network", build, tls) as server:
        assert await described(tls, signer, server.port) == USER.account_id


async def test_who_speaks_in_the_clear_is_not_heard(
    serve: Serve, settings: Settings, signer: TokenSigner, build: Build, authority: Authority
) -> None:
    tls = encrypted(settings, authority, authority.issue("service"))
    async with serve("network", build, tls) as server:
        with pytest.raises(ServiceUnavailable):
            await described(settings, signer, server.port)


async def test_a_service_of_another_authority_is_not_spoken_to(
    settings: Settings, signer: TokenSigner, build: Build, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    theirs = encrypted(settings, stranger, stranger.issue("impostor"))
    ours = encrypted(settings, authority, authority.issue("service"))
    async with running("network", build, theirs) as server:
        with pytest.raises(ServiceUnavailable):
            await described(ours, signer, server.port)


async def test_mutual_tls_lets_only_clients_in_that_show_a_certificate(
    serve: Serve, settings: Settings, signer: TokenSigner, build: Build, authority: Authority
) -> None:
    own = authority.issue("service")
    mutual = encrypted(settings, authority, own, tls_client_certificates=True)
    async with serve("network", build, mutual) as server:
        assert await described(mutual, signer, server.port) == USER.account_id
        bare = grpc.ssl_channel_credentials(authority.certificate.read_bytes())
        async with Remote(server.address, signer=signer, credentials=bare) as remote:
            stub = network_grpc.NetworkServiceStub(remote.channel)
            with pytest.raises(ServiceUnavailable):
                await remote.call(stub.DescribeVpcs, network_pb.DescribeVpcsRequest(), caller=USER)


async def test_mutual_tls_trusts_no_other_authority(
    settings: Settings, signer: TokenSigner, build: Build, authority: Authority, tmp_path: Path
) -> None:
    own = authority.issue("service")
    mutual = encrypted(settings, authority, own, tls_client_certificates=True)
    stranger = Authority(tmp_path, "stranger").issue("client")
    theirs = encrypted(settings, authority, stranger)
    async with running("network", build, mutual) as server:
        with pytest.raises(ServiceUnavailable):
            await described(theirs, signer, server.port)


async def test_a_renewed_certificate_is_shown_without_a_restart(
    serve: Serve, settings: Settings, signer: TokenSigner, build: Build, authority: Authority
) -> None:
    tls = encrypted(settings, authority, authority.issue("service"))
    async with serve("network", build, tls) as server:
        before = shown_certificate(server.port)
        authority.issue("service")
        after = shown_certificate(server.port)
        assert await described(tls, signer, server.port) == USER.account_id
    assert before.serial_number != after.serial_number


async def test_a_certificate_that_cannot_be_read_leaves_the_last_one_in_use(
    settings: Settings, signer: TokenSigner, build: Build, authority: Authority
) -> None:
    own = authority.issue("service")
    tls = encrypted(settings, authority, own)
    async with running("network", build, tls) as server:
        before = shown_certificate(server.port)
        own.certificate.rename(own.certificate.with_suffix(".away"))
        assert shown_certificate(server.port) == before


async def test_a_service_does_not_start_without_its_certificate(
    settings: Settings, build: Build, authority: Authority
) -> None:
    own = authority.issue("service")
    own.key.unlink()
    with pytest.raises(CertificatesUnusable, match="service.key can't be read"):
        async with running("network", build, encrypted(settings, authority, own)):
            pass


@pytest.mark.parametrize(
    "given",
    [
        {"tls_certificate_file": "a"},
        {"tls_key_file": "a", "tls_ca_file": "b"},
        {"tls_client_certificates": True},
    ],
)
def test_half_a_configuration_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="CADASTRE_TLS_CERTIFICATE_FILE|CADASTRE_TLS_CLIENT"):
        Settings(**given)


def shown_certificate(port: int) -> x509.Certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Looked at, not trusted.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((LOOPBACK, port)) as plain,
        context.wrap_socket(plain) as encrypted_socket,
    ):
        shown = encrypted_socket.getpeercert(binary_form=True)
    assert shown
    return x509.load_der_x509_certificate(shown)
