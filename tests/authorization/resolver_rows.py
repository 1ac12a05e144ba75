"""Prefix list resolvers and their targets (BEY-12)."""

from collections.abc import Callable
from functools import partial

from tests.authorization.callers import HOME
from tests.authorization.row import ITS_ALONE, SHOWN_TO_IT_ALONE, Members, Row
from tests.authorization.services import IPV4, RESOLVERS
from tests.authorization.things import Things

_NOTE = [{"key": "note", "value": "new"}]
_resolvers = partial(Row, RESOLVERS, is_about_owners=True)


def _of_resolver(
    id_of: Callable[[Things], str] = lambda it: it.prefix_list_resolver_id, **members: object
) -> Members:
    return lambda it: {"ipam_prefix_list_resolver_id": id_of(it), **members}


def _of_target(**members: object) -> Members:
    return lambda it: {
        "ipam_prefix_list_resolver_target_id": it.prefix_list_resolver_target_id,
        **members,
    }


ROWS = [
    _resolvers(
        "CreateIpamPrefixListResolver",
        ITS_ALONE,
        lambda it: {"ipam_id": it.ipam_id, "address_family": IPV4},
    ),
    _resolvers(
        "DescribeIpamPrefixListResolvers",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.prefix_list_resolver_id,
    ),
    _resolvers(
        "DescribeIpamPrefixListResolvers",
        ITS_ALONE,
        lambda it: {"ipam_prefix_list_resolver_ids": [it.prefix_list_resolver_id]},
    ),
    _resolvers("ModifyIpamPrefixListResolver", ITS_ALONE, _of_resolver(description="new")),
    _resolvers(
        "DeleteIpamPrefixListResolver",
        ITS_ALONE,
        _of_resolver(lambda it: it.spare_prefix_list_resolver_id),
    ),
    _resolvers("GetIpamPrefixListResolverRules", ITS_ALONE, _of_resolver()),
    _resolvers("GetIpamPrefixListResolverVersions", ITS_ALONE, _of_resolver()),
    _resolvers(
        "GetIpamPrefixListResolverVersionEntries",
        ITS_ALONE,
        _of_resolver(ipam_prefix_list_resolver_version=1),
    ),
    _resolvers(
        "CreateIpamPrefixListResolverTarget",
        ITS_ALONE,
        lambda it: {
            "ipam_prefix_list_resolver_id": it.prefix_list_resolver_id,
            "prefix_list_id": it.prefix_list_id,
            "prefix_list_region": HOME,
            "track_latest_version": True,
        },
    ),
    _resolvers(
        "DescribeIpamPrefixListResolverTargets",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.prefix_list_resolver_target_id,
    ),
    _resolvers(
        "DescribeIpamPrefixListResolverTargets",
        ITS_ALONE,
        lambda it: {"ipam_prefix_list_resolver_target_ids": [it.prefix_list_resolver_target_id]},
        note="by id",
    ),
    _resolvers(
        "DescribeIpamPrefixListResolverTargets", ITS_ALONE, _of_resolver(), note="of a resolver"
    ),
    _resolvers("ModifyIpamPrefixListResolverTarget", ITS_ALONE, _of_target(desired_version=1)),
    _resolvers("DeleteIpamPrefixListResolverTarget", ITS_ALONE, _of_target()),
    *(
        _resolvers(
            rpc,
            ITS_ALONE,
            lambda it: {
                "resources": [it.prefix_list_resolver_id, it.prefix_list_resolver_target_id],
                "tags": _NOTE,
            },
        )
        for rpc in ("CreateTags", "DeleteTags")
    ),
]
