"""Network interfaces: what they have, and what they can be attached to."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address

from services.network.errors import InterfaceAttached, InterfaceInUse, PrimaryInterface
from services.network.resource import Holder, ResourceType
from shared.tags import Tags

PRIMARY_DEVICE_INDEX = 0
_LOCALLY_ADMINISTERED = 0x02


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An interface's place in an instance."""

    attachment_id: str
    instance_id: str
    device_index: int
    delete_on_termination: bool
    """The interface goes with the instance."""
    attached_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface:
    """``private_addresses`` has the primary address first, then the others as they were given."""

    network_interface_id: str
    subnet_id: str
    vpc_id: str
    owner_id: str
    region: str
    availability_zone: str
    description: str
    groups: tuple[str, ...]
    private_addresses: tuple[IPv4Address, ...]
    ipv6_addresses: tuple[IPv6Address, ...]
    attachment: Attachment | None
    tags: Tags

    @property
    def holder(self) -> Holder:
        return interface_holder(self.network_interface_id, self.owner_id, self.region)

    @property
    def primary_address(self) -> IPv4Address:
        return self.private_addresses[0]

    @property
    def mac_address(self) -> str:
        """Derived from the id, of the range that is nobody's (RFC 9542 section 2.1)."""
        digest = hashlib.sha256(self.network_interface_id.encode()).digest()
        return ":".join(f"{octet:02x}" for octet in (_LOCALLY_ADMINISTERED, *digest[:5]))

    @property
    def goes_with_its_instance(self) -> bool:
        return self.attachment is not None and self.attachment.delete_on_termination

    def attached(self, attachment: Attachment) -> "NetworkInterface":
        """Itself in its new place.

        Raises:
            InterfaceInUse: it has one already.
        """
        if self.attachment is not None:
            raise InterfaceInUse(self.network_interface_id, self.attachment.instance_id)
        return replace(self, attachment=attachment)

    def detached(self) -> "NetworkInterface":
        """Itself without a place.

        Raises:
            PrimaryInterface: an instance never lacks its primary interface.
        """
        if self.attachment and self.attachment.device_index == PRIMARY_DEVICE_INDEX:
            raise PrimaryInterface(self.network_interface_id, self.attachment.instance_id)
        return replace(self, attachment=None)

    def check_deletable(self) -> None:
        """It is attached to nothing.

        Raises:
            InterfaceAttached: it is.
        """
        if self.attachment is not None:
            raise InterfaceAttached(self.network_interface_id, self.attachment.instance_id)


def interface_holder(network_interface_id: str, owner_id: str, region: str) -> Holder:
    """An interface as the readers of the feed know it."""
    return Holder(
        resource_id=network_interface_id,
        resource_type=ResourceType.NETWORK_INTERFACE,
        owner_id=owner_id,
        region=region,
    )
