"""AccountService: messages to what an account may use, and back."""

from cadastre.network.v1 import account_service_pb2 as pb
from cadastre.network.v1 import account_service_pb2_grpc
from services.network.account import (
    Region,
    Zone,
    account_attributes,
    availability_zones,
    regions,
)
from services.network.quotas import Quotas
from shared.filters import FilterSet
from shared.rpc.enums import aws_enum_name
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of


class AccountServicer(account_service_pb2_grpc.AccountServiceServicer):
    """Answers without a database: what it tells is the installation's."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    async def DescribeRegions(
        self, request: pb.DescribeRegionsRequest, _context: Context
    ) -> pb.DescribeRegionsResponse:
        filters = FilterSet(request.filters, pb.Region.DESCRIPTOR)
        records = map(_region_to_proto, regions(request.region_names))
        return pb.DescribeRegionsResponse(regions=filter(filters.matches, records))

    async def DescribeAvailabilityZones(
        self, request: pb.DescribeAvailabilityZonesRequest, context: Context
    ) -> pb.DescribeAvailabilityZonesResponse:
        filters = FilterSet(request.filters, pb.AvailabilityZone.DESCRIPTOR)
        region = caller_of(context).region
        zones = availability_zones(region, request.zone_names, request.zone_ids)
        records = map(_zone_to_proto, zones)
        return pb.DescribeAvailabilityZonesResponse(
            availability_zones=filter(filters.matches, records)
        )

    async def DescribeAccountAttributes(
        self, request: pb.DescribeAccountAttributesRequest, context: Context
    ) -> pb.DescribeAccountAttributesResponse:
        quota = self._quotas.addresses_per_region.of(caller_of(context).account_id)
        attributes = account_attributes(max_addresses=quota)
        enum = pb.AccountAttributeName.DESCRIPTOR
        wanted = [aws_enum_name(enum, number) for number in request.attribute_names]
        return pb.DescribeAccountAttributesResponse(
            account_attributes=[
                _attribute_to_proto(name, value)
                for name, value in attributes.items()
                if not wanted or name in wanted
            ]
        )


def _region_to_proto(region: Region) -> pb.Region:
    return pb.Region(
        opt_in_status=region.opt_in_status, region_name=region.name, endpoint=region.endpoint
    )


def _zone_to_proto(zone: Zone) -> pb.AvailabilityZone:
    return pb.AvailabilityZone(
        opt_in_status=pb.AVAILABILITY_ZONE_OPT_IN_STATUS_OPT_IN_NOT_REQUIRED,
        region_name=zone.region,
        zone_name=zone.name,
        zone_id=zone.zone_id,
        group_name=zone.group_name,
        network_border_group=zone.region,
        zone_type="availability-zone",
        state=pb.AVAILABILITY_ZONE_STATE_AVAILABLE,
    )


def _attribute_to_proto(name: str, value: str) -> pb.AccountAttribute:
    return pb.AccountAttribute(
        attribute_name=name, attribute_values=[pb.AccountAttributeValue(attribute_value=value)]
    )
