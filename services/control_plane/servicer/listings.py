"""Lists of what a caller may see: by id, filtered, in pages (BEY-6)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import ipam_pb2, ipam_pool_pb2, ipam_scope_pb2
from services.control_plane.ipam import Ipam
from services.control_plane.messages import ipam_to_proto, pool_to_proto, scope_to_proto
from services.control_plane.pool import Pool
from services.control_plane.scope import Scope
from services.control_plane.service.rows import Among, Rows
from shared.caller import Caller
from shared.filters import FilterSet, exact_values
from shared.ids import IPAM, IPAM_POOL, IPAM_SCOPE, IdKind
from shared.paging import paginate

Resource = TypeVar("Resource")
Resource_co = TypeVar("Resource_co", covariant=True)
Record = TypeVar("Record", bound=Message)


class Visible(Protocol[Resource_co]):
    """What `Rows` offers for each kind."""

    def __call__(
        self, caller: Caller, *, ids: Sequence[str], after: str | None
    ) -> Iterator[tuple[str, Resource_co]]: ...


@dataclass(frozen=True, slots=True)
class Listing(Generic[Resource, Record]):
    """How one kind of resource is listed."""

    kind: IdKind
    id_of: Callable[[Resource], str]
    visible: Callable[[Rows], Visible[Resource]]
    record_type: Descriptor
    to_proto: Callable[[Resource], Record]
    narrowed: Callable[[Rows, Among], Visible[Resource]] | None = None
    """`visible` for lists with filters whose whole values the database can look up."""
    narrowed_by: Sequence[str] = ()
    """Their names. By them a page costs what it shows, not what there is."""

    def page(
        self,
        rows: Rows,
        caller: Caller,
        request: Any,  # generated listing requests share no typed base
        ids: Sequence[str],
    ) -> tuple[list[Record], str | None]:
        """A page of what the request asks for, and the token of the next.

        Raises:
            UnknownId: one of ``ids`` names nothing the caller may see.
        """
        visible = self.visible(rows)
        filters = FilterSet(request.filters, self.record_type)
        if ids:
            self._check_all_visible(visible, caller, ids)

        if self.narrowed:
            visible = self.narrowed(rows, _exact(request.filters, self.narrowed_by))

        def records_after(after: str | None) -> Iterator[tuple[str, Record]]:
            for key, resource in visible(caller, ids=ids, after=after):
                record = self.to_proto(resource)
                if filters.matches(record):
                    yield key, record

        return paginate(request, records_after)

    def _check_all_visible(
        self, visible: Visible[Resource], caller: Caller, ids: Sequence[str]
    ) -> None:
        found = {self.id_of(resource) for _, resource in visible(caller, ids=ids, after=None)}
        for resource_id in ids:
            if resource_id not in found:
                raise self.kind.unknown(resource_id)


def _exact(filters: Sequence[types_pb2.Filter], names: Sequence[str]) -> Among:
    found = {name: exact_values(filters, name) for name in names}
    return {name: values for name, values in found.items() if values is not None}


IPAMS: Listing[Ipam, ipam_pb2.Ipam] = Listing(
    IPAM,
    lambda ipam: ipam.ipam_id,
    lambda rows: rows.visible_ipams,
    ipam_pb2.Ipam.DESCRIPTOR,
    ipam_to_proto,
)
SCOPES: Listing[Scope, ipam_scope_pb2.IpamScope] = Listing(
    IPAM_SCOPE,
    lambda scope: scope.ipam_scope_id,
    lambda rows: rows.visible_scopes,
    ipam_scope_pb2.IpamScope.DESCRIPTOR,
    scope_to_proto,
)
POOLS: Listing[Pool, ipam_pool_pb2.IpamPool] = Listing(
    IPAM_POOL,
    lambda pool: pool.ipam_pool_id,
    lambda rows: rows.visible_pools,
    ipam_pool_pb2.IpamPool.DESCRIPTOR,
    pool_to_proto,
    lambda rows, among: partial(rows.visible_pools, among=among),
    narrowed_by=("ipam-scope-arn", "source-ipam-pool-id", "pool-depth"),
)
