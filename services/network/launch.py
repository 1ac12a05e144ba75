"""What RunInstances is asked for, and whether it can be had."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from services.network.interface import PRIMARY_DEVICE_INDEX
from services.network.interface_addresses import ipv4_address
from shared.errors import InvalidParameterCombination, InvalidParameterValue, MissingParameter
from shared.tags import Tags


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMembers:
    """An item of ``networkInterfaces``; None is absent."""

    device_index: int | None = None
    network_interface_id: str | None = None
    subnet_id: str | None = None
    private_ip_address: str | None = None
    description: str | None = None
    groups: tuple[str, ...] = ()
    delete_on_termination: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceMembers:
    """The members of a request that say where instances are and what they are attached to."""

    subnet_id: str | None = None
    private_ip_address: str | None = None
    security_group_ids: tuple[str, ...] = ()
    devices: Sequence[DeviceMembers] = ()


@dataclass(frozen=True, slots=True)
class ExistingDevice:
    """An interface that is there already."""

    device_index: int
    network_interface_id: str

    @property
    def delete_on_termination(self) -> bool:
        """Only what was made with an instance goes with it."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """An interface that is made with the instance."""

    device_index: int
    subnet_id: str
    private_address: IPv4Address | None
    """To be chosen, when None."""
    description: str
    groups: tuple[str, ...]
    delete_on_termination: bool


Device = NewDevice | ExistingDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """``devices`` are what each instance is attached to, the primary interface first."""

    min_count: int
    max_count: int
    devices: tuple[Device, ...]
    availability_zone: str | None
    image_id: str | None
    instance_type: str | None
    key_name: str | None
    client_token: str
    tags: Tags
    interface_tags: Tags
    """Of the interfaces that are made."""

    def __post_init__(self) -> None:
        """
        Raises:
            InvalidParameterValue: fewer than the fewest are allowed at most, or an address is given
                twice.
            InvalidParameterCombination: several instances can't share what only one can have.
        """
        if self.min_count > self.max_count:
            raise InvalidParameterValue(
                f"Value ({self.min_count}) for parameter minCount is invalid; use at most maxCount,"
                f" which is {self.max_count}",
                parameter="minCount",
                value=self.min_count,
            )
        for subnet_id in self.subnet_ids:
            _check_once(self.given_addresses(subnet_id))
        if self.max_count > 1:
            for device in self.devices:
                _check_repeatable(device)

    @property
    def subnet_ids(self) -> list[str]:
        """Where interfaces are to be made; in order."""
        return sorted({device.subnet_id for device in self._new_devices})

    @property
    def network_interface_ids(self) -> list[str]:
        """What is there already and is to be attached; in order."""
        existing = [device for device in self.devices if isinstance(device, ExistingDevice)]
        return sorted({device.network_interface_id for device in existing})

    def given_addresses(self, subnet_id: str) -> list[IPv4Address]:
        """Those of a subnet that the request names."""
        return [
            device.private_address
            for device in self._new_devices
            if device.subnet_id == subnet_id and device.private_address
        ]

    def addresses_to_choose(self, subnet_id: str) -> int:
        """How many of a subnet each instance needs besides."""
        there = [device for device in self._new_devices if device.subnet_id == subnet_id]
        return sum(device.private_address is None for device in there)

    def zone(self, zones: Collection[str]) -> str:
        """The availability zone the instances are in; ``zones`` are those of their interfaces.

        Raises:
            InvalidParameterCombination: they are in several.
            InvalidParameterValue: another one is asked for.
        """
        named = ", ".join(sorted(set(zones)))
        if len(set(zones)) > 1:
            raise InvalidParameterCombination(
                f"The interfaces of an instance are in one availability zone, not in {named}",
                parameter="networkInterfaces",
                zones=named,
            )
        [zone] = set(zones)
        if self.availability_zone not in (None, zone):
            raise InvalidParameterValue(
                f"Value ({self.availability_zone}) for parameter placement.availabilityZone is"
                f" invalid; the interfaces are in {zone}",
                parameter="placement.availabilityZone",
                value=self.availability_zone,
                zone=zone,
            )
        return zone

    @property
    def _new_devices(self) -> list[NewDevice]:
        return [device for device in self.devices if isinstance(device, NewDevice)]


def devices(members: PlaceMembers) -> tuple[Device, ...]:
    """What each instance is attached to, by device index.

    Raises:
        MissingParameter, InvalidParameterCombination: members that lack, or exclude, each other.
        InvalidParameterValue: no address, or a device index that can't be.
    """
    if members.devices:
        _check_alternatives(members)
        found = sorted(map(_device, members.devices), key=lambda device: device.device_index)
        _check_indexes([device.device_index for device in found])
        return tuple(found)
    primary = DeviceMembers(
        device_index=PRIMARY_DEVICE_INDEX,
        subnet_id=members.subnet_id,
        private_ip_address=members.private_ip_address,
        groups=members.security_group_ids,
    )
    return (_device(primary),)


def _device(members: DeviceMembers) -> Device:
    if members.device_index is None:
        raise MissingParameter("networkInterfaces.deviceIndex")
    if members.network_interface_id is not None:
        _check_existing(members)
        return ExistingDevice(members.device_index, members.network_interface_id)
    if members.subnet_id is None:
        # EC2 would take the default VPC's.
        raise MissingParameter("subnetId")
    address = members.private_ip_address
    return NewDevice(
        device_index=members.device_index,
        subnet_id=members.subnet_id,
        private_address=None if address is None else ipv4_address(address, "privateIpAddress"),
        description=members.description or "",
        groups=members.groups,
        delete_on_termination=members.delete_on_termination is not False,
    )


def _check_alternatives(members: PlaceMembers) -> None:
    for parameter, value in (
        ("subnetId", members.subnet_id),
        ("privateIpAddress", members.private_ip_address),
        ("securityGroupIds", members.security_group_ids),
    ):
        if value:
            raise InvalidParameterCombination(
                f"Network interfaces and an instance-level {parameter} may not be specified on the"
                " same request; give it with the interface",
                parameter=parameter,
            )


def _check_existing(members: DeviceMembers) -> None:
    for parameter, value in (
        ("subnetId", members.subnet_id),
        ("privateIpAddress", members.private_ip_address),
        ("description", members.description),
        ("groups", members.groups),
        ("deleteOnTermination", members.delete_on_termination),
    ):
        if value:
            raise InvalidParameterCombination(
                f"'{members.network_interface_id}' is there already, so {parameter} may not be"
                " specified; leave it out",
                parameter=parameter,
                network_interface_id=members.network_interface_id,
            )


def _check_indexes(indexes: Sequence[int]) -> None:
    for index in indexes:
        if index < PRIMARY_DEVICE_INDEX or indexes.count(index) > 1:
            raise InvalidParameterValue(
                f"Value ({index}) for parameter networkInterfaces.deviceIndex is invalid; use each"
                " index once, from 0",
                parameter="networkInterfaces.deviceIndex",
                value=index,
            )
    if indexes[0] != PRIMARY_DEVICE_INDEX:
        raise InvalidParameterCombination(
            "An instance needs a primary interface; give one of networkInterfaces the device"
            f" index 0, not {indexes[0]}",
            parameter="networkInterfaces.deviceIndex",
        )


def _check_once(given: Sequence[IPv4Address]) -> None:
    for address in given:
        if given.count(address) > 1:
            raise InvalidParameterValue(
                f"Address {address} is given to more than one interface; give it to one",
                parameter="networkInterfaces.privateIpAddress",
                value=address,
            )


def _check_repeatable(device: Device) -> None:
    if isinstance(device, ExistingDevice):
        shared, parameter = device.network_interface_id, "networkInterfaceId"
    elif device.private_address:
        shared, parameter = str(device.private_address), "privateIpAddress"
    else:
        return
    raise InvalidParameterCombination(
        f"{parameter} '{shared}' may not be specified for more than one instance; use a maxCount"
        " of 1",
        parameter=parameter,
        value=shared,
    )
