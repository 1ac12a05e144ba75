"""NetworkService: messages to use cases and back."""

from dataclasses import replace

from cadastre.network.v1 import network_service_pb2 as pb
from cadastre.network.v1 import network_service_pb2_grpc, vpc_pb2
from services.network.service.tagging import Tagging
from services.network.service.vpcs import Vpcs, VpcsAfter
from services.network.servicer.listing import matching
from services.network.servicer.messages import (
    added_block_from_proto,
    association_to_proto,
    attribute_change_from_proto,
    attribute_name_from_proto,
    new_vpc_from_proto,
    vpc_to_proto,
)
from services.network.vpc import Vpc
from shared.filters import FilterSet
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of
from shared.tags import tags_from_proto, with_tags, without_tags

FILTER_ALIASES = {
    "cidr": "cidr_block",
    "isDefault": "is_default",
    "cidr-block-association.association-id": "cidr_block_association_set.association_id",
    "cidr-block-association.cidr-block": "cidr_block_association_set.cidr_block",
    "cidr-block-association.state": "cidr_block_association_set.cidr_block_state.state",
    "ipv6-cidr-block-association.association-id": "ipv6_cidr_block_association_set.association_id",
    "ipv6-cidr-block-association.ipv6-cidr-block": (
        "ipv6_cidr_block_association_set.ipv6_cidr_block"
    ),
    "ipv6-cidr-block-association.ipv6-pool": "ipv6_cidr_block_association_set.ipv6_pool",
    "ipv6-cidr-block-association.state": (
        "ipv6_cidr_block_association_set.ipv6_cidr_block_state.state"
    ),
}
"""EC2's names of filters that are not members of Vpc."""


class NetworkServicer(network_service_pb2_grpc.NetworkServiceServicer):
    """Translates; what is decided is decided in ``service``.

    Everything is complete when it is answered. The answers say "pending" and "associating" all the
    same, where EC2's do and its clients expect them; the next describe says what is true.
    """

    def __init__(self, vpcs: Vpcs, tagging: Tagging) -> None:
        self._vpcs, self._tagging = vpcs, tagging

    async def CreateVpc(
        self, request: pb.CreateVpcRequest, context: Context
    ) -> pb.CreateVpcResponse:
        caller = caller_of(context)
        wanted = new_vpc_from_proto(request, caller.region)
        vpc = await self._vpcs.create(caller, wanted, dry_run=request.dry_run)
        return pb.CreateVpcResponse(
            vpc=vpc_to_proto(
                vpc, vpc_pb2.VPC_STATE_PENDING, vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_ASSOCIATING
            )
        )

    async def DescribeVpcs(
        self, request: pb.DescribeVpcsRequest, context: Context
    ) -> pb.DescribeVpcsResponse:
        filters = FilterSet(request.filters, vpc_pb2.Vpc.DESCRIPTOR, FILTER_ALIASES)

        def page(vpcs: VpcsAfter) -> tuple[list[vpc_pb2.Vpc], str | None]:
            return paginate(request, lambda after: matching(filters, vpcs(after), _as_described))

        records, token = await self._vpcs.describe(caller_of(context), request.vpc_ids, page)
        return pb.DescribeVpcsResponse(vpcs=records, next_token=token)

    async def DeleteVpc(
        self, request: pb.DeleteVpcRequest, context: Context
    ) -> pb.DeleteVpcResponse:
        await self._vpcs.delete(caller_of(context), request.vpc_id, dry_run=request.dry_run)
        return pb.DeleteVpcResponse()

    async def AssociateVpcCidrBlock(
        self, request: pb.AssociateVpcCidrBlockRequest, context: Context
    ) -> pb.AssociateVpcCidrBlockResponse:
        caller = caller_of(context)
        family, source = added_block_from_proto(request, caller.region)
        vpc, added = await self._vpcs.associate(caller, request.vpc_id, family, source)
        state = vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_ASSOCIATING
        return pb.AssociateVpcCidrBlockResponse(**association_to_proto(vpc, added, state))

    async def DisassociateVpcCidrBlock(
        self, request: pb.DisassociateVpcCidrBlockRequest, context: Context
    ) -> pb.DisassociateVpcCidrBlockResponse:
        vpc, removed = await self._vpcs.disassociate(caller_of(context), request.association_id)
        state = vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_DISASSOCIATING
        return pb.DisassociateVpcCidrBlockResponse(**association_to_proto(vpc, removed, state))

    async def DescribeVpcAttribute(
        self, request: pb.DescribeVpcAttributeRequest, context: Context
    ) -> pb.DescribeVpcAttributeResponse:
        name = attribute_name_from_proto(request)
        vpc = await self._vpcs.vpc(caller_of(context), request.vpc_id)
        answer = pb.DescribeVpcAttributeResponse(vpc_id=vpc.vpc_id)
        getattr(answer, name).value = getattr(vpc.attributes, name)
        return answer

    async def ModifyVpcAttribute(
        self, request: pb.ModifyVpcAttributeRequest, context: Context
    ) -> pb.ModifyVpcAttributeResponse:
        name, value = attribute_change_from_proto(request)
        await self._vpcs.change_attributes(
            caller_of(context), request.vpc_id, lambda known: replace(known, **{name: value})
        )
        return pb.ModifyVpcAttributeResponse()

    async def CreateTags(
        self, request: pb.CreateTagsRequest, context: Context
    ) -> pb.CreateTagsResponse:
        added = tags_from_proto(request.tags)
        await self._tagging.change(
            caller_of(context),
            request.resources,
            lambda tags: with_tags(tags, added),
            dry_run=request.dry_run,
        )
        return pb.CreateTagsResponse()

    async def DeleteTags(
        self, request: pb.DeleteTagsRequest, context: Context
    ) -> pb.DeleteTagsResponse:
        await self._tagging.change(
            caller_of(context),
            request.resources,
            lambda tags: without_tags(tags, request.tags),
            dry_run=request.dry_run,
        )
        return pb.DeleteTagsResponse()


def _as_described(vpc: Vpc) -> vpc_pb2.Vpc:
    return vpc_to_proto(
        vpc, vpc_pb2.VPC_STATE_AVAILABLE, vpc_pb2.VPC_CIDR_BLOCK_STATE_CODE_ASSOCIATED
    )
