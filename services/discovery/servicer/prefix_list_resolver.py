"""PrefixListResolverService: messages to use cases and back."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from google.protobuf.message import Message

from cadastre.discovery.v1 import prefix_list_resolver_service_pb2 as pb
from cadastre.discovery.v1 import prefix_list_resolver_service_pb2_grpc
from services.discovery.resolvers.resolver import ResolverState, Version
from services.discovery.resolvers.target import TargetState
from services.discovery.service.prefix_list_resolvers import PrefixListResolvers, ResolversAfter
from services.discovery.service.prefix_list_targets import PrefixListTargets, TargetsAfter
from services.discovery.service.resolver_rows import Once
from services.discovery.servicer.resolver_messages import (
    aim_from_proto,
    created_resolver_to_proto,
    created_target_to_proto,
    described_target_to_proto,
    modified_target_to_proto,
    new_resolver_from_proto,
    new_target_from_proto,
    resolver_change_from_proto,
    resolver_to_proto,
    target_to_proto,
)
from services.discovery.servicer.resolver_rules import rule_to_proto
from shared.caller import Caller
from shared.cidr import Cidr
from shared.errors import InvalidNextToken
from shared.filters import FilterSet
from shared.paging import paginate
from shared.rpc.interceptor import Context, caller_of
from shared.tags import tags_from_proto, with_tags, without_tags

Known = TypeVar("Known")
Record = TypeVar("Record", bound=Message)


class PrefixListResolverServicer(
    prefix_list_resolver_service_pb2_grpc.PrefixListResolverServiceServicer
):
    """Translates; what is decided is decided in ``service``.

    Resolvers are complete when they are answered. The answers say "in progress" all the same, as
    EC2's do; the next describe says what is true.
    """

    def __init__(self, resolvers: PrefixListResolvers, targets: PrefixListTargets) -> None:
        self._resolvers, self._targets = resolvers, targets

    async def CreateIpamPrefixListResolver(
        self, request: pb.CreateIpamPrefixListResolverRequest, context: Context
    ) -> pb.CreateIpamPrefixListResolverResponse:
        caller = caller_of(context)
        answer = await self._resolvers.create(
            caller,
            new_resolver_from_proto(request),
            created_resolver_to_proto,
            once=_once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamPrefixListResolverResponse.FromString(answer)

    async def DescribeIpamPrefixListResolvers(
        self, request: pb.DescribeIpamPrefixListResolversRequest, context: Context
    ) -> pb.DescribeIpamPrefixListResolversResponse:
        filters = FilterSet(request.filters, pb.IpamPrefixListResolver.DESCRIPTOR)

        def page(found: ResolversAfter) -> tuple[list[pb.IpamPrefixListResolver], str | None]:
            return paginate(
                request, lambda after: _passing(filters, found(after), resolver_to_proto)
            )

        ids = request.ipam_prefix_list_resolver_ids
        records, token = await self._resolvers.describe(caller_of(context), ids, page)
        return pb.DescribeIpamPrefixListResolversResponse(
            ipam_prefix_list_resolvers=records, next_token=token
        )

    async def ModifyIpamPrefixListResolver(
        self, request: pb.ModifyIpamPrefixListResolverRequest, context: Context
    ) -> pb.ModifyIpamPrefixListResolverResponse:
        resolver = await self._resolvers.modify(
            caller_of(context),
            request.ipam_prefix_list_resolver_id,
            resolver_change_from_proto(request),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamPrefixListResolverResponse(
            ipam_prefix_list_resolver=resolver_to_proto(resolver, ResolverState.MODIFY_IN_PROGRESS)
        )

    async def DeleteIpamPrefixListResolver(
        self, request: pb.DeleteIpamPrefixListResolverRequest, context: Context
    ) -> pb.DeleteIpamPrefixListResolverResponse:
        resolver = await self._resolvers.delete(
            caller_of(context), request.ipam_prefix_list_resolver_id, dry_run=request.dry_run
        )
        return pb.DeleteIpamPrefixListResolverResponse(
            ipam_prefix_list_resolver=resolver_to_proto(resolver, ResolverState.DELETE_IN_PROGRESS)
        )

    async def GetIpamPrefixListResolverRules(
        self, request: pb.GetIpamPrefixListResolverRulesRequest, context: Context
    ) -> pb.GetIpamPrefixListResolverRulesResponse:
        filters = FilterSet(request.filters, pb.IpamPrefixListResolverRule.DESCRIPTOR)
        resolver = await self._resolvers.resolver(
            caller_of(context), request.ipam_prefix_list_resolver_id
        )
        records, token = _page(request, resolver.rules, rule_to_proto, filters)
        return pb.GetIpamPrefixListResolverRulesResponse(rules=records, next_token=token)

    async def GetIpamPrefixListResolverVersions(
        self, request: pb.GetIpamPrefixListResolverVersionsRequest, context: Context
    ) -> pb.GetIpamPrefixListResolverVersionsResponse:
        filters = FilterSet(request.filters, pb.IpamPrefixListResolverVersion.DESCRIPTOR)
        versions = await self._resolvers.versions(
            caller_of(context),
            request.ipam_prefix_list_resolver_id,
            request.ipam_prefix_list_resolver_versions,
        )
        records, token = _page(
            request, versions, _version_to_proto, filters, key=lambda version: version.number
        )
        return pb.GetIpamPrefixListResolverVersionsResponse(
            ipam_prefix_list_resolver_versions=records, next_token=token
        )

    async def GetIpamPrefixListResolverVersionEntries(
        self, request: pb.GetIpamPrefixListResolverVersionEntriesRequest, context: Context
    ) -> pb.GetIpamPrefixListResolverVersionEntriesResponse:
        cidrs = await self._resolvers.cidrs(
            caller_of(context),
            request.ipam_prefix_list_resolver_id,
            request.ipam_prefix_list_resolver_version,
        )
        records, token = _page(request, cidrs, _entry_to_proto)
        return pb.GetIpamPrefixListResolverVersionEntriesResponse(entries=records, next_token=token)

    async def CreateIpamPrefixListResolverTarget(
        self, request: pb.CreateIpamPrefixListResolverTargetRequest, context: Context
    ) -> pb.CreateIpamPrefixListResolverTargetResponse:
        caller = caller_of(context)
        answer = await self._targets.create(
            caller,
            new_target_from_proto(request),
            created_target_to_proto,
            once=_once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.CreateIpamPrefixListResolverTargetResponse.FromString(answer)

    async def DescribeIpamPrefixListResolverTargets(
        self, request: pb.DescribeIpamPrefixListResolverTargetsRequest, context: Context
    ) -> pb.DescribeIpamPrefixListResolverTargetsResponse:
        filters = FilterSet(request.filters, pb.IpamPrefixListResolverTarget.DESCRIPTOR)

        def page(found: TargetsAfter) -> tuple[list[pb.IpamPrefixListResolverTarget], str | None]:
            return paginate(
                request, lambda after: _passing(filters, found(after), described_target_to_proto)
            )

        records, token = await self._targets.describe(
            caller_of(context),
            request.ipam_prefix_list_resolver_target_ids,
            request.ipam_prefix_list_resolver_id or None,
            page,
        )
        return pb.DescribeIpamPrefixListResolverTargetsResponse(
            ipam_prefix_list_resolver_targets=records, next_token=token
        )

    async def ModifyIpamPrefixListResolverTarget(
        self, request: pb.ModifyIpamPrefixListResolverTargetRequest, context: Context
    ) -> pb.ModifyIpamPrefixListResolverTargetResponse:
        caller = caller_of(context)
        answer = await self._targets.modify(
            caller,
            request.ipam_prefix_list_resolver_target_id,
            aim_from_proto(request),
            modified_target_to_proto,
            once=_once_of(request, caller),
            dry_run=request.dry_run,
        )
        return pb.ModifyIpamPrefixListResolverTargetResponse.FromString(answer)

    async def DeleteIpamPrefixListResolverTarget(
        self, request: pb.DeleteIpamPrefixListResolverTargetRequest, context: Context
    ) -> pb.DeleteIpamPrefixListResolverTargetResponse:
        shown = await self._targets.delete(
            caller_of(context),
            request.ipam_prefix_list_resolver_target_id,
            dry_run=request.dry_run,
        )
        return pb.DeleteIpamPrefixListResolverTargetResponse(
            ipam_prefix_list_resolver_target=target_to_proto(shown, TargetState.DELETE_IN_PROGRESS)
        )

    async def CreateTags(
        self, request: pb.CreateTagsRequest, context: Context
    ) -> pb.CreateTagsResponse:
        added = tags_from_proto(request.tags)
        await self._targets.change_tags(
            caller_of(context),
            request.resources,
            lambda tags: with_tags(tags, added),
            dry_run=request.dry_run,
        )
        return pb.CreateTagsResponse()

    async def DeleteTags(
        self, request: pb.DeleteTagsRequest, context: Context
    ) -> pb.DeleteTagsResponse:
        await self._targets.change_tags(
            caller_of(context),
            request.resources,
            lambda tags: without_tags(tags, request.tags),
            dry_run=request.dry_run,
        )
        return pb.DeleteTagsResponse()


def _once_of(
    request: Any,  # generated messages with a token share no typed base
    caller: Caller,
) -> Once:
    """A token names a request of one account in one region, as its resources do."""
    operation = f"{request.DESCRIPTOR.name} {caller.region}"
    return Once(caller.account_id, operation, request.client_token, request)


def _passing(
    filters: FilterSet,
    found: Iterator[tuple[str, Known]],
    to_proto: Callable[[Known], Record],
) -> Iterator[tuple[str, Record]]:
    for key, known in found:
        record = to_proto(known)
        if filters.matches(record):
            yield key, record


def _page(
    request: Any,  # generated listing requests share no typed base
    known: Sequence[Known],
    to_proto: Callable[[Known], Record],
    filters: FilterSet | None = None,
    key: Callable[[Known], int] | None = None,
) -> tuple[list[Record], str | None]:
    """Of a short list that is in memory; without a ``key`` its records are told by their place."""
    keyed = [(key(one) if key else place, one) for place, one in enumerate(known)]

    def records_after(after: str | None) -> Iterator[tuple[str, Record]]:
        last = _number(after)
        for number, one in keyed:
            if last is not None and number <= last:
                continue
            record = to_proto(one)
            if filters is None or filters.matches(record):
                yield str(number), record

    return paginate(request, records_after)


def _number(key: str | None) -> int | None:
    try:
        return None if key is None else int(key)
    except ValueError:
        raise InvalidNextToken from None


def _version_to_proto(version: Version) -> pb.IpamPrefixListResolverVersion:
    return pb.IpamPrefixListResolverVersion(version=version.number)


def _entry_to_proto(cidr: Cidr) -> pb.IpamPrefixListResolverVersionEntry:
    return pb.IpamPrefixListResolverVersionEntry(cidr=str(cidr))
