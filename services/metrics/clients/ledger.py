"""How full pools are, and whether the books agree."""

from collections.abc import Mapping, Sequence

from cadastre.allocation.v1 import (
    audit_service_pb2,
    audit_service_pb2_grpc,
    inventory_service_pb2,
    inventory_service_pb2_grpc,
)
from cadastre.common.v1 import types_pb2
from services.metrics.clients.words import SELF, family_of, number_of, word_of
from services.metrics.figures import PoolUsage
from shared.cidr import AddressFamily
from shared.errors import ServiceUnavailable
from shared.rpc.client import Remote
from shared.rpc.enums import aws_enum_names

_FINDING_KIND = audit_service_pb2.LedgerFindingKind.DESCRIPTOR


class LedgerClient:
    """The ledger's inventory and its own check."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._inventory = inventory_service_pb2_grpc.InventoryServiceStub(remote.channel)
        self._audit = audit_service_pb2_grpc.AuditServiceStub(remote.channel)

    async def pool_usages(self, ipam_id: str) -> Sequence[PoolUsage]:
        request = inventory_service_pb2.ListPoolUsagesRequest(ipam_id=ipam_id)
        pages = self._remote.pages(self._inventory.ListPoolUsages, request, caller=SELF)
        return [_pool_from_proto(record) async for page in pages for record in page.pool_usages]

    async def check(self) -> Mapping[str, int]:
        """How many findings there are of each kind, 0 of most (BEY-10).

        Raises:
            CadastreError: the check was refused, or cut off.
        """
        found = dict.fromkeys(aws_enum_names(_FINDING_KIND), 0)
        is_whole = False
        request = audit_service_pb2.CheckLedgerRequest()
        async for told in self._remote.stream(self._audit.CheckLedger, request, caller=SELF):
            if told.HasField("finding"):
                kind = word_of(_FINDING_KIND, told.finding.kind)
                found[kind] = found.get(kind, 0) + 1
            is_whole = told.HasField("summary")
        if not is_whole:
            raise ServiceUnavailable("the ledger's check was cut off; it has to be repeated")
        return found


def _pool_from_proto(record: inventory_service_pb2.PoolUsageRecord) -> PoolUsage:
    pool, usage = record.definition, record.usage
    family, largest = family_of(pool.address_family), record.largest_free_netmask_length
    has_free = record.HasField("largest_free_netmask_length")
    return PoolUsage(
        pool_id=pool.ipam_pool_id,
        scope_id=pool.ipam_scope_id,
        family=family,
        locale=pool.locale,
        is_contiguous=(
            family is AddressFamily.IPV4
            and pool.ipam_scope_type == types_pb2.IPAM_SCOPE_TYPE_PUBLIC
            and pool.public_ip_source == types_pb2.IPAM_POOL_PUBLIC_IP_SOURCE_AMAZON
        ),
        addresses=number_of(usage.total_addresses),
        allocated=number_of(usage.allocated_addresses),
        assigned=number_of(usage.assigned_addresses),
        free=number_of(record.free_addresses),
        cidrs=usage.cidr_count,
        allocations=usage.allocation_count,
        free_blocks=record.free_block_count,
        largest_free_block=1 << (family.bits - largest) if has_free else 0,
    )
