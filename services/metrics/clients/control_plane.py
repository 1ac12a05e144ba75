"""Which IPAMs there are."""

from collections.abc import Sequence

from cadastre.control.v1 import inventory_service_pb2, inventory_service_pb2_grpc
from services.metrics.clients.words import SELF
from services.metrics.figures import Ipam
from shared.rpc.client import Remote


class ControlPlaneClient:
    """The control plane's inventory."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._stub = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)

    async def ipams(self) -> Sequence[Ipam]:
        request = inventory_service_pb2.ListIpamsRequest()
        pages = self._remote.pages(self._stub.ListIpams, request, caller=SELF)
        return [
            _ipam_from_proto(ipam)
            async for page in pages
            for ipam in page.ipams
            if not ipam.is_being_deleted
        ]


def _ipam_from_proto(ipam: inventory_service_pb2.ListedIpam) -> Ipam:
    return Ipam(
        ipam_id=ipam.ipam_id,
        owner_id=ipam.owner_id,
        region=ipam.region,
        is_free_tier=ipam.is_free_tier,
        scope_ids=(*ipam.public_scope_ids, *ipam.private_scope_ids),
        operating_regions=tuple(ipam.operating_regions) or (ipam.region,),
    )
