"""What pages ask the contexts, as whoever signed in: by the same policies as AWS's clients."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message

from cadastre.allocation.v1 import ledger_service_pb2, placement_service_pb2
from cadastre.common.quotas.v1 import quota_service_pb2
from cadastre.common.tags.v1 import tag_service_pb2
from cadastre.control.v1 import (
    control_service_pb2,
    ipam_pb2,
    ipam_pool_pb2,
    ipam_scope_pb2,
)
from cadastre.discovery.v1 import cost_service_pb2, usage_service_pb2
from services.gateway.answers import Call
from services.gateway.clients import Services
from services.gateway.cloudtrail import CloudTrailProtocol
from services.gateway.ec2.fan_out import split
from services.gateway.ec2.pages import page_over_all
from services.gateway.routes import (
    CLOUDWATCH_FILES,
    EC2_FILES,
    IAM_FILES,
    ORGANIZATIONS_FILES,
    RAM_FILES,
    Rpc,
    rpcs_by_action,
)
from shared.errors import DryRunOperation, UnknownId
from shared.settings import Context

M = TypeVar("M", bound=Message)

_ASKED: Sequence[tuple[Context, FileDescriptor]] = (
    *CLOUDWATCH_FILES,
    *EC2_FILES,
    *IAM_FILES,
    *ORGANIZATIONS_FILES,
    *RAM_FILES,
    ("allocation", placement_service_pb2.DESCRIPTOR),
    ("discovery", cost_service_pb2.DESCRIPTOR),
)
_FIGURES: Sequence[tuple[Context, FileDescriptor]] = (
    ("allocation", ledger_service_pb2.DESCRIPTOR),
    ("discovery", usage_service_pb2.DESCRIPTOR),
)
QUOTAS: Sequence[tuple[Context, FileDescriptor]] = (
    ("control_plane", quota_service_pb2.DESCRIPTOR),
    ("discovery", quota_service_pb2.DESCRIPTOR),
    ("metrics", quota_service_pb2.DESCRIPTOR),
    ("network", quota_service_pb2.DESCRIPTOR),
)
"""Who keeps quotas."""
_POOLS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Owned:
    """A thing that is known to be the account's own: `Api` alone finds that out."""

    resource_id: str
    arn: str


class Api:
    """Calls RPCs for one request of somebody signed in."""

    def __init__(self, services: Services, trail: CloudTrailProtocol, call: Call) -> None:
        self._services, self._trail, self._call = services, trail, call

    async def call(self, request: Message, _answers: type[M]) -> M:
        """The answer to ``request``, whose type says what is called, and what is answered.

        Raises:
            CadastreError: the refusal, as AWS's clients get it.
        """
        return cast(M, await self._services.call(_rpc_of(request), request, self._call))

    async def try_out(self, request: Message) -> None:
        """Find out whether ``request`` would be done, where its operation can tell (DryRun).

        Raises:
            CadastreError: the refusal that it would get.
        """
        if "dry_run" not in request.DESCRIPTOR.fields_by_name:
            return
        trial: Any = type(request)()
        trial.CopyFrom(request)
        trial.dry_run = True
        try:
            await self._services.call(_rpc_of(request), trial, self._call)
        except Exception as refusal:
            if getattr(refusal, "reason", "") != DryRunOperation.reason:
                raise

    async def gather(self, *requests: tuple[Message, type[M]]) -> Sequence[M]:
        """The answers to several at the same time, in their order; raises what the first raises."""
        return await asyncio.gather(*(self.call(*request) for request in requests))

    async def change_tags(self, action: str, resource_id: str, tags: Mapping[str, str]) -> None:
        """CreateTags or DeleteTags, in the context that has ``resource_id``."""
        entries = [{"key": key, "value": value} for key, value in tags.items()]
        requests: list[tuple[Rpc, Message]] = [
            (rpc, rpc.request_type(resources=[resource_id], tags=entries))
            for rpc in _actions()[action]
        ]
        for rpc, request in split(requests):
            await self._services.call(rpc, request, self._call)

    async def describe_tags(
        self, request: tag_service_pb2.DescribeTagsRequest
    ) -> tag_service_pb2.DescribeTagsResponse:
        """One page of the tags of all contexts."""
        requests = []
        for rpc in _actions()["DescribeTags"]:
            one = tag_service_pb2.DescribeTagsRequest()
            one.CopyFrom(request)
            requests.append((rpc, one))
        ask: Callable[[Rpc, Any], Awaitable[Any]] = lambda rpc, one: self._services.call(  # noqa: E731
            rpc, one, self._call
        )
        page: tag_service_pb2.DescribeTagsResponse = await page_over_all(requests, ask)
        return page

    async def quotas(self) -> Sequence[quota_service_pb2.Quota]:
        """Those of all contexts that keep some, by name.

        Raises what the first of them raises: a part would be taken for all.
        """
        request = quota_service_pb2.ListServiceQuotasRequest()
        answers: Sequence[Any] = await asyncio.gather(
            *(self._services.call(rpc, request, self._call) for rpc in _quotas())
        )
        found = [one for answer in answers for one in answer.quotas]
        return sorted(found, key=lambda one: one.name)

    async def look_up_events(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """CloudTrail's LookupEvents, as its clients give and get it."""
        return await self._trail.look_up(document, self._call)

    async def ipam(self, ipam_id: str) -> ipam_pb2.Ipam:
        """One IPAM. Raises InvalidIpamId.NotFound for others' too."""
        request = control_service_pb2.DescribeIpamsRequest(ipam_ids=[ipam_id])
        answer = await self.call(request, control_service_pb2.DescribeIpamsResponse)
        return _only(answer.ipams, "InvalidIpamId", ipam_id)

    async def scope(self, ipam_scope_id: str) -> ipam_scope_pb2.IpamScope:
        """One scope. Raises InvalidIpamScopeId.NotFound for others' too."""
        request = control_service_pb2.DescribeIpamScopesRequest(ipam_scope_ids=[ipam_scope_id])
        answer = await self.call(request, control_service_pb2.DescribeIpamScopesResponse)
        return _only(answer.ipam_scopes, "InvalidIpamScopeId", ipam_scope_id)

    async def pool(self, ipam_pool_id: str) -> ipam_pool_pb2.IpamPool:
        """One pool, the account's or shared with it. Raises InvalidIpamPoolId.NotFound."""
        request = control_service_pb2.DescribeIpamPoolsRequest(ipam_pool_ids=[ipam_pool_id])
        answer = await self.call(request, control_service_pb2.DescribeIpamPoolsResponse)
        return _only(answer.ipam_pools, "InvalidIpamPoolId", ipam_pool_id)

    def own(self, record: Any) -> Owned | None:
        """An IPAM, scope or pool as its context tells it, if it is the account's own."""
        if record.owner_id != self._call.caller.account_id:
            return None
        kind = record.DESCRIPTOR.name
        resource_id, arn = _ID_AND_ARN[kind]
        return Owned(getattr(record, resource_id), getattr(record, arn))

    async def figures(self, request: Message, _answers: type[M], *, of: Owned, action: str) -> M:
        """What discovery or the ledger counts of ``of``, which ``request`` must be about.

        ``action`` is what the caller must be allowed to do with it: ``ec2:GetIpamResourceCidrs``.

        Raises:
            CadastreError: a policy forbids the action, or a context's refusal.
        """
        answer = await self._services.read_figures(
            _figures()[request.DESCRIPTOR.full_name],
            request,
            self._call,
            action=action,
            resource=of.arn,
        )
        return cast(M, answer)

    async def pool_usages(
        self, pools: Sequence[ipam_pool_pb2.IpamPool]
    ) -> Mapping[str, ledger_service_pb2.IpamPoolUsage]:
        """How full the account's own ones of ``pools`` are, by id.

        Those whose allocations the caller may not see are left out.
        """
        action = "ec2:GetIpamPoolAllocations"
        owned = [
            own
            for pool in pools
            if (own := self.own(pool))
            and await self._services.may(self._call, action=action, resource=own.arn)
        ]
        found: dict[str, ledger_service_pb2.IpamPoolUsage] = {}
        for start in range(0, len(owned), _POOLS_AT_ONCE):
            some = owned[start : start + _POOLS_AT_ONCE]
            request = ledger_service_pb2.GetIpamPoolUsageRequest(
                ipam_pool_ids=[own.resource_id for own in some]
            )
            answer = await self.figures(
                request,
                ledger_service_pb2.GetIpamPoolUsageResponse,
                of=some[0],
                action=action,
            )
            found.update((usage.ipam_pool_id, usage) for usage in answer.usages)
        return found


_ID_AND_ARN: Mapping[str, tuple[str, str]] = {
    "Ipam": ("ipam_id", "ipam_arn"),
    "IpamScope": ("ipam_scope_id", "ipam_scope_arn"),
    "IpamPool": ("ipam_pool_id", "ipam_pool_arn"),
}


def _only(found: Sequence[M], error_stem: str, resource_id: str) -> M:
    if not found:
        raise UnknownId(error_stem, resource_id)
    return found[0]


@cache
def _actions() -> Mapping[str, Sequence[Rpc]]:
    return rpcs_by_action(EC2_FILES)


@cache
def _rpcs() -> Mapping[str, Rpc]:
    """By the type of their requests, of which each has its own."""
    return {
        rpc.descriptor.input_type.full_name: rpc
        for same_action in rpcs_by_action(_ASKED).values()
        for rpc in same_action
    }


def _rpc_of(request: Message) -> Rpc:
    return _rpcs()[request.DESCRIPTOR.full_name]


@cache
def _quotas() -> Sequence[Rpc]:
    return rpcs_by_action(QUOTAS)["ListServiceQuotas"]


@cache
def _figures() -> Mapping[str, Rpc]:
    return {
        method.input_type.full_name: Rpc(context, method)
        for context, file in _FIGURES
        for service in file.services_by_name.values()
        for method in service.methods
    }
