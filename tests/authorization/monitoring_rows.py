"""What IPAMs monitor and resource discoveries find (ORG-4, DISC-4, MON-5, HIST-1)."""

from collections.abc import Callable
from functools import partial

from tests.authorization.callers import ADMINISTRATOR, DISCOVERER, HOME
from tests.authorization.row import ALLOWED, HIDDEN, ITS_ALONE, Members, Row, outcomes
from tests.authorization.services import MONITORING
from tests.authorization.things import Things

_DISCOVERY_SEEN = outcomes(HIDDEN, {ADMINISTRATOR: ALLOWED, DISCOVERER: ALLOWED})
_REGION_MEMBERS = {
    "GetIpamDiscoveredAccounts": "discovery_region",
    "GetIpamDiscoveredPublicAddresses": "address_region",
    "GetIpamDiscoveredResourceCidrs": "resource_region",
    "GetIpamDiscoveredRoutes": "resource_region",
}
# Nobody has it: that it isn't there is told to whom the scope is.
_NO_VPCS_CIDR = {
    "resource_id": "vpc-0123456789abcdef0",
    "resource_cidr": "192.0.2.0/24",
    "resource_region": HOME,
    "monitored": True,
}

# Discovery goes on meanwhile.
_monitoring = partial(Row, MONITORING, is_about_owners=True, is_steady=False)


def _looking_through(region: str, id_of: Callable[[Things], str]) -> Members:
    return lambda it: {"ipam_resource_discovery_id": id_of(it), region: HOME}


ROWS = [
    _monitoring(
        "GetIpamResourceCidrs",
        ITS_ALONE,
        lambda it: {"ipam_scope_id": it.ipam_scope_id},
    ),
    _monitoring(
        "GetIpamAddressHistory",
        ITS_ALONE,
        lambda it: {"ipam_scope_id": it.ipam_scope_id, "cidr": "10.1.1.0/24"},
    ),
    _monitoring(
        "ModifyIpamResourceCidr",
        outcomes(HIDDEN, {ADMINISTRATOR: "InvalidParameterValue"}),
        lambda it: {"current_ipam_scope_id": it.ipam_scope_id, **_NO_VPCS_CIDR},
    ),
    _monitoring(
        "ModifyIpamResourceCidr",
        outcomes(HIDDEN, {ADMINISTRATOR: "InvalidParameterValue"}),
        lambda it: {
            "current_ipam_scope_id": it.own.ipam_scope_id,
            "destination_ipam_scope_id": it.ipam_scope_id,
            **_NO_VPCS_CIDR,
        },
        note="to another's scope",
    ),
    *(
        row
        for rpc, region in _REGION_MEMBERS.items()
        for row in (
            _monitoring(
                rpc,
                _DISCOVERY_SEEN,
                _looking_through(region, lambda it: it.resource_discovery_id),
                are_shown_all=frozenset({DISCOVERER}),
            ),
            _monitoring(
                rpc,
                ITS_ALONE,
                _looking_through(region, lambda it: it.default_resource_discovery_id),
                note="not shared",
            ),
        )
    ),
]
