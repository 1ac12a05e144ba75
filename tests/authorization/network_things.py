"""Subnets, instances, addresses and prefix lists, made through the API."""

from typing import Any

from tests.authorization.installation import Installation
from tests.authorization.services import ADDRESSES, INSTANCES, NETWORK, PREFIX_LISTS, SUBNETS


async def network_things(it: Installation, account_id: str, secret: str) -> dict[str, str]:
    """What an account has in a VPC made for it, and besides, by field of `Things`."""

    def tagged(kind: str) -> dict[str, Any]:
        tags = [{"key": "note", "value": secret}]
        return {"tag_specifications": [{"resource_type": kind, "tags": tags}]}

    async def do(path: str, **members: Any) -> Any:
        return await it.do(account_id, path, **members)

    vpc_id = (await do(f"{NETWORK}/CreateVpc", cidr_block="172.16.0.0/16")).vpc.vpc_id

    async def subnet(cidr_block: str) -> str:
        made = await do(
            f"{SUBNETS}/CreateSubnet", vpc_id=vpc_id, cidr_block=cidr_block, **tagged("subnet")
        )
        subnet_id: str = made.subnet.subnet_id
        return subnet_id

    async def interface(subnet_id: str) -> str:
        made = await do(
            f"{INSTANCES}/CreateNetworkInterface",
            subnet_id=subnet_id,
            description=secret,
            **tagged("network-interface"),
        )
        interface_id: str = made.network_interface.network_interface_id
        return interface_id

    async def address() -> str:
        made = await do(f"{ADDRESSES}/AllocateAddress", **tagged("elastic-ip"))
        allocation_id: str = made.allocation_id
        return allocation_id

    used, spare = await subnet("172.16.0.0/24"), await subnet("172.16.1.0/24")
    first, second = await interface(used), await interface(used)
    run = await do(
        f"{INSTANCES}/RunInstances", subnet_id=used, min_count=1, max_count=1, **tagged("instance")
    )
    [instance] = run.instances
    attached = await do(
        f"{INSTANCES}/AttachNetworkInterface",
        network_interface_id=first,
        instance_id=instance.instance_id,
        device_index=1,
    )
    public, spare_address = await address(), await address()
    associated = await do(
        f"{ADDRESSES}/AssociateAddress", allocation_id=public, instance_id=instance.instance_id
    )
    pool = await do(f"{ADDRESSES}/CreatePublicIpv4Pool", **tagged("ipv4pool-ec2"))
    prefix_list = await do(
        f"{PREFIX_LISTS}/CreateManagedPrefixList",
        prefix_list_name=secret,
        address_family="IPv4",
        max_entries=5,
        entries=[{"cidr": "172.16.0.0/16", "description": secret}],
        **tagged("prefix-list"),
    )
    return {
        "subnets_vpc_id": vpc_id,
        "subnet_id": used,
        "spare_subnet_id": spare,
        "network_interface_id": first,
        "spare_network_interface_id": second,
        "instance_id": instance.instance_id,
        "attachment_id": attached.attachment_id,
        "address_allocation_id": public,
        "spare_address_allocation_id": spare_address,
        "address_association_id": associated.association_id,
        "public_ipv4_pool_id": pool.pool_id,
        "prefix_list_id": prefix_list.prefix_list.prefix_list_id,
    }
