"""TLS and mutual TLS between services and their clients (design.md section 6)."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from shared.errors import StartFailed
from shared.settings import Settings


class CertificatesUnusable(StartFailed):
    """A file of certificates or its key can't be read."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """A certificate chain and its private key, in PEM."""

    certificate: bytes
    key: bytes


def server_credentials(settings: Settings) -> grpc.ServerCredentials | None:
    """What a listener proves itself with; None where nothing is encrypted.

    Certificate and key are read anew whenever the files change, so that they can be renewed under a
    running service; as long as a new pair can't be read, the last one serves.

    Raises:
        CertificatesUnusable: a file can't be read.
    """
    if not settings.is_encrypted:
        return None
    files = _Files(settings)
    # Its published types don't know that None stands for "as before".
    renewed: Any = partial(_renewed, files, settings)
    return grpc.dynamic_ssl_server_credentials(
        _configuration(files.pair(), _authority(settings)),
        renewed,
        require_client_authentication=settings.tls_client_certificates,
    )


def channel_credentials(settings: Settings) -> grpc.ChannelCredentials | None:
    """What a client trusts, and proves itself with where that is asked for; None: nothing is.

    Raises:
        CertificatesUnusable: a file can't be read.
    """
    if not settings.is_encrypted:
        return None
    pair = _Files(settings).pair()
    return grpc.ssl_channel_credentials(
        root_certificates=_authority(settings),
        private_key=pair.key,
        certificate_chain=pair.certificate,
    )


class _Files:
    """The files of a certificate and its key, and when they were last seen to change."""

    def __init__(self, settings: Settings) -> None:
        self._paths = _required(settings.tls_certificate_file), _required(settings.tls_key_file)
        self._seen = self._versions()

    def pair(self) -> _Pair:
        return _Pair(*map(_content, self._paths))

    def changed(self) -> bool:
        """Since this was asked last."""
        before, self._seen = self._seen, self._versions()
        return self._seen != before

    def _versions(self) -> list[tuple[int, int]]:
        try:
            found = [path.stat() for path in self._paths]
        except OSError:
            # Just being replaced; `pair` says what is wrong with a file that stays away.
            return []
        return [(stat.st_mtime_ns, stat.st_ino) for stat in found]


def _renewed(files: _Files, settings: Settings) -> grpc.ServerCertificateConfiguration | None:
    """For a handshake: what has changed since the last; None leaves what there is."""
    if not files.changed():
        return None
    try:
        return _configuration(files.pair(), _authority(settings))
    except CertificatesUnusable:
        return None


def _configuration(pair: _Pair, authority: bytes) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(pair.key, pair.certificate)], authority)


def _authority(settings: Settings) -> bytes:
    return _content(_required(settings.tls_ca_file))


def _required(path: Path | None) -> Path:
    if path is None:
        raise AssertionError("encryption is on, so all its files are configured")
    return path


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificatesUnusable(f"{path} can't be read: {error.strerror}") from error
