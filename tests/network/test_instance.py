"""Instances and interfaces: what fits together."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest

from services.network.instance import Instance, InstanceState
from services.network.interface import Attachment, NetworkInterface
from shared.errors import CadastreError

NOW = datetime(2026, 11, 26, tzinfo=UTC)
INSTANCE = Instance(
    instance_id="i-1",
    reservation_id="r-1",
    owner_id="123456789012",
    region="us-west-2",
    availability_zone="us-west-2a",
    image_id=None,
    instance_type=None,
    key_name=None,
    launch_index=0,
    launched_at=NOW,
    client_token="",
    terminated_at=None,
    tags={},
)
INTERFACE = NetworkInterface(
    network_interface_id="eni-1",
    subnet_id="subnet-1",
    vpc_id="vpc-1",
    owner_id="123456789012",
    region="us-west-2",
    availability_zone="us-west-2a",
    description="",
    groups=(),
    private_addresses=(IPv4Address("10.0.0.4"),),
    ipv6_addresses=(),
    attachment=None,
    tags={},
)


def at(device_index: int) -> Attachment:
    return Attachment(
        attachment_id=f"eni-attach-{device_index}",
        instance_id="i-1",
        device_index=device_index,
        delete_on_termination=True,
        attached_at=NOW,
    )


def test_an_instance_ends_once() -> None:
    ended = INSTANCE.terminated(NOW)
    assert (INSTANCE.state, ended.state) == (InstanceState.RUNNING, InstanceState.TERMINATED)
    assert ended.terminated(NOW + timedelta(minutes=1)) == ended


def test_a_terminated_instance_is_shown_for_a_while() -> None:
    ended = INSTANCE.terminated(NOW)
    assert INSTANCE.is_shown(NOW + timedelta(days=1))
    assert ended.is_shown(NOW)
    assert not ended.is_shown(NOW + timedelta(microseconds=1))


def test_interfaces_and_instances_fit_within_a_zone_one_for_an_index() -> None:
    present = [replace(INTERFACE, network_interface_id="eni-0", attachment=at(0))]
    INSTANCE.check_attachable(INTERFACE, 1, present)
    for instance, interface, index, reason in (
        (INSTANCE, INTERFACE, 0, "InvalidParameterValue"),
        (
            INSTANCE,
            replace(INTERFACE, availability_zone="us-west-2b"),
            1,
            "InvalidParameterValue",
        ),
        (INSTANCE.terminated(NOW), INTERFACE, 1, "IncorrectInstanceState"),
    ):
        with pytest.raises(CadastreError) as refusal:
            instance.check_attachable(interface, index, present)
        assert refusal.value.reason == reason


def test_an_interface_has_one_place_and_the_primary_one_keeps_it() -> None:
    secondary, primary = INTERFACE.attached(at(1)), INTERFACE.attached(at(0))
    assert secondary.detached() == INTERFACE
    with pytest.raises(CadastreError) as in_use:
        secondary.attached(at(2))
    assert in_use.value.reason == "InvalidNetworkInterface.InUse"
    with pytest.raises(CadastreError) as kept:
        primary.detached()
    assert kept.value.reason == "OperationNotPermitted"
    with pytest.raises(CadastreError, match="currently in use") as refused:
        secondary.check_deletable()
    assert refused.value.reason == "InvalidParameterValue"
    INTERFACE.check_deletable()


def test_mac_addresses_are_locally_administered_and_stay() -> None:
    macs = {replace(INTERFACE, network_interface_id=f"eni-{n}").mac_address for n in range(1000)}
    assert len(macs) == 1000
    assert all(re.fullmatch(r"02(:[0-9a-f]{2}){5}", mac) for mac in macs)
    assert INTERFACE.mac_address in macs
