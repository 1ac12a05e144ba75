"""Prefix list resolvers, made through the API."""

from typing import Any

from tests.authorization.callers import HOME
from tests.authorization.installation import Installation
from tests.authorization.services import IPV4, PREFIX_LISTS, RESOLVERS
from tests.waiting import eventually

_STATIC = "IPAM_PREFIX_LIST_RESOLVER_RULE_TYPE_STATIC_CIDR"


async def resolver_things(
    it: Installation, account_id: str, secret: str, ipam_id: str
) -> dict[str, str]:
    """What an account has to fill prefix lists, by field of `Things`."""

    def tagged(kind: str) -> dict[str, Any]:
        tags = [{"key": "note", "value": secret}]
        return {"tag_specifications": [{"resource_type": kind, "tags": tags}]}

    async def resolver(**members: Any) -> str:
        made = await it.do(
            account_id,
            f"{RESOLVERS}/CreateIpamPrefixListResolver",
            ipam_id=ipam_id,
            address_family=IPV4,
            rules=[{"rule_type": _STATIC, "static_cidr": "172.16.0.0/16"}],
            **members,
        )
        resolver_id: str = made.ipam_prefix_list_resolver.ipam_prefix_list_resolver_id
        return resolver_id

    used = await resolver(description=secret, **tagged("ipam-prefix-list-resolver"))
    spare = await resolver()

    async def has_version() -> bool:
        path = f"{RESOLVERS}/GetIpamPrefixListResolverVersions"
        answer = await it.do(account_id, path, ipam_prefix_list_resolver_id=used)
        return bool(answer.ipam_prefix_list_resolver_versions)

    await eventually(has_version)
    prefix_list = await it.do(
        account_id,
        f"{PREFIX_LISTS}/CreateManagedPrefixList",
        prefix_list_name=secret,
        address_family="IPv4",
        max_entries=5,
    )
    target = await it.do(
        account_id,
        f"{RESOLVERS}/CreateIpamPrefixListResolverTarget",
        ipam_prefix_list_resolver_id=used,
        prefix_list_id=prefix_list.prefix_list.prefix_list_id,
        prefix_list_region=HOME,
        track_latest_version=True,
        **tagged("ipam-prefix-list-resolver-target"),
    )
    target_id = target.ipam_prefix_list_resolver_target.ipam_prefix_list_resolver_target_id

    async def is_synchronised() -> bool:
        path = f"{RESOLVERS}/DescribeIpamPrefixListResolverTargets"
        [found] = (await it.do(account_id, path)).ipam_prefix_list_resolver_targets
        return bool(found.last_synced_version)

    await eventually(is_synchronised)
    return {
        "prefix_list_resolver_id": used,
        "spare_prefix_list_resolver_id": spare,
        "prefix_list_resolver_target_id": target_id,
    }
