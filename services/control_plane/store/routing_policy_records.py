"""Rows of registrations, deltas and publications as the records they hold, and back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.control_plane.delegated_rpki.publication import Publication, Roa, SignedRoa
from services.control_plane.internet_registries.delta import Delta
from services.control_plane.internet_registries.delta_json import parse_change, print_change
from services.control_plane.internet_registries.registration import (
    Registration,
    RegistrationState,
    RoutingPolicy,
)
from services.control_plane.service.routing_policy_rows import Published
from shared.cidr import Cidr

Row = Mapping[Any, Any]

_DELTA_MEMBERS = (
    "delta_id",
    "association_id",
    "made_at",
    "is_staged",
    "state",
    "state_message",
)
_PUBLICATION_MEMBERS = (
    "signed_for",
    "number",
    "manifest_serial",
    "manifest_name",
    "manifest",
    "crl_name",
    "crl",
    "this_update",
    "next_update",
)
_SIGNED_MEMBERS = ("file_name", "serial", "not_before", "not_after", "der")


def cidr_of(row: Row) -> Cidr:
    return Cidr.from_key(row["first_key"], row["prefix_length"])


def cidr_columns(cidr: Cidr) -> dict[str, Any]:
    return {"first_key": cidr.first_key, "prefix_length": cidr.prefix_length}


def registration_of(row: Row) -> Registration:
    cidr, before = cidr_of(row), row["before"]
    return _registration(cidr, row, _registration(cidr, before) if before else None)


def registration_columns(association_id: str, registration: Registration) -> dict[str, Any]:
    before = registration.before
    return {
        "association_id": association_id,
        **cidr_columns(registration.policy.cidr),
        **_values(registration),
        "before": {**_values(before), "state": before.state.value} if before else None,
    }


def delta_of(row: Row) -> Delta:
    members = {name: row[name] for name in _DELTA_MEMBERS}
    return Delta(change=parse_change(row["delta_json"]), **members)


def delta_columns(delta: Delta) -> dict[str, Any]:
    members = {name: getattr(delta, name) for name in _DELTA_MEMBERS}
    return {**members, "delta_json": print_change(delta.change)}


def published_of(row: Row, roas: Iterable[Row]) -> Published:
    publication = Publication(
        roas={roa_of(roa): _signed_of(roa) for roa in roas},
        revoked={
            int(serial): (_moment(since), _moment(end))
            for serial, (since, end) in row["revoked"].items()
        },
        **{name: row[name] for name in _PUBLICATION_MEMBERS},
    )
    return Published(publication, row["repository_uri"], row["renew_at"])


def published_columns(association_id: str, class_name: str, published: Published) -> dict[str, Any]:
    publication = published.publication
    return {
        "association_id": association_id,
        "class_name": class_name,
        "repository_uri": published.repository_uri,
        "renew_at": published.renew_at,
        "revoked": {
            str(serial): [since.isoformat(), end.isoformat()]
            for serial, (since, end) in publication.revoked.items()
        },
        **{name: getattr(publication, name) for name in _PUBLICATION_MEMBERS},
    }


def roa_of(row: Row) -> Roa:
    return Roa(cidr_of(row), row["asn"], row["max_length"])


def roa_columns(
    association_id: str, class_name: str, roa: Roa, signed: SignedRoa
) -> dict[str, Any]:
    return {
        "association_id": association_id,
        "class_name": class_name,
        **cidr_columns(roa.cidr),
        "asn": roa.asn,
        "max_length": roa.max_length,
        **{name: getattr(signed, name) for name in _SIGNED_MEMBERS},
    }


def new_session(session_id: UUID) -> dict[str, Any]:
    """Of a repository in which nothing was published yet."""
    return {"id": 1, "session_id": str(session_id), "serial": 1}


def _signed_of(row: Row) -> SignedRoa:
    return SignedRoa(**{name: row[name] for name in _SIGNED_MEMBERS})


def _registration(cidr: Cidr, values: Row, before: Registration | None = None) -> Registration:
    policy = RoutingPolicy(
        cidr=cidr,
        asns=tuple(values["asns"]),
        permits_more_specific=values["permits_more_specific"],
        max_length=values["max_length"],
        description=values["description"],
    )
    return Registration(
        policy=policy,
        state=RegistrationState(values["state"]),
        latest_delta_id=values["latest_delta_id"],
        before=before,
    )


def _values(registration: Registration) -> dict[str, Any]:
    policy = registration.policy
    return {
        "asns": list(policy.asns),
        "permits_more_specific": policy.permits_more_specific,
        "max_length": policy.max_length,
        "description": policy.description,
        "state": registration.state,
        "latest_delta_id": registration.latest_delta_id,
    }


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
