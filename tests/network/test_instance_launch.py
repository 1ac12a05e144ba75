"""What RunInstances is asked for."""

from ipaddress import IPv4Address
from typing import Any

import pytest

from services.network.launch import (
    Device,
    DeviceMembers,
    ExistingDevice,
    Launch,
    NewDevice,
    PlaceMembers,
    devices,
)
from shared.errors import CadastreError

CLASH, VALUE, MISSING = "InvalidParameterCombination", "InvalidParameterValue", "MissingParameter"


def new(device_index: int = 0, subnet_id: str = "subnet-1", **members: Any) -> NewDevice:
    default: dict[str, Any] = {
        "private_address": None,
        "description": "",
        "groups": (),
        "delete_on_termination": True,
    }
    return NewDevice(device_index=device_index, subnet_id=subnet_id, **{**default, **members})


def launch(*wanted: Device, **members: Any) -> Launch:
    default: dict[str, Any] = {
        "min_count": 1,
        "max_count": 1,
        "availability_zone": None,
        "image_id": None,
        "instance_type": None,
        "key_name": None,
        "client_token": "",
        "tags": {},
        "interface_tags": {},
    }
    return Launch(devices=wanted, **{**default, **members})


@pytest.mark.parametrize(
    ("members", "found"),
    [
        pytest.param(
            PlaceMembers(
                subnet_id="subnet-1",
                private_ip_address="10.0.0.9",
                security_group_ids=("sg-1",),
            ),
            (new(private_address=IPv4Address("10.0.0.9"), groups=("sg-1",)),),
            id="by subnet",
        ),
        pytest.param(
            PlaceMembers(
                devices=[
                    DeviceMembers(device_index=1, network_interface_id="eni-1"),
                    DeviceMembers(
                        device_index=0, subnet_id="subnet-1", delete_on_termination=False
                    ),
                ]
            ),
            (new(delete_on_termination=False), ExistingDevice(1, "eni-1")),
            id="by interfaces, the primary one first",
        ),
        pytest.param(
            PlaceMembers(
                devices=[
                    DeviceMembers(
                        device_index=0, network_interface_id="eni-1", delete_on_termination=False
                    )
                ]
            ),
            (ExistingDevice(0, "eni-1"),),
            id="an interface that stays anyway",
        ),
    ],
)
def test_a_place_is_a_subnet_or_interfaces(members: PlaceMembers, found: tuple[Device]) -> None:
    assert devices(members) == found


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        pytest.param({}, MISSING, id="no default VPC"),
        pytest.param({"subnet_id": "s", "private_ip_address": "10.0.0"}, VALUE, id="no address"),
        pytest.param({"devices": [DeviceMembers(subnet_id="s")]}, MISSING, id="no index"),
        pytest.param({"devices": [DeviceMembers(device_index=0)]}, MISSING, id="no subnet"),
        pytest.param(
            {"devices": [DeviceMembers(device_index=1, subnet_id="s")]}, CLASH, id="none primary"
        ),
        pytest.param(
            {"devices": [DeviceMembers(device_index=-1, subnet_id="s")]}, VALUE, id="below 0"
        ),
        pytest.param(
            {"devices": [DeviceMembers(device_index=0, subnet_id="s")] * 2}, VALUE, id="index twice"
        ),
        *(
            pytest.param(
                {"devices": [DeviceMembers(device_index=0, subnet_id="s")], **beside},
                CLASH,
                id=f"interfaces beside {next(iter(beside))}",
            )
            for beside in (
                {"subnet_id": "s"},
                {"private_ip_address": "10.0.0.9"},
                {"security_group_ids": ("sg-1",)},
            )
        ),
        *(
            pytest.param(
                {
                    "devices": [
                        DeviceMembers(device_index=0, network_interface_id="eni-1", **beside)
                    ]
                },
                CLASH,
                id=f"an existing interface with {next(iter(beside))}",
            )
            for beside in (
                {"subnet_id": "s"},
                {"private_ip_address": "10.0.0.9"},
                {"description": "d"},
                {"groups": ("sg-1",)},
                {"delete_on_termination": True},
            )
        ),
    ],
)
def test_other_places_are_refused(members: Any, reason: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        devices(PlaceMembers(**members))
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("wanted", "members", "reason"),
    [
        pytest.param([new()], {"min_count": 2}, VALUE, id="fewest above most"),
        pytest.param([ExistingDevice(0, "eni-1")], {"max_count": 2}, CLASH, id="one interface"),
        pytest.param(
            [new(private_address=IPv4Address("10.0.0.9"))],
            {"max_count": 2},
            CLASH,
            id="one address",
        ),
        pytest.param(
            [new(index, private_address=IPv4Address("10.0.0.9")) for index in range(2)],
            {},
            VALUE,
            id="one address for two interfaces",
        ),
    ],
)
def test_what_only_one_can_have_is_not_for_several(
    wanted: list[Device], members: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CadastreError) as refusal:
        launch(*wanted, **members)
    assert refusal.value.reason == reason


def test_subnets_and_interfaces_are_locked_in_order() -> None:
    wanted = launch(
        new(0, "subnet-2"),
        new(1, "subnet-1", private_address=IPv4Address("10.0.0.9")),
        ExistingDevice(2, "eni-2"),
        new(3, "subnet-2"),
        ExistingDevice(4, "eni-1"),
    )
    assert wanted.subnet_ids == ["subnet-1", "subnet-2"]
    assert wanted.network_interface_ids == ["eni-1", "eni-2"]
    assert wanted.given_addresses("subnet-1") == [IPv4Address("10.0.0.9")]
    assert (wanted.addresses_to_choose("subnet-1"), wanted.addresses_to_choose("subnet-2")) == (
        0,
        2,
    )


def test_an_instance_is_in_the_zone_of_all_its_interfaces() -> None:
    assert launch(new()).zone(["us-west-2a", "us-west-2a"]) == "us-west-2a"
    assert launch(new(), availability_zone="us-west-2a").zone(["us-west-2a"]) == "us-west-2a"
    for wanted, zones, reason in (
        (launch(new()), ["us-west-2a", "us-west-2b"], CLASH),
        (launch(new(), availability_zone="us-west-2b"), ["us-west-2a"], VALUE),
    ):
        with pytest.raises(CadastreError) as refusal:
            wanted.zone(zones)
        assert refusal.value.reason == reason
