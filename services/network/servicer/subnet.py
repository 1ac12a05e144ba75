"""SubnetService: messages to use cases and back."""

from dataclasses import replace

from cadastre.network.v1 import subnet_service_pb2 as pb
from cadastre.network.v1 import subnet_service_pb2_grpc
from services.network.service.subnets import SubnetInUse, Subnets, SubnetsAfter
from services.network.servicer.listing import matching
from services.network.servicer.subnet_messages import (
    attribute_change_from_proto,
    ipv6_block_to_proto,
    ipv6_source_from_proto,
    new_subnet_from_proto,
    subnet_to_proto,
)
from shared.filters import FilterSet
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

FILTER_ALIASES = {
    "availabilityZone": "availability_zone",
    "availabilityZoneId": "availability_zone_id",
    "cidr": "cidr_block",
    "cidrBlock": "cidr_block",
    "defaultForAz": "default_for_az",
    "ipv6-cidr-block-association.association-id": "ipv6_cidr_block_association_set.association_id",
    "ipv6-cidr-block-association.ipv6-cidr-block": (
        "ipv6_cidr_block_association_set.ipv6_cidr_block"
    ),
    "ipv6-cidr-block-association.state": (
        "ipv6_cidr_block_association_set.ipv6_cidr_block_state.state"
    ),
}
"""EC2's names of filters that are not members of Subnet."""


class SubnetServicer(subnet_service_pb2_grpc.SubnetServiceServicer):
    """Translates; what is decided is decided in ``service``.

    A subnet is complete when it is answered. The answer says "pending" and "associating" all the
    same, as EC2's does; the next describe says what is true.
    """

    def __init__(self, subnets: Subnets) -> None:
        self._subnets = subnets

    async def CreateSubnet(
        self, request: pb.CreateSubnetRequest, context: Context
    ) -> pb.CreateSubnetResponse:
        caller = caller_of(context)
        wanted = new_subnet_from_proto(request, caller.region)
        created = await self._subnets.create(caller, wanted, dry_run=request.dry_run)
        return pb.CreateSubnetResponse(
            subnet=subnet_to_proto(
                created, pb.SUBNET_STATE_PENDING, pb.SUBNET_CIDR_BLOCK_STATE_CODE_ASSOCIATING
            )
        )

    async def DescribeSubnets(
        self, request: pb.DescribeSubnetsRequest, context: Context
    ) -> pb.DescribeSubnetsResponse:
        filters = FilterSet(request.filters, pb.Subnet.DESCRIPTOR, FILTER_ALIASES)

        def page(subnets: SubnetsAfter) -> tuple[list[pb.Subnet], str | None]:
            return paginate(request, lambda after: matching(filters, subnets(after), _as_described))

        records, token = await self._subnets.describe(caller_of(context), request.subnet_ids, page)
        return pb.DescribeSubnetsResponse(subnets=records, next_token=token)

    async def DeleteSubnet(
        self, request: pb.DeleteSubnetRequest, context: Context
    ) -> pb.DeleteSubnetResponse:
        await self._subnets.delete(caller_of(context), request.subnet_id, dry_run=request.dry_run)
        return pb.DeleteSubnetResponse()

    async def ModifySubnetAttribute(
        self, request: pb.ModifySubnetAttributeRequest, context: Context
    ) -> pb.ModifySubnetAttributeResponse:
        name, value = attribute_change_from_proto(request)
        await self._subnets.change_attributes(
            caller_of(context), request.subnet_id, lambda known: replace(known, **{name: value})
        )
        return pb.ModifySubnetAttributeResponse()

    async def AssociateSubnetCidrBlock(
        self, request: pb.AssociateSubnetCidrBlockRequest, context: Context
    ) -> pb.AssociateSubnetCidrBlockResponse:
        source = ipv6_source_from_proto(request)
        subnet, added = await self._subnets.associate(caller_of(context), request.subnet_id, source)
        state = pb.SUBNET_CIDR_BLOCK_STATE_CODE_ASSOCIATING
        return pb.AssociateSubnetCidrBlockResponse(
            ipv6_cidr_block_association=ipv6_block_to_proto(added, state),
            subnet_id=subnet.subnet_id,
        )

    async def DisassociateSubnetCidrBlock(
        self, request: pb.DisassociateSubnetCidrBlockRequest, context: Context
    ) -> pb.DisassociateSubnetCidrBlockResponse:
        subnet, removed = await self._subnets.disassociate(
            caller_of(context), request.association_id
        )
        state = pb.SUBNET_CIDR_BLOCK_STATE_CODE_DISASSOCIATING
        return pb.DisassociateSubnetCidrBlockResponse(
            ipv6_cidr_block_association=ipv6_block_to_proto(removed, state),
            subnet_id=subnet.subnet_id,
        )


def _as_described(known: SubnetInUse) -> pb.Subnet:
    return subnet_to_proto(
        known, pb.SUBNET_STATE_AVAILABLE, pb.SUBNET_CIDR_BLOCK_STATE_CODE_ASSOCIATED
    )
