"""Resource discoveries, and the IPAMs that see through them."""

import sqlalchemy as sa

from services.control_plane.lifecycle import State
from services.control_plane.resource_discoveries.association import AssociationState
from services.control_plane.tables.base import OneOf, metadata, sequence

resource_discoveries = sa.Table(
    "ipam_resource_discoveries",
    metadata,
    sequence(),
    sa.Column("ipam_resource_discovery_id", sa.String(64), nullable=False, unique=True),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("region", sa.String(64), nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("description", sa.String(255)),
    sa.Column("operating_regions", sa.JSON, nullable=False),
    sa.Column("exclusions", sa.JSON, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("state", OneOf(State), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Index("ix_ipam_resource_discoveries_owner_id_sequence", "owner_id", "sequence"),
)
sa.Index(
    "one_own_resource_discovery_per_account_and_region",
    resource_discoveries.c.owner_id,
    resource_discoveries.c.region,
    unique=True,
    postgresql_where=sa.not_(resource_discoveries.c.is_default),
    sqlite_where=sa.not_(resource_discoveries.c.is_default),
)

resource_discovery_associations = sa.Table(
    "ipam_resource_discovery_associations",
    metadata,
    sequence(),
    sa.Column("ipam_resource_discovery_association_id", sa.String(64), nullable=False, unique=True),
    sa.Column("owner_id", sa.String(64), nullable=False),
    sa.Column("ipam_id", sa.ForeignKey("ipams.ipam_id"), nullable=False, index=True),
    sa.Column("ipam_region", sa.String(64), nullable=False),
    # No foreign key: it stays when the resource discovery is deleted.
    sa.Column("ipam_resource_discovery_id", sa.String(64), nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("tags", sa.JSON, nullable=False),
    sa.Column("state", OneOf(AssociationState), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.UniqueConstraint(
        "ipam_id", "ipam_resource_discovery_id", name="one_association_per_ipam_and_discovery"
    ),
    sa.Index("ix_associations_of_resource_discovery", "ipam_resource_discovery_id"),
)
