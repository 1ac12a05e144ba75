"""Setting and removing tags."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial

from services.network.resource import Holder
from services.network.service.interfaces import instance_of, interface_of
from services.network.service.news import tell_of_changed
from services.network.service.prefix_lists import prefix_list_of
from services.network.service.rows import Rows, Store
from services.network.service.subnets import subnet_of
from services.network.service.vpc_defaults import vpc_default_of
from services.network.vpc_defaults import DefaultKind
from shared.caller import Caller
from shared.ids import (
    ADDRESS_ALLOCATION,
    INSTANCE,
    NETWORK_INTERFACE,
    PREFIX_LIST,
    PUBLIC_IPV4_POOL,
    SUBNET,
    VPC,
)
from shared.tags import Tags

Change = Callable[[Tags], Tags]


class Tagging:
    """The tags of every kind of resource."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def change(
        self, caller: Caller, resource_ids: Collection[str], change: Change, *, dry_run: bool
    ) -> None:
        """On all of ``resource_ids`` or none.

        Raises:
            UnknownId: one of them is none of the caller's in its region.
        """

        def use_case(rows: Rows) -> None:
            changed: list[Holder] = []
            # In the order of locks, so that two callers never wait for each other.
            for prefix, tag in _BY_PREFIX.items():
                for resource_id in sorted(set(resource_ids)):
                    if resource_id.startswith(prefix):
                        changed += tag(rows, caller, resource_id, change)
            tell_of_changed(rows, changed)

        await self._store.write(use_case, dry_run=dry_run)


def _tag_vpc(rows: Rows, caller: Caller, vpc_id: str, change: Change) -> list[Holder]:
    vpc = rows.vpcs.get(caller, vpc_id, lock=True)
    if vpc is None:
        raise VPC.unknown(vpc_id)
    tagged = replace(vpc, tags=change(vpc.tags))
    rows.vpcs.save(tagged)
    return [tagged.holder] if tagged != vpc else []


def _tag_subnet(rows: Rows, caller: Caller, subnet_id: str, change: Change) -> list[Holder]:
    subnet = subnet_of(rows, caller, subnet_id, lock=True)
    tagged = replace(subnet, tags=change(subnet.tags))
    rows.subnets.save(tagged)
    return [tagged.holder] if tagged != subnet else []


def _tag_instance(rows: Rows, caller: Caller, instance_id: str, change: Change) -> list[Holder]:
    instance = instance_of(rows, caller, instance_id)
    rows.instances.save(replace(instance, tags=change(instance.tags)))
    return []


def _tag_interface(
    rows: Rows, caller: Caller, network_interface_id: str, change: Change
) -> list[Holder]:
    interface = interface_of(rows, caller, network_interface_id)
    tagged = replace(interface, tags=change(interface.tags))
    rows.interfaces.save(tagged)
    return [tagged.holder] if tagged != interface else []


def _tag_public_ipv4_pool(rows: Rows, caller: Caller, pool_id: str, change: Change) -> list[Holder]:
    pool = rows.public_ipv4_pools.get(caller, pool_id, lock=True)
    if pool is None:
        raise PUBLIC_IPV4_POOL.unknown(pool_id)
    tagged = replace(pool, tags=change(pool.tags))
    rows.public_ipv4_pools.save(tagged)
    return [tagged.holder] if tagged != pool else []


def _tag_address(rows: Rows, caller: Caller, allocation_id: str, change: Change) -> list[Holder]:
    address = rows.addresses.get(caller, allocation_id, lock=True)
    if address is None:
        raise ADDRESS_ALLOCATION.unknown(allocation_id)
    tagged = replace(address, tags=change(address.tags))
    rows.addresses.save(tagged)
    return [tagged.holder] if tagged != address else []


def _tag_prefix_list(
    rows: Rows, caller: Caller, prefix_list_id: str, change: Change
) -> list[Holder]:
    prefix_list = prefix_list_of(rows, caller, prefix_list_id, lock=True)
    rows.prefix_lists.save(replace(prefix_list, tags=change(prefix_list.tags)))
    return []


def _tag_vpc_default(
    kind: DefaultKind, rows: Rows, caller: Caller, resource_id: str, change: Change
) -> list[Holder]:
    default = vpc_default_of(rows, caller, kind, resource_id)
    rows.vpc_defaults.save(replace(default, tags=change(default.tags)))
    return []


_BY_PREFIX: Mapping[str, Callable[[Rows, Caller, str, Change], list[Holder]]] = {
    VPC.prefix: _tag_vpc,
    SUBNET.prefix: _tag_subnet,
    INSTANCE.prefix: _tag_instance,
    NETWORK_INTERFACE.prefix: _tag_interface,
    PUBLIC_IPV4_POOL.prefix: _tag_public_ipv4_pool,
    ADDRESS_ALLOCATION.prefix: _tag_address,
    PREFIX_LIST.prefix: _tag_prefix_list,
    **{kind.ids.prefix: partial(_tag_vpc_default, kind) for kind in DefaultKind},
}
"""Each gives the resource, if readers of the feed are to be told that its tags changed."""
