"""QuotaService, which every context that keeps quotas serves."""

from cadastre.common.quotas.v1 import quota_service_pb2 as pb
from cadastre.common.quotas.v1 import quota_service_pb2_grpc
from shared.quotas import AccountQuotas
from shared.rpc.interceptor import Context, caller_of
from shared.rpc.wiring import Binding

QUOTA_SERVICE = "cadastre.common.quotas.v1.QuotaService"


class QuotaServicer(quota_service_pb2_grpc.QuotaServiceServicer):
    """Tells one context's quotas."""

    def __init__(self, quotas: AccountQuotas) -> None:
        self._quotas = quotas

    async def ListServiceQuotas(
        self, _request: pb.ListServiceQuotasRequest, context: Context
    ) -> pb.ListServiceQuotasResponse:
        values = self._quotas.of_account(caller_of(context).account_id)
        return pb.ListServiceQuotasResponse(
            quotas=[
                pb.Quota(name=name.replace("_", "-"), value=value)
                for name, value in sorted(values.items())
            ]
        )


def quota_binding(quotas: AccountQuotas) -> Binding:
    """The service over a context's quotas, for its server."""
    return Binding(
        quota_service_pb2_grpc.add_QuotaServiceServicer_to_server,
        QuotaServicer(quotas),
        QUOTA_SERVICE,
    )
