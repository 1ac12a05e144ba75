"""Which of this context's resources have tags (`TagService`)."""

import sqlalchemy as sa

from services.control_plane import tables
from services.control_plane.store.rows import is_pool_in
from shared.caller import Caller
from shared.persistence.tagged import Tagged

_OF_IPAM = "ipam_region"


def _is_pool_of(caller: Caller) -> sa.ColumnElement[bool]:
    """In their locale, too, as pools are listed; of what is shared, tags are the owner's alone."""
    return sa.and_(tables.pools.c.owner_id == caller.account_id, is_pool_in(caller.region))


TAGGED = (
    Tagged.of("ipam", tables.ipams.c.ipam_id),
    Tagged.of("ipam-scope", tables.scopes.c.ipam_scope_id, region=_OF_IPAM),
    Tagged("ipam-pool", tables.pools.c.ipam_pool_id, _is_pool_of),
    Tagged.of("ipam-resource-discovery", tables.resource_discoveries.c.ipam_resource_discovery_id),
    Tagged.of(
        "ipam-resource-discovery-association",
        tables.resource_discovery_associations.c.ipam_resource_discovery_association_id,
        region=_OF_IPAM,
    ),
    Tagged.of(
        "ipam-external-resource-verification-token",
        tables.verification_tokens.c.ipam_external_resource_verification_token_id,
        region=_OF_IPAM,
    ),
    Tagged.of("ipam-policy", tables.ipam_policies.c.ipam_policy_id, region=_OF_IPAM),
    Tagged.of(
        "ipam-internet-registry-association",
        tables.internet_registry_associations.c.ipam_internet_registry_association_id,
        region=_OF_IPAM,
    ),
)
