"""Instances through gRPC, on both databases."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2
from cadastre.network.v1 import address_service_pb2, network_service_pb2
from cadastre.network.v1 import instance_service_pb2 as pb
from cadastre.network.v1 import subnet_service_pb2 as subnet_pb
from services.network.instance import SHOWN_AFTER_TERMINATION
from services.network.service.instances import Instances
from shared.errors import CadastreError
from shared.settings import Settings
from tests.network.conftest import Network, network_running
from tests.network.mortal import process
from tests.network.support import CALLER, OWNER, REGION, STRANGER, tagged

UNKNOWN_INSTANCE, UNKNOWN_SUBNET = "i-00000000000000000", "subnet-00000000000000000"
RUNNING, TERMINATED = pb.INSTANCE_STATE_NAME_RUNNING, pb.INSTANCE_STATE_NAME_TERMINATED


@pytest.fixture
async def subnet(api: Network) -> subnet_pb.Subnet:
    return await make_subnet(api)


async def make_subnet(api: Network) -> subnet_pb.Subnet:
    """10.0.0.0/28: eleven addresses for interfaces."""
    vpc = await api.create(cidr_block="10.0.0.0/16")
    return await api.create_subnet(vpc_id=vpc.vpc_id, cidr_block="10.0.0.0/28")


async def run(api: Network, **members: Any) -> pb.RunInstancesResponse:
    wanted = pb.RunInstancesRequest(**{"min_count": 1, "max_count": 1, **members})
    answer: pb.RunInstancesResponse = await api.instances.call(wanted)
    return answer


async def describe(api: Network, **members: Any) -> list[pb.Instance]:
    answer = await api.instances.call(pb.DescribeInstancesRequest(**members))
    return [instance for found in answer.reservations for instance in found.instances]


async def terminate(api: Network, *instance_ids: str, **members: Any) -> list[tuple[str, int, int]]:
    request = pb.TerminateInstancesRequest(instance_ids=instance_ids, **members)
    return [
        (found.instance_id, found.previous_state.code, found.current_state.code)
        for found in (await api.instances.call(request)).terminating_instances
    ]


async def interfaces(api: Network) -> list[pb.NetworkInterface]:
    answer = await api.instances.call(pb.DescribeNetworkInterfacesRequest())
    return list(answer.network_interfaces)


async def create_interface(api: Network, subnet_id: str) -> pb.NetworkInterface:
    request = pb.CreateNetworkInterfaceRequest(subnet_id=subnet_id)
    created: pb.NetworkInterface = (await api.instances.call(request)).network_interface
    return created


async def test_an_instance_is_pending_in_the_answer_and_running_from_then_on(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    answer = await run(
        api,
        subnet_id=subnet.subnet_id,
        image_id="ami-1",
        instance_type="t3.micro",
        key_name="key",
        security_group_ids=["sg-1"],
        private_ip_address="10.0.0.9",
        placement=pb.Placement(availability_zone="us-west-2a"),
        tag_specifications=tagged("instance", Name="edge"),
    )
    assert (answer.reservation_id[:2], answer.owner_id) == ("r-", OWNER)
    [instance] = answer.instances
    assert (instance.state.code, instance.state.name) == (0, pb.INSTANCE_STATE_NAME_PENDING)
    [interface] = instance.network_interfaces
    assert interface.attachment.status == pb.ATTACHMENT_STATUS_ATTACHING
    assert (interface.attachment.device_index, interface.attachment.delete_on_termination) == (
        0,
        True,
    )
    assert (instance.private_ip_address, instance.subnet_id, instance.vpc_id) == (
        "10.0.0.9",
        subnet.subnet_id,
        subnet.vpc_id,
    )
    assert instance.placement.availability_zone == "us-west-2a"
    assert [group.group_id for group in instance.security_groups] == ["sg-1"]
    [shown] = await describe(api)
    assert (shown.state.code, shown.state.name) == (16, RUNNING)  # BEY-2
    assert shown.network_interfaces[0].attachment.status == pb.ATTACHMENT_STATUS_ATTACHED
    instance.state.CopyFrom(shown.state)
    interface.attachment.status = pb.ATTACHMENT_STATUS_ATTACHED
    assert shown == instance
    [own] = await interfaces(api)
    assert own.network_interface_id == interface.network_interface_id
    assert own.attachment.instance_id == instance.instance_id


async def test_tags_go_to_the_instances_and_to_the_interfaces_made_with_them(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    there = await create_interface(api, subnet.subnet_id)
    [instance] = (
        await run(
            api,
            network_interfaces=[
                {"device_index": 0, "subnet_id": subnet.subnet_id},
                {"device_index": 1, "network_interface_id": there.network_interface_id},
            ],
            tag_specifications=[
                *tagged("instance", Name="edge"),
                *tagged("network-interface", Name="port"),
                *tagged("volume", Name="disk"),
            ],
        )
    ).instances
    assert list(instance.tags) == [types_pb2.Tag(key="Name", value="edge")]
    assert {known.network_interface_id: list(known.tag_set) for known in await interfaces(api)} == {
        instance.network_interfaces[0].network_interface_id: [
            types_pb2.Tag(key="Name", value="port")
        ],
        there.network_interface_id: [],
    }


async def test_as_many_start_as_there_are_addresses_but_never_too_few(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    with pytest.raises(CadastreError) as refusal:
        await run(api, subnet_id=subnet.subnet_id, min_count=12, max_count=20)
    assert refusal.value.reason == "InsufficientFreeAddressesInSubnet"
    assert (await describe(api), await interfaces(api)) == ([], [])
    two_each = [
        pb.InstanceNetworkInterfaceSpecification(device_index=index, subnet_id=subnet.subnet_id)
        for index in range(2)
    ]
    answer = await run(api, network_interfaces=two_each, min_count=2, max_count=20)
    assert [instance.ami_launch_index for instance in answer.instances] == [0, 1, 2, 3, 4]
    held = [
        found.private_ip_address
        for instance in answer.instances
        for found in instance.network_interfaces
    ]
    assert held == [f"10.0.0.{last}" for last in range(4, 14)]
    listed = await api.instances.call(pb.DescribeInstancesRequest())
    [reservation] = listed.reservations
    assert reservation.reservation_id == answer.reservation_id
    assert len(reservation.instances) == 5
    first = await api.instances.call(pb.DescribeInstancesRequest(max_results=5))
    assert not first.HasField("next_token")


async def test_an_instance_takes_interfaces_that_are_there(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    primary = await create_interface(api, subnet.subnet_id)
    specifications = [
        pb.InstanceNetworkInterfaceSpecification(device_index=1, subnet_id=subnet.subnet_id),
        pb.InstanceNetworkInterfaceSpecification(
            device_index=0, network_interface_id=primary.network_interface_id
        ),
    ]
    [instance] = (await run(api, network_interfaces=specifications)).instances
    assert instance.private_ip_address == primary.private_ip_address
    assert [found.attachment.device_index for found in instance.network_interfaces] == [0, 1]
    with pytest.raises(CadastreError) as refusal:
        await run(api, network_interfaces=specifications)
    assert refusal.value.reason == "InvalidNetworkInterface.InUse"
    twice = await create_interface(api, subnet.subnet_id)
    with pytest.raises(CadastreError) as refusal:
        await run(
            api,
            network_interfaces=[
                pb.InstanceNetworkInterfaceSpecification(
                    device_index=index, network_interface_id=twice.network_interface_id
                )
                for index in range(2)
            ],
        )
    assert refusal.value.reason == "InvalidNetworkInterface.InUse"
    assert len(await describe(api)) == 1

    await terminate(api, instance.instance_id)
    # Made with the instance: gone. There before: there still, without a place.
    assert {found.network_interface_id: found.status for found in await interfaces(api)} == {
        primary.network_interface_id: pb.NETWORK_INTERFACE_STATUS_AVAILABLE,
        twice.network_interface_id: pb.NETWORK_INTERFACE_STATUS_AVAILABLE,
    }


async def test_refused_instances_leave_nothing_behind(  # BEY-4
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    elsewhere = await api.create_subnet(
        vpc_id=subnet.vpc_id, cidr_block="10.0.1.0/28", availability_zone="us-west-2b"
    )
    there = {"subnet_id": subnet.subnet_id}
    for members, reason in (
        ({}, "MissingParameter"),
        ({"subnet_id": UNKNOWN_SUBNET}, "InvalidSubnetID.NotFound"),
        ({**there, "min_count": 3, "max_count": 2}, "InvalidParameterValue"),
        ({**there, "private_ip_address": "10.0.0.2"}, "InvalidParameterValue"),
        ({**there, "private_ip_address": "10.0.0.300"}, "InvalidParameterValue"),
        (
            {**there, "private_ip_address": "10.0.0.9", "max_count": 2},
            "InvalidParameterCombination",
        ),
        (
            {**there, "placement": pb.Placement(availability_zone="us-west-2b")},
            "InvalidParameterValue",
        ),
        ({**there, "tag_specifications": tagged("subnet", a="b")}, "InvalidParameterValue"),
        (
            {**there, "tag_specifications": tagged("network-interface", **{"aws:a": "b"})},
            "InvalidParameterValue",
        ),
        ({**there, "network_interfaces": [{"device_index": 0}]}, "InvalidParameterCombination"),
        (
            {
                "network_interfaces": [
                    {"device_index": 0, "subnet_id": subnet.subnet_id},
                    {"device_index": 1, "subnet_id": elsewhere.subnet_id},
                ]
            },
            "InvalidParameterCombination",
        ),
        ({**there, "dry_run": True}, "DryRunOperation"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await run(api, **members)
        assert (refusal.value.reason, members) == (reason, members)
    assert (await describe(api), await interfaces(api)) == ([], [])


async def test_a_repeated_request_gets_the_first_instances(  # ALLOC-7, BEY-5
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    request = {"subnet_id": subnet.subnet_id, "max_count": 2, "client_token": "one"}
    outcomes = await asyncio.gather(*(run(api, **request) for _ in range(3)))
    assert outcomes[0] == outcomes[1] == outcomes[2]
    shown = await describe(api)
    assert [found.client_token for found in shown] == ["one", "one"]
    with pytest.raises(CadastreError) as refusal:
        await run(api, **request, image_id="ami-1")
    assert refusal.value.reason == "IdempotentParameterMismatch"


async def test_a_terminated_instance_has_nothing_any_more(
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    ids = [found.instance_id for found in (await run(api, **_two(subnet))).instances]
    eip = await api.allocate()
    await api.addresses.call(
        address_service_pb2.AssociateAddressRequest(
            allocation_id=eip.allocation_id, instance_id=ids[1]
        )
    )
    [_, shown] = await describe(api)
    assert shown.public_ip_address == eip.public_ip
    for refused, reason in (
        ([ids[0], UNKNOWN_INSTANCE], "InvalidInstanceID.NotFound"),
        ([], "MissingParameter"),
    ):
        with pytest.raises(CadastreError) as refusal:
            await terminate(api, *refused)
        assert refusal.value.reason == reason
    with pytest.raises(CadastreError) as refusal:
        await terminate(api, *ids, dry_run=True)
    assert refusal.value.reason == "DryRunOperation"
    assert [found.state.name for found in await describe(api)] == [RUNNING] * 2

    assert await terminate(api, ids[1], ids[0]) == [(ids[1], 16, 32), (ids[0], 16, 32)]
    assert await terminate(api, ids[1]) == [(ids[1], 48, 48)]
    shown = (await describe(api, instance_ids=[ids[1]]))[0]
    assert (shown.state.code, shown.state.name) == (48, TERMINATED)
    assert not shown.network_interfaces
    for member in ("subnet_id", "vpc_id", "private_ip_address", "public_ip_address"):
        assert not shown.HasField(member)
    assert await interfaces(api) == []
    addresses = await api.addresses.call(address_service_pb2.DescribeAddressesRequest())
    assert [found.association_id for found in addresses.addresses] == [""]
    await api.subnets.call(subnet_pb.DeleteSubnetRequest(subnet_id=subnet.subnet_id))
    await api.vpcs.call(network_service_pb2.DeleteVpcRequest(vpc_id=subnet.vpc_id))


async def test_a_terminated_instance_is_shown_for_an_hour(settings: Settings) -> None:
    async with network_running(settings) as api:
        subnet = await make_subnet(api)
        ids = [found.instance_id for found in (await run(api, **_two(subnet))).instances]

    async with process(settings) as one:

        def at(moment: datetime) -> Instances:
            return Instances(one.store, lambda: moment)

        ended = datetime.now(UTC)
        await at(ended).terminate(CALLER, ids[:1], dry_run=False)
        hour = ended + SHOWN_AFTER_TERMINATION
        assert await _shown(at(hour)) == ids
        assert await _shown(at(hour + timedelta(seconds=1))) == ids[1:]
        with pytest.raises(CadastreError) as refusal:
            await at(hour + timedelta(seconds=1)).describe(CALLER, ids, _ids)
        assert refusal.value.reason == "InvalidInstanceID.NotFound"
        # The next one that ends takes along what is shown no more.
        assert await one.store.read(lambda rows: rows.instances.get(CALLER, ids[0], lock=False))
        await at(hour + timedelta(seconds=1)).terminate(CALLER, ids[1:], dry_run=False)
        gone = await one.store.read(lambda rows: rows.instances.get(CALLER, ids[0], lock=False))
        assert gone is None


async def test_instances_are_filtered_as_ec2_does(  # BEY-6
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    a = await run(
        api,
        subnet_id=subnet.subnet_id,
        image_id="ami-1",
        instance_type="t3.micro",
        key_name="key",
        client_token="token",
        security_group_ids=["sg-1"],
        tag_specifications=tagged("instance", Name="a"),
    )
    b = await run(api, subnet_id=subnet.subnet_id)
    eip = await api.allocate()
    await api.addresses.call(
        address_service_pb2.AssociateAddressRequest(
            allocation_id=eip.allocation_id, instance_id=b.instances[0].instance_id
        )
    )
    labels = {a.instances[0].instance_id: "a", b.instances[0].instance_id: "b"}
    interface = b.instances[0].network_interfaces[0]
    inner = "network-interface"

    def launched_at(answer: pb.RunInstancesResponse) -> str:
        moment = answer.instances[0].launch_time.ToDatetime(tzinfo=UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"

    for name, value, found in (
        ("instance-id", a.instances[0].instance_id, "a"),
        ("instance-state-name", "running", "ab"),
        ("instance-state-code", "48", ""),
        ("reservation-id", b.reservation_id, "b"),
        ("owner-id", OWNER, "ab"),
        ("subnet-id", subnet.subnet_id, "ab"),
        ("vpc-id", subnet.vpc_id, "ab"),
        ("private-ip-address", "10.0.0.5", "b"),
        ("ip-address", eip.public_ip, "b"),
        ("image-id", "ami-*", "a"),
        ("instance-type", "t3.micro", "a"),
        ("key-name", "key", "a"),
        ("client-token", "token", "a"),
        ("instance.group-id", "sg-1", "a"),
        ("launch-index", "0", "ab"),
        ("availability-zone", f"{REGION}a", "ab"),
        (f"{inner}.network-interface-id", interface.network_interface_id, "b"),
        (f"{inner}.addresses.private-ip-address", "10.0.0.5", "b"),
        (f"{inner}.addresses.association.public-ip", eip.public_ip, "b"),
        (f"{inner}.association.public-ip", eip.public_ip, "b"),
        (f"{inner}.attachment.attachment-id", interface.attachment.attachment_id, "b"),
        (f"{inner}.attachment.device-index", "0", "ab"),
        (f"{inner}.mac-address", interface.mac_address, "b"),
        (f"{inner}.subnet-id", subnet.subnet_id, "ab"),
        (f"{inner}.status", "in-use", "ab"),
        (f"{inner}.availability-zone", f"{REGION}a", "ab"),
        (f"{inner}.availability-zone", f"{REGION}b", ""),
        (f"{inner}.source-dest-check", "true", "ab"),
        (f"{inner}.source-dest-check", "false", ""),
        ("source-dest-check", "true", "ab"),
        ("source-dest-check", "false", ""),
        ("launch-time", launched_at(a), "a"),
        ("launch-time", launched_at(b)[:4] + "-*Z", "ab"),
        ("tag:Name", "a", "a"),
        ("tag-key", "Name", "a"),
    ):
        filters = [types_pb2.Filter(name=name, values=[value])]
        shown = await describe(api, filters=filters)
        assert ("".join(labels[known.instance_id] for known in shown), name) == (found, name)
    with pytest.raises(CadastreError, match="'instance-id-2' is invalid"):
        await describe(api, filters=[types_pb2.Filter(name="instance-id-2", values=["b"])])


async def test_instances_are_listed_by_id_tagged_and_nobody_elses(  # BEY-6, BEY-12
    api: Network, subnet: subnet_pb.Subnet
) -> None:
    first = await run(api, subnet_id=subnet.subnet_id, max_count=7)
    ids = [instance.instance_id for instance in first.instances]
    page = await api.instances.call(pb.DescribeInstancesRequest(max_results=5))
    rest = await api.instances.call(
        pb.DescribeInstancesRequest(max_results=5, next_token=page.next_token)
    )
    pages = [
        [i.instance_id for r in answer.reservations for i in r.instances] for answer in (page, rest)
    ]
    assert pages == [ids[:5], ids[5:]]
    assert not rest.HasField("next_token")
    tag = types_pb2.Tag(key="Name", value="edge")
    await api.vpcs.call(network_service_pb2.CreateTagsRequest(resources=ids[:1], tags=[tag]))
    [shown] = await describe(api, instance_ids=ids[:1])
    assert list(shown.tags) == [tag]
    with pytest.raises(CadastreError) as refusal:
        await describe(api, instance_ids=[ids[0], UNKNOWN_INSTANCE])
    assert refusal.value.reason == "InvalidInstanceID.NotFound"
    for request in (
        pb.DescribeInstancesRequest(instance_ids=ids[:1]),
        pb.TerminateInstancesRequest(instance_ids=ids[:1]),
    ):
        with pytest.raises(CadastreError) as refusal:
            await api.instances.call(request, caller=replace(CALLER, account_id=STRANGER))
        assert refusal.value.reason == "InvalidInstanceID.NotFound"


def _two(subnet: subnet_pb.Subnet) -> dict[str, Any]:
    return {"subnet_id": subnet.subnet_id, "min_count": 2, "max_count": 2}


def _ids(instances: Callable[..., Any]) -> list[str]:
    return [known.instance.instance_id for _, known in instances(None)]


async def _shown(instances: Instances) -> list[str]:
    return await instances.describe(CALLER, (), _ids)
