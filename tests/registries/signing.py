"""Keys, certificates, signatures and RDAP records as the guide has them made."""

import base64
import ipaddress
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

_A_DAY = timedelta(days=1)


def rsa_key(bits: int = 2048) -> RSAPrivateKey:
    """A new key."""
    return generate_private_key(public_exponent=65537, key_size=bits)


def certificate(
    key: RSAPrivateKey | EllipticCurvePrivateKey,
    *,
    first: datetime | None = None,
    last: datetime | None = None,
) -> str:
    """A self-signed certificate in PEM, valid for a year unless told otherwise."""
    first = first or datetime.now(UTC) - _A_DAY
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "example.com")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(first)
        .not_valid_after(last or first + 365 * _A_DAY)
        .sign(key, SHA256())
    )
    return signed.public_bytes(Encoding.PEM).decode()


def authorization_message(
    account_id: str, subject: object, last_day: datetime | None = None
) -> str:
    """The message for a CIDR or an ASN; it counts for a month unless told otherwise."""
    last_day = last_day or datetime.now(UTC) + 30 * _A_DAY
    return f"1|aws|{account_id}|{subject}|{last_day:%Y%m%d}|SHA256|RSAPSS"


def sign(key: RSAPrivateKey, message: str) -> str:
    """The signature as the guide's command line prints it."""
    return written(key.sign(message.encode(), PSS(MGF1(SHA256()), PSS.DIGEST_LENGTH), SHA256()))


def written(signature: bytes) -> str:
    """A signature's bytes as ``openssl base64 | tr -- '+=/' '-_~' | tr -d "\\n"`` writes them."""
    return base64.b64encode(signature).decode().translate(str.maketrans("+=/", "-_~"))


def sign_by_openssl(key_file: Path, message: str) -> str:
    """The guide's command line itself."""
    command = (
        'echo -n "$text_message" | openssl dgst -sha256 -sigopt rsa_padding_mode:pss'
        ' -sigopt rsa_pss_saltlen:-1 -sign "$key_file" -keyform PEM | openssl base64'
        " | tr -- '+=/' '-_~' | tr -d \"\\n\""
    )
    environment = {"text_message": message, "key_file": str(key_file), "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        ["bash", "-c", command], env=environment, check=True, capture_output=True, text=True
    ).stdout


def write_key(key: RSAPrivateKey, path: Path) -> Path:
    """Write the key as PEM; the path itself."""
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def one_line(pem: str) -> str:
    """A certificate as the guide wants it in a record: in one long line."""
    return pem.replace("\n", "")


def network_record(cidr: str, *remarks: str | Sequence[str]) -> dict[str, Any]:
    """A registry's record of exactly this range, with remarks of a line or several."""
    network = ipaddress.ip_network(cidr)
    return {
        "objectClassName": "ip network",
        "handle": "NET-1",
        "startAddress": str(network[0]),
        "endAddress": str(network[-1]),
        "ipVersion": f"v{network.version}",
        "remarks": _remarks(remarks),
    }


def autnum_record(asn: int, *remarks: str | Sequence[str]) -> dict[str, Any]:
    """A registry's record of exactly this ASN, with remarks of a line or several."""
    return {
        "objectClassName": "autnum",
        "handle": f"AS{asn}",
        "startAutnum": asn,
        "endAutnum": asn,
        "remarks": _remarks(remarks),
    }


def _remarks(remarks: Sequence[str | Sequence[str]]) -> list[Mapping[str, Any]]:
    return [
        {"description": [remark] if isinstance(remark, str) else list(remark)} for remark in remarks
    ]
