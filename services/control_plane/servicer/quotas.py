"""QuotaService: what an account may have."""

from cadastre.control.v1 import quota_service_pb2 as pb
from cadastre.control.v1 import quota_service_pb2_grpc
from services.control_plane.quotas import Quotas
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of


class QuotaServicer(quota_service_pb2_grpc.QuotaServiceServicer):
    """Translates."""

    def __init__(self, quotas: Quotas) -> None:
        self._quotas = quotas

    async def ListQuotas(
        self, _request: pb.ListQuotasRequest, context: Context
    ) -> pb.ListQuotasResponse:
        values = self._quotas.of_account(caller_of(context).account_id)
        return pb.ListQuotasResponse(
            quotas=[
                pb.Quota(name=name.replace("_", "-"), value=value)
                for name, value in sorted(values.items())
            ]
        )
