"""The tables of this context."""

from services.control_plane.tables.base import metadata
from services.control_plane.tables.byoip import (
    asn_associations,
    byoasns,
    byoip_cidrs,
    pool_ranges,
    verification_tokens,
)
from services.control_plane.tables.identity import (
    iam_access_keys,
    iam_accounts,
    iam_role_deletions,
    iam_service_roles,
    iam_user_policies,
    iam_users,
)
from services.control_plane.tables.internet_registries import (
    internet_registry_asn_ranges,
    internet_registry_associations,
    internet_registry_cidrs,
    internet_registry_delegations,
    rpki_authorities,
)
from services.control_plane.tables.ipam_policies import ipam_policies, ipam_policy_targets
from services.control_plane.tables.ipams import ipams, pools, scopes
from services.control_plane.tables.organizations import (
    account_creations,
    delegated_administrators,
    organization_accounts,
    organization_policies,
    organization_services,
    organizational_units,
    organizations,
    policy_attachments,
)
from services.control_plane.tables.resource_discoveries import (
    resource_discoveries,
    resource_discovery_associations,
)
from services.control_plane.tables.routing_policies import (
    routing_policy_deltas,
    routing_policy_registrations,
    rpki_publications,
    rpki_repository,
    rpki_roas,
)
from services.control_plane.tables.sharing import (
    resource_share_invitations,
    resource_share_principals,
    resource_share_resources,
    resource_shares,
)
from shared.persistence.audit_trail import audit_table
from shared.persistence.client_tokens import client_token_table
from shared.persistence.outbox import outbox_table

__all__ = [
    "account_creations",
    "asn_associations",
    "audit_events",
    "byoasns",
    "byoip_cidrs",
    "client_tokens",
    "delegated_administrators",
    "iam_access_keys",
    "iam_accounts",
    "iam_role_deletions",
    "iam_service_roles",
    "iam_user_policies",
    "iam_users",
    "internet_registry_asn_ranges",
    "internet_registry_associations",
    "internet_registry_cidrs",
    "internet_registry_delegations",
    "ipam_policies",
    "ipam_policy_targets",
    "ipams",
    "metadata",
    "organization_accounts",
    "organization_policies",
    "organization_services",
    "organizational_units",
    "organizations",
    "outbox",
    "policy_attachments",
    "pool_ranges",
    "pools",
    "resource_discoveries",
    "resource_discovery_associations",
    "resource_share_invitations",
    "resource_share_principals",
    "resource_share_resources",
    "resource_shares",
    "routing_policy_deltas",
    "routing_policy_registrations",
    "rpki_authorities",
    "rpki_publications",
    "rpki_repository",
    "rpki_roas",
    "scopes",
    "verification_tokens",
]

audit_events = audit_table(metadata)
client_tokens = client_token_table(metadata)
outbox = outbox_table(metadata)
