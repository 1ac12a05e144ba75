"""Which of this context's resources have tags (`TagService`)."""

from services.discovery import tables
from shared.persistence.tagged import Tagged

TAGGED = (
    Tagged.of("ipam-prefix-list-resolver", tables.prefix_list_resolvers.c.resolver_id),
    Tagged.of("ipam-prefix-list-resolver-target", tables.prefix_list_resolver_targets.c.target_id),
)
