"""Addresses and AS numbers in certificates (RFC 3779)."""

from typing import Any

from asn1crypto import core
from cryptography import x509

from services.control_plane.delegated_rpki.resources import Range, Resources, blocks
from services.control_plane.delegated_rpki.syntax import (
    ADDRESS_FAMILIES,
    AddressOrRange,
    AsIdentifiers,
    AsIdOrRange,
    IpAddrBlocks,
    first_bits,
    prefix_bits,
)
from shared.cidr import AddressFamily

_IP_ADDRESSES = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.7")
_AS_NUMBERS = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.8")


def extensions_of(resources: Resources) -> list[x509.UnrecognizedExtension]:
    """What a certificate says when it has these; both extensions are critical."""
    extensions = []
    if families := [
        {
            "address_family": ADDRESS_FAMILIES[family],
            "choice": ("ranges", [_written(family, part) for part in resources.ranges(family)]),
        }
        for family in AddressFamily
        if resources.ranges(family)
    ]:
        extensions.append(_extension(_IP_ADDRESSES, IpAddrBlocks(families)))
    if resources.asn_ranges:
        asns = [_written_asns(part) for part in resources.asn_ranges]
        extensions.append(_extension(_AS_NUMBERS, AsIdentifiers({"asnum": ("ranges", asns)})))
    return extensions


def inheriting_extensions() -> list[x509.UnrecognizedExtension]:
    """What a certificate says when it has all that its issuer has."""
    families = [
        {"address_family": written, "choice": ("inherit", core.Null())}
        for written in ADDRESS_FAMILIES.values()
    ]
    return [
        _extension(_IP_ADDRESSES, IpAddrBlocks(families)),
        _extension(_AS_NUMBERS, AsIdentifiers({"asnum": ("inherit", core.Null())})),
    ]


def resources_of(certificate: x509.Certificate) -> Resources:
    """What a certificate has.

    Raises:
        ValueError: it does not say that itself, or not rightly.
    """
    found: dict[str, list[Range]] = {}
    for extension in certificate.extensions:
        value = extension.value
        if isinstance(value, x509.UnrecognizedExtension):
            if value.oid == _IP_ADDRESSES:
                found |= _addresses(IpAddrBlocks.load(value.value, strict=True))
            elif value.oid == _AS_NUMBERS:
                choice = AsIdentifiers.load(value.value, strict=True)["asnum"]
                found["asns"] = [_read_asns(part.chosen) for part in _chosen(choice)]
    return Resources.of_ranges(**found)


def _addresses(families: Any) -> dict[str, list[Range]]:
    by_key = {key: family for family, key in ADDRESS_FAMILIES.items()}
    found = {}
    for part in families:
        # A subsequent address family is a third byte, and the RPKI has none (RFC 6487, 4.8.10).
        family = by_key.get(part["address_family"].native)
        if family is None:
            raise ValueError("the certificate has addresses of an unknown family")
        found[family.value] = [_read(family, entry) for entry in _chosen(part["choice"])]
    return found


def _chosen(choice: Any) -> Any:
    if not isinstance(choice, core.Choice):
        return []
    if choice.name == "inherit":
        raise ValueError("the certificate has what its issuer has, and does not say what")
    return choice.chosen


def _written(family: AddressFamily, part: Range) -> AddressOrRange:
    """A range as DER has it: as a prefix when it is one (RFC 3779, section 2.2.3)."""
    cidrs = list(blocks(family, part))
    if len(cidrs) == 1:
        return AddressOrRange("prefix", prefix_bits(cidrs[0]))
    first, last = part
    # Zeros at the end of the first address, and ones at the end of the last, are left out.
    zeros = (first & -first).bit_length() - 1 if first else family.bits
    ones = (~last & (last + 1)).bit_length() - 1
    bounds = {
        "min": first_bits(family, first, family.bits - zeros),
        "max": first_bits(family, last, family.bits - ones),
    }
    return AddressOrRange("range", bounds)


def _read(family: AddressFamily, entry: Any) -> Range:
    if entry.name == "prefix":
        return _bound(family, entry.chosen, "0"), _bound(family, entry.chosen, "1")
    return _bound(family, entry.chosen["min"], "0"), _bound(family, entry.chosen["max"], "1")


def _bound(family: AddressFamily, bits: Any, rest: str) -> int:
    digits = "".join(map(str, bits.native))
    if len(digits) > family.bits:
        raise ValueError(f"the certificate has an address of more than {family.bits} bits")
    return int(digits.ljust(family.bits, rest), 2)


def _written_asns(part: Range) -> AsIdOrRange:
    first, last = part
    if first == last:
        return AsIdOrRange("id", first)
    return AsIdOrRange("range", {"min": first, "max": last})


def _read_asns(entry: Any) -> Range:
    if isinstance(entry, core.Integer):
        return entry.native, entry.native
    return entry["min"].native, entry["max"].native


def _extension(oid: x509.ObjectIdentifier, value: core.Asn1Value) -> x509.UnrecognizedExtension:
    return x509.UnrecognizedExtension(oid, value.dump())
