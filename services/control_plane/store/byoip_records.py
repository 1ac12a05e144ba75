"""Rows of what was brought along as the records they hold, and back."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from services.control_plane.byoip.asn_association import AsnAssociation
from services.control_plane.byoip.byoasn import Byoasn
from services.control_plane.byoip.byoip_cidr import BroughtAlone, ByoipCidr, InPool
from services.control_plane.byoip.token import VerificationToken
from services.control_plane.verification.claim import SignedMessage
from shared.cidr import Cidr

Row = Mapping[Any, Any]

_HOLDING = {"holder", "cidr", "asn_associations"}
_CIDR_MEMBERS = [field.name for field in fields(ByoipCidr) if field.name not in _HOLDING]
_IN_POOL_MEMBERS = [field.name for field in fields(InPool)]
_ALONE_MEMBERS = [field.name for field in fields(BroughtAlone) if field.name != "proof"]
_PROOF_MEMBERS = [field.name for field in fields(SignedMessage)]


def token_columns(token: VerificationToken) -> dict[str, Any]:
    return _values(token, [field.name for field in fields(VerificationToken)])


def byoasn_of(row: Row) -> Byoasn:
    values = dict(row)
    proof = SignedMessage(**{name: values.pop(name) for name in _PROOF_MEMBERS})
    return Byoasn(proof=proof, **values)


def byoasn_columns(byoasn: Byoasn) -> dict[str, Any]:
    names = [field.name for field in fields(Byoasn) if field.name != "proof"]
    return _values(byoasn, names) | _values(byoasn.proof, _PROOF_MEMBERS)


def cidr_of(row: Row, associations: Iterable[AsnAssociation]) -> ByoipCidr:
    return ByoipCidr(
        cidr=Cidr.parse(row["cidr"]),
        holder=_holder_of(row),
        asn_associations=tuple(associations),
        **{name: row[name] for name in _CIDR_MEMBERS},
    )


def cidr_columns(cidr: ByoipCidr) -> dict[str, Any]:
    holder = cidr.holder
    if isinstance(holder, InPool):
        held = _values(holder, _IN_POOL_MEMBERS)
    else:
        held = _values(holder, _ALONE_MEMBERS) | _values(holder.proof, _PROOF_MEMBERS)
    return _values(cidr, _CIDR_MEMBERS) | held | {"cidr": str(cidr.cidr)}


def _holder_of(row: Row) -> InPool | BroughtAlone:
    if row["ipam_pool_cidr_id"]:
        return InPool(**{name: row[name] for name in _IN_POOL_MEMBERS})
    proof = SignedMessage(**{name: row[name] for name in _PROOF_MEMBERS})
    return BroughtAlone(proof=proof, **{name: row[name] for name in _ALONE_MEMBERS})


def _values(record: object, names: Iterable[str]) -> dict[str, Any]:
    return {name: getattr(record, name) for name in names}
