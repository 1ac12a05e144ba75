"""Which of this context's resources can have tags."""

from collections.abc import Sequence

import sqlalchemy as sa

from services.control_plane import tables
from shared.caller import Caller
from shared.persistence.tagged import Tagged

TAGGABLE: Sequence[tuple[str, sa.Column[str], sa.Column[str]]] = (
    ("ipam", tables.ipams.c.ipam_id, tables.ipams.c.region),
    ("ipam-scope", tables.scopes.c.ipam_scope_id, tables.scopes.c.ipam_region),
    ("ipam-pool", tables.pools.c.ipam_pool_id, tables.pools.c.ipam_region),
    (
        "ipam-resource-discovery",
        tables.resource_discoveries.c.ipam_resource_discovery_id,
        tables.resource_discoveries.c.region,
    ),
    (
        "ipam-resource-discovery-association",
        tables.resource_discovery_associations.c.ipam_resource_discovery_association_id,
        tables.resource_discovery_associations.c.ipam_region,
    ),
    (
        "ipam-external-resource-verification-token",
        tables.verification_tokens.c.ipam_external_resource_verification_token_id,
        tables.verification_tokens.c.ipam_region,
    ),
    ("ipam-policy", tables.ipam_policies.c.ipam_policy_id, tables.ipam_policies.c.ipam_region),
    (
        "ipam-internet-registry-association",
        tables.internet_registry_associations.c.ipam_internet_registry_association_id,
        tables.internet_registry_associations.c.ipam_region,
    ),
)
"""AWS's name of the type, its id, and the region where its owner sets and removes the tags."""


def is_pool_in(region: str) -> sa.ColumnElement[bool]:
    """The region is the home of the pool's IPAM, or the pool's locale or what that lies in."""
    return sa.or_(
        tables.pools.c.ipam_region == region,
        tables.pools.c.locale == region,
        # A local zone's border group is named after the region it lies in.
        tables.pools.c.locale.startswith(f"{region}-", autoescape=True),
    )


def _is_pool_of(caller: Caller) -> sa.ColumnElement[bool]:
    """In their locale, too, as pools are listed; of what is shared, tags are the owner's alone."""
    return sa.and_(tables.pools.c.owner_id == caller.account_id, is_pool_in(caller.region))


def _tagged(resource_type: str, id_column: sa.Column[str], region: sa.Column[str]) -> Tagged:
    if id_column is tables.pools.c.ipam_pool_id:
        return Tagged(resource_type, id_column, _is_pool_of)
    return Tagged.of(resource_type, id_column, region=region.name)


TAGGED = [_tagged(*kind) for kind in TAGGABLE]
"""What `TagService` lists, in this order."""
