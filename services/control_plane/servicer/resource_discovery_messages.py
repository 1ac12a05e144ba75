"""The contract's messages about resource discoveries, from and to what they mean here."""

from collections.abc import Iterable
from typing import Any

from cadastre.control.v1 import inventory_service_pb2, ipam_pb2
from cadastre.control.v1 import resource_discovery_service_pb2 as pb
from services.control_plane.messages import given, proto_number, region_names
from services.control_plane.resource_discoveries.association import NewAssociation, SeenAssociation
from services.control_plane.resource_discoveries.exclusions import Exclusion, ExclusionsChange
from services.control_plane.resource_discoveries.resource_discovery import (
    NewResourceDiscovery,
    ResourceDiscovery,
    ResourceDiscoveryChange,
)
from services.control_plane.service.coverage import Part
from shared.ids import arn
from shared.tags import tags_from_specifications, tags_to_proto


def resource_discovery_to_proto(discovery: ResourceDiscovery) -> pb.IpamResourceDiscovery:
    return pb.IpamResourceDiscovery(
        owner_id=discovery.owner_id,
        ipam_resource_discovery_id=discovery.ipam_resource_discovery_id,
        ipam_resource_discovery_arn=arn(
            discovery.owner_id, "ipam-resource-discovery", discovery.ipam_resource_discovery_id
        ),
        ipam_resource_discovery_region=discovery.region,
        description=discovery.description,
        operating_regions=[
            ipam_pb2.IpamOperatingRegion(region_name=region)
            for region in discovery.operating_regions
        ],
        is_default=discovery.is_default,
        state=proto_number(pb.IpamResourceDiscoveryState, discovery.state),
        tags=tags_to_proto(discovery.tags),
        organizational_unit_exclusions=[
            pb.IpamOrganizationalUnitExclusion(organizations_entity_path=str(exclusion))
            for exclusion in discovery.exclusions
        ],
    )


def association_to_proto(seen: SeenAssociation) -> pb.IpamResourceDiscoveryAssociation:
    association = seen.association
    association_id = association.ipam_resource_discovery_association_id
    return pb.IpamResourceDiscoveryAssociation(
        owner_id=association.owner_id,
        ipam_resource_discovery_association_id=association_id,
        ipam_resource_discovery_association_arn=arn(
            association.owner_id, "ipam-resource-discovery-association", association_id
        ),
        ipam_resource_discovery_id=association.ipam_resource_discovery_id,
        ipam_id=association.ipam_id,
        ipam_arn=arn(association.owner_id, "ipam", association.ipam_id),
        ipam_region=association.ipam_region,
        is_default=association.is_default,
        resource_discovery_status=proto_number(
            pb.IpamAssociatedResourceDiscoveryStatus, seen.discovery_status
        ),
        state=proto_number(pb.IpamResourceDiscoveryAssociationState, association.state),
        tags=tags_to_proto(association.tags),
    )


def part_to_proto(part: Part) -> inventory_service_pb2.ListedResourceDiscovery:
    discovery = part.discovery
    listed = inventory_service_pb2.ListedResourceDiscovery(
        region=discovery.region,
        ipam_resource_discovery_id=discovery.ipam_resource_discovery_id,
        owner_id=discovery.owner_id,
        operating_regions=discovery.operating_regions,
        organizational_unit_exclusions=map(str, discovery.exclusions),
        account_ids=part.account_ids,
        organizational_unit_ids=part.unit_ids,
    )
    if association := part.association:
        listed.ipam_id = association.ipam_id
        listed.ipam_owner_id = association.owner_id
        listed.ipam_resource_discovery_association_id = (
            association.ipam_resource_discovery_association_id
        )
        listed.is_default = association.is_default
    return listed


def new_resource_discovery_from_proto(
    request: pb.CreateIpamResourceDiscoveryRequest,
) -> NewResourceDiscovery:
    return NewResourceDiscovery(
        description=given(request, "description"),
        operating_regions=region_names(request.operating_regions),
        tags=tags_from_specifications(request.tag_specifications, "ipam-resource-discovery"),
    )


def resource_discovery_change_from_proto(
    request: pb.ModifyIpamResourceDiscoveryRequest,
) -> ResourceDiscoveryChange:
    return ResourceDiscoveryChange(
        description=given(request, "description"),
        add_operating_regions=region_names(request.add_operating_regions),
        remove_operating_regions=region_names(request.remove_operating_regions),
        exclusions=ExclusionsChange(
            added=_exclusions(request.add_organizational_unit_exclusions),
            removed=_exclusions(request.remove_organizational_unit_exclusions),
        ),
    )


def new_association_from_proto(
    request: pb.AssociateIpamResourceDiscoveryRequest,
) -> NewAssociation:
    return NewAssociation(
        ipam_id=request.ipam_id,
        ipam_resource_discovery_id=request.ipam_resource_discovery_id,
        tags=tags_from_specifications(
            request.tag_specifications, "ipam-resource-discovery-association"
        ),
    )


def _exclusions(named: Iterable[Any]) -> tuple[Exclusion, ...]:
    return tuple(Exclusion.parse(item.organizations_entity_path) for item in named)
