"""ASN.1 of what the RPKI adds to X.509 and CMS; the fields' names are the standards'."""

from typing import ClassVar

from asn1crypto import algos, core

from shared.cidr import AddressFamily, Cidr

ADDRESS_FAMILIES = {AddressFamily.IPV4: b"\x00\x01", AddressFamily.IPV6: b"\x00\x02"}
"""How ASN.1 writes them (RFC 3779, section 2.2.3.3)."""


def digest_algorithm() -> algos.DigestAlgorithm:
    """SHA-256, written without parameters (RFC 5754, section 2)."""
    algorithm = algos.DigestAlgorithm({"algorithm": "sha256"})
    del algorithm["parameters"]
    return algorithm


def prefix_bits(cidr: Cidr) -> core.BitString:
    """The bits that all addresses of the block share."""
    return first_bits(cidr.family, cidr.first, cidr.prefix_length)


def first_bits(family: AddressFamily, address: int, length: int) -> core.BitString:
    """The address without what follows its first ``length`` bits."""
    return core.BitString(tuple(map(int, f"{address:0{family.bits}b}"[:length])))


class AddressRange(core.Sequence):
    _fields: ClassVar = [("min", core.BitString), ("max", core.BitString)]


class AddressOrRange(core.Choice):
    _alternatives: ClassVar = [("prefix", core.BitString), ("range", AddressRange)]


class AddressesOrRanges(core.SequenceOf):
    _child_spec = AddressOrRange


class AddressChoice(core.Choice):
    _alternatives: ClassVar = [("inherit", core.Null), ("ranges", AddressesOrRanges)]


class AddressesOfFamily(core.Sequence):
    _fields: ClassVar = [("address_family", core.OctetString), ("choice", AddressChoice)]


class IpAddrBlocks(core.SequenceOf):
    """RFC 3779, section 2.2.3."""

    _child_spec = AddressesOfFamily


class AsRange(core.Sequence):
    _fields: ClassVar = [("min", core.Integer), ("max", core.Integer)]


class AsIdOrRange(core.Choice):
    _alternatives: ClassVar = [("id", core.Integer), ("range", AsRange)]


class AsIdsOrRanges(core.SequenceOf):
    _child_spec = AsIdOrRange


class AsChoice(core.Choice):
    _alternatives: ClassVar = [("inherit", core.Null), ("ranges", AsIdsOrRanges)]


class AsIdentifiers(core.Sequence):
    """RFC 3779, section 3.2.3."""

    _fields: ClassVar = [
        ("asnum", AsChoice, {"explicit": 0, "optional": True}),
        ("rdi", AsChoice, {"explicit": 1, "optional": True}),
    ]


class RoaAddress(core.Sequence):
    _fields: ClassVar = [
        ("address", core.BitString),
        ("max_length", core.Integer, {"optional": True}),
    ]


class RoaAddresses(core.SequenceOf):
    _child_spec = RoaAddress


class RoaAddressFamily(core.Sequence):
    _fields: ClassVar = [("address_family", core.OctetString), ("addresses", RoaAddresses)]


class RoaAddressFamilies(core.SequenceOf):
    _child_spec = RoaAddressFamily


class RouteOriginAttestation(core.Sequence):
    """RFC 9582, section 4."""

    _fields: ClassVar = [
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("as_id", core.Integer),
        ("ip_addr_blocks", RoaAddressFamilies),
    ]


class FileAndHash(core.Sequence):
    _fields: ClassVar = [("file", core.IA5String), ("hash", core.OctetBitString)]


class FilesAndHashes(core.SequenceOf):
    _child_spec = FileAndHash


class ManifestContent(core.Sequence):
    """RFC 9286, section 4.2."""

    _fields: ClassVar = [
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("manifest_number", core.Integer),
        ("this_update", core.GeneralizedTime),
        ("next_update", core.GeneralizedTime),
        ("file_hash_alg", core.ObjectIdentifier),
        ("file_list", FilesAndHashes),
    ]
