"""Which of this context's resources have tags (`TagService`)."""

from datetime import UTC, datetime

import sqlalchemy as sa

from services.network import tables
from services.network.instance import SHOWN_AFTER_TERMINATION
from services.network.store.public_ipv4_pools import is_pool_seen
from services.network.store.reading import is_callers
from services.network.vpc_defaults import DefaultKind
from shared.caller import Caller
from shared.persistence.tagged import Tagged


def _is_described(caller: Caller) -> sa.ColumnElement[bool]:
    """Instances that were terminated long ago are described no more, though rows may be there."""
    terminated_at = tables.instances.c.terminated_at
    is_late = terminated_at > datetime.now(UTC) - SHOWN_AFTER_TERMINATION
    return sa.and_(*is_callers(tables.instances, caller), sa.or_(terminated_at.is_(None), is_late))


TAGGED = (
    Tagged.of("vpc", tables.vpcs.c.vpc_id),
    *(
        Tagged.of(kind.value, tables.vpc_defaults.c.resource_id, kind=kind.value)
        for kind in DefaultKind
    ),
    Tagged.of("subnet", tables.subnets.c.subnet_id),
    Tagged.of("network-interface", tables.network_interfaces.c.network_interface_id),
    Tagged("instance", tables.instances.c.instance_id, _is_described),
    Tagged.of("elastic-ip", tables.addresses.c.allocation_id),
    Tagged("ipv4pool-ec2", tables.public_ipv4_pools.c.pool_id, is_pool_seen),
    Tagged.of("prefix-list", tables.prefix_lists.c.prefix_list_id),
)
