"""Instances, as records: nothing runs."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.network.errors import DeviceIndexTaken, IncorrectInstanceState, OtherZone
from services.network.interface import NetworkInterface
from shared.tags import Tags

SHOWN_AFTER_TERMINATION = timedelta(hours=1)


class InstanceState(enum.Enum):
    """EC2's names and numbers."""

    PENDING = ("pending", 0)
    RUNNING = ("running", 16)
    SHUTTING_DOWN = ("shutting-down", 32)
    TERMINATED = ("terminated", 48)

    def __init__(self, word: str, code: int) -> None:
        self.word, self.code = word, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """Its interfaces are those attached to it; its subnet and addresses are its primary one's."""

    instance_id: str
    reservation_id: str
    """Of what was started by one request."""
    owner_id: str
    region: str
    availability_zone: str
    image_id: str | None
    instance_type: str | None
    key_name: str | None
    launch_index: int
    """Its number in the reservation, from 0."""
    launched_at: datetime
    client_token: str
    """Of the request that started it; empty when it had none."""
    terminated_at: datetime | None
    tags: Tags

    @property
    def state(self) -> InstanceState:
        """As it is after the answer that started or terminated it."""
        return InstanceState.TERMINATED if self.terminated_at else InstanceState.RUNNING

    def terminated(self, now: datetime) -> "Instance":
        """Itself, terminated; no change if it was before."""
        return self if self.terminated_at else replace(self, terminated_at=now)

    def is_shown(self, since: datetime) -> bool:
        """It is described still, when those terminated before ``since`` are not."""
        return self.terminated_at is None or self.terminated_at >= since

    def check_attachable(
        self, interface: NetworkInterface, device_index: int, present: Iterable[NetworkInterface]
    ) -> None:
        """``interface`` may become the one with ``device_index``, beside those ``present``.

        Raises:
            IncorrectInstanceState: the instance is terminated.
            OtherZone: the interface is of another availability zone.
            DeviceIndexTaken: one of those present has the index.
        """
        if self.terminated_at:
            raise IncorrectInstanceState(self.instance_id, self.state.word)
        if interface.availability_zone != self.availability_zone:
            raise OtherZone(
                interface.network_interface_id,
                interface.availability_zone,
                self.instance_id,
                self.availability_zone,
            )
        for other in present:
            if other.attachment and other.attachment.device_index == device_index:
                raise DeviceIndexTaken(self.instance_id, device_index, other.network_interface_id)
