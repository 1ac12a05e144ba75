"""AddressService: messages to use cases and back."""

from collections.abc import Callable, Iterator
from typing import TypeVar

from cadastre.network.v1 import address_service_pb2 as pb
from cadastre.network.v1 import address_service_pb2_grpc
from services.network.address import AddressName
from services.network.address_transfer import AddressTransfer
from services.network.interface_addresses import ipv4_address
from services.network.service.address_associations import AddressAssociations
from services.network.service.address_transfers import AddressTransfers, TransfersAfter
from services.network.service.addresses import Addresses, AddressesAfter, AddressInPlace
from services.network.service.public_ipv4_pools import PoolsAfter, PublicIpv4Pools
from services.network.servicer.address_messages import (
    ELASTIC_IP,
    PUBLIC_IPV4_POOL,
    address_attribute_to_proto,
    address_name_from_proto,
    address_to_proto,
    allocated_to_proto,
    association_name_from_proto,
    border_group_from_proto,
    new_address_from_proto,
    new_association_from_proto,
    new_range_from_proto,
    pool_to_proto,
    range_to_proto,
    transfer_to_proto,
)
from services.network.servicer.listing import matching
from shared.cidr import Cidr
from shared.filters import FilterSet
from shared.paging import paginate
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of
from shared.tags import tags_from_specifications

Known = TypeVar("Known", AddressInPlace, AddressTransfer)
Record = TypeVar("Record", pb.AddressAttribute, pb.AddressTransfer)


class AddressServicer(address_service_pb2_grpc.AddressServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(
        self,
        addresses: Addresses,
        associations: AddressAssociations,
        transfers: AddressTransfers,
        pools: PublicIpv4Pools,
    ) -> None:
        self._addresses, self._associations = addresses, associations
        self._transfers, self._pools = transfers, pools

    async def AllocateAddress(
        self, request: pb.AllocateAddressRequest, context: Context
    ) -> pb.AllocateAddressResponse:
        caller = caller_of(context)
        wanted = new_address_from_proto(request, caller.region)
        address = await self._addresses.allocate(caller, wanted, dry_run=request.dry_run)
        return allocated_to_proto(address)

    async def DescribeAddresses(
        self, request: pb.DescribeAddressesRequest, context: Context
    ) -> pb.DescribeAddressesResponse:
        filters = FilterSet(request.filters, pb.Address.DESCRIPTOR)
        public_ips = [ipv4_address(text, "publicIp") for text in request.public_ips]

        def every(addresses: AddressesAfter) -> list[pb.Address]:
            records = matching(filters, addresses(None), address_to_proto)
            return [record for _, record in records]

        names: list[AddressName] = [*request.allocation_ids, *public_ips]
        found = await self._addresses.describe(caller_of(context), names, every)
        return pb.DescribeAddressesResponse(addresses=found)

    async def DescribeAddressesAttribute(
        self, request: pb.DescribeAddressesAttributeRequest, context: Context
    ) -> pb.DescribeAddressesAttributeResponse:
        def page(addresses: AddressesAfter) -> tuple[list[pb.AddressAttribute], str | None]:
            return paginate(
                request, lambda after: _records(addresses(after), address_attribute_to_proto)
            )

        found, token = await self._addresses.describe(
            caller_of(context), request.allocation_ids, page
        )
        return pb.DescribeAddressesAttributeResponse(addresses=found, next_token=token)

    async def AssociateAddress(
        self, request: pb.AssociateAddressRequest, context: Context
    ) -> pb.AssociateAddressResponse:
        wanted = new_association_from_proto(request)
        association_id = await self._associations.associate(
            caller_of(context), wanted, dry_run=request.dry_run
        )
        return pb.AssociateAddressResponse(association_id=association_id)

    async def DisassociateAddress(
        self, request: pb.DisassociateAddressRequest, context: Context
    ) -> pb.DisassociateAddressResponse:
        name = association_name_from_proto(request)
        await self._associations.disassociate(caller_of(context), name, dry_run=request.dry_run)
        return pb.DisassociateAddressResponse()

    async def ReleaseAddress(
        self, request: pb.ReleaseAddressRequest, context: Context
    ) -> pb.ReleaseAddressResponse:
        caller = caller_of(context)
        await self._addresses.release(
            caller,
            address_name_from_proto(request),
            border_group_from_proto(request, caller.region),
            dry_run=request.dry_run,
        )
        return pb.ReleaseAddressResponse()

    async def EnableAddressTransfer(
        self, request: pb.EnableAddressTransferRequest, context: Context
    ) -> pb.EnableAddressTransferResponse:
        offer = await self._transfers.enable(
            caller_of(context),
            request.allocation_id,
            request.transfer_account_id,
            dry_run=request.dry_run,
        )
        return pb.EnableAddressTransferResponse(address_transfer=transfer_to_proto(offer))

    async def DisableAddressTransfer(
        self, request: pb.DisableAddressTransferRequest, context: Context
    ) -> pb.DisableAddressTransferResponse:
        offer = await self._transfers.disable(
            caller_of(context), request.allocation_id, dry_run=request.dry_run
        )
        record = transfer_to_proto(offer, pb.ADDRESS_TRANSFER_STATUS_DISABLED)
        return pb.DisableAddressTransferResponse(address_transfer=record)

    async def DescribeAddressTransfers(
        self, request: pb.DescribeAddressTransfersRequest, context: Context
    ) -> pb.DescribeAddressTransfersResponse:
        def page(transfers: TransfersAfter) -> tuple[list[pb.AddressTransfer], str | None]:
            return paginate(request, lambda after: _records(transfers(after), transfer_to_proto))

        found, token = await self._transfers.describe(
            caller_of(context), request.allocation_ids, page
        )
        return pb.DescribeAddressTransfersResponse(address_transfers=found, next_token=token)

    async def AcceptAddressTransfer(
        self, request: pb.AcceptAddressTransferRequest, context: Context
    ) -> pb.AcceptAddressTransferResponse:
        accepted = await self._transfers.accept(
            caller_of(context),
            ipv4_address(request.address, "address"),
            tags_from_specifications(request.tag_specifications, ELASTIC_IP),
            dry_run=request.dry_run,
        )
        return pb.AcceptAddressTransferResponse(address_transfer=transfer_to_proto(accepted))

    async def CreatePublicIpv4Pool(
        self, request: pb.CreatePublicIpv4PoolRequest, context: Context
    ) -> pb.CreatePublicIpv4PoolResponse:
        caller = caller_of(context)
        pool = await self._pools.create(
            caller,
            border_group_from_proto(request, caller.region) or caller.region,
            tags_from_specifications(request.tag_specifications, PUBLIC_IPV4_POOL),
            dry_run=request.dry_run,
        )
        return pb.CreatePublicIpv4PoolResponse(pool_id=pool.pool_id)

    async def DescribePublicIpv4Pools(
        self, request: pb.DescribePublicIpv4PoolsRequest, context: Context
    ) -> pb.DescribePublicIpv4PoolsResponse:
        filters = FilterSet(request.filters, pb.PublicIpv4Pool.DESCRIPTOR)

        def page(pools: PoolsAfter) -> tuple[list[pb.PublicIpv4Pool], str | None]:
            return paginate(request, lambda after: matching(filters, pools(after), pool_to_proto))

        found, token = await self._pools.describe(caller_of(context), request.pool_ids, page)
        return pb.DescribePublicIpv4PoolsResponse(public_ipv4_pools=found, next_token=token)

    async def DeletePublicIpv4Pool(
        self, request: pb.DeletePublicIpv4PoolRequest, context: Context
    ) -> pb.DeletePublicIpv4PoolResponse:
        caller = caller_of(context)
        group = border_group_from_proto(request, caller.region)
        await self._pools.delete(caller, request.pool_id, group, dry_run=request.dry_run)
        return pb.DeletePublicIpv4PoolResponse(return_value=True)

    async def ProvisionPublicIpv4PoolCidr(
        self, request: pb.ProvisionPublicIpv4PoolCidrRequest, context: Context
    ) -> pb.ProvisionPublicIpv4PoolCidrResponse:
        caller = caller_of(context)
        wanted = new_range_from_proto(request, caller.region)
        added = await self._pools.provision(caller, wanted, dry_run=request.dry_run)
        return pb.ProvisionPublicIpv4PoolCidrResponse(
            pool_id=request.pool_id, pool_address_range=range_to_proto(added)
        )

    async def DeprovisionPublicIpv4PoolCidr(
        self, request: pb.DeprovisionPublicIpv4PoolCidrRequest, context: Context
    ) -> pb.DeprovisionPublicIpv4PoolCidrResponse:
        gone = await self._pools.deprovision(
            caller_of(context),
            request.pool_id,
            Cidr.parse(request.cidr),
            dry_run=request.dry_run,
        )
        return pb.DeprovisionPublicIpv4PoolCidrResponse(
            pool_id=request.pool_id, deprovisioned_addresses=[str(gone)]
        )


def _records(
    known: Iterator[tuple[str, Known]], to_proto: Callable[[Known], Record]
) -> Iterator[tuple[str, Record]]:
    return ((key, to_proto(one)) for key, one in known)
