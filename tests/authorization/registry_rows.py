"""Internet registries, registrations and routes: the IPAM's owner's alone (BEY-12)."""

from datetime import UTC, datetime
from functools import cache, partial
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from tests.authorization.callers import ADMINISTRATOR
from tests.authorization.registry_things import REGISTERED_CIDR
from tests.authorization.row import HIDDEN, ITS_ALONE, SHOWN_TO_IT_ALONE, Row, outcomes
from tests.authorization.services import REGISTRIES, ROUTE_PROTECTION, ROUTING_POLICIES
from tests.authorization.things import Things

_registry = partial(Row, REGISTRIES, is_about_owners=True)
_routing = partial(Row, ROUTING_POLICIES, is_about_owners=True)


def _named(it: Things) -> dict[str, Any]:
    return {"ipam_internet_registry_association_id": it.registry_association_id}


def _parent_response(it: Things) -> dict[str, Any]:
    return {
        **_named(it),
        "rpki_version": "1",
        "service_uri": "https://rpki.ripe.net/updown",
        "child_handle": "child",
        "parent_handle": "parent",
        "parent_bpki_ta": _trust_anchor(),
    }


@cache
def _trust_anchor() -> str:
    certificate = BpkiIdentity.new("parent", datetime.now(UTC)).certificate
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM).decode()


ROWS = [
    _registry(
        "CreateIpamInternetRegistryAssociation",
        ITS_ALONE,
        lambda it: {
            "ipam_id": it.ipam_id,
            "rir": "RIR_ARIN",
            "organization_handle": "ANOTHER",
        },
    ),
    _registry(
        "DescribeIpamInternetRegistryAssociations",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.registry_association_id,
    ),
    _registry(
        "DescribeIpamInternetRegistryAssociations",
        ITS_ALONE,
        lambda it: {"ipam_internet_registry_association_ids": [it.registry_association_id]},
    ),
    _registry("EnableIpamInternetRegistryAssociation", ITS_ALONE, _parent_response),
    # Registrations stand in the way.
    _registry(
        "DeleteIpamInternetRegistryAssociation",
        outcomes(HIDDEN, {ADMINISTRATOR: "DependencyViolation"}),
        _named,
    ),
    _registry("GetIpamInternetRegistryAssociationAsns", ITS_ALONE, _named),
    _registry("GetIpamInternetRegistryAssociationCidrs", ITS_ALONE, _named),
    _registry("GetIpamRouteOriginAuthorizations", ITS_ALONE, _named),
    _routing(
        "CreateIpamRoutingPolicyRegistration",
        ITS_ALONE,
        lambda it: {**_named(it), "cidr": "198.19.0.0/16", "asns": ["64496"]},
    ),
    _routing(
        "ModifyIpamRoutingPolicyRegistration",
        ITS_ALONE,
        lambda it: {**_named(it), "cidr": REGISTERED_CIDR, "asns": ["64497"]},
    ),
    _routing(
        "DeleteIpamRoutingPolicyRegistration",
        ITS_ALONE,
        lambda it: {**_named(it), "cidr": REGISTERED_CIDR},
    ),
    _routing(
        "BatchModifyIpamRoutingPolicyRegistrations",
        ITS_ALONE,
        lambda it: {
            **_named(it),
            "delta_json": '{"Add": [{"prefix": "198.19.0.0/16", "asns": ["64496"]}]}',
        },
    ),
    _routing("GetIpamRoutingPolicyRegistrations", ITS_ALONE, _named),
    _routing("GetIpamRoutingPolicyRegistrationDeltas", ITS_ALONE, _named),
    Row(
        ROUTE_PROTECTION,
        "GetIpamRouteProtectionFindings",
        ITS_ALONE,
        lambda it: {"ipam_id": it.ipam_id},
        is_about_owners=True,
    ),
]
