"""What the table's requests are about."""

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from shared.ids import arn


@dataclass(frozen=True, kw_only=True)
class Own:
    """What each caller has of its own account's, whatever others have."""

    ipam_id: str = ""
    ipam_scope_id: str = ""
    default_resource_discovery_id: str = ""
    ipam_pool_id: str = ""
    """Made after all that belongs to others."""
    vpc_id: str = ""
    subnet_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Things:
    """One account's, by kind of id."""

    account_id: str
    ipam_id: str
    ipam_scope_id: str
    default_resource_discovery_id: str
    spare_scope_id: str
    top_pool_id: str
    ipam_pool_id: str
    """A child of the top pool, for resources of the home region; the shared one."""
    spare_pool_id: str
    allocation_id: str
    hold_id: str
    ipam_policy_id: str
    resource_discovery_id: str
    association_id: str
    """Of that resource discovery with the IPAM."""
    vpc_id: str
    vpc_association_id: str
    verification_token_id: str
    registry_association_id: str
    """With an internet registry that has not answered yet."""

    # In a VPC of their own, and addresses.
    subnets_vpc_id: str = ""
    subnet_id: str = ""
    spare_subnet_id: str = ""
    network_interface_id: str = ""
    spare_network_interface_id: str = ""
    instance_id: str = ""
    attachment_id: str = ""
    """Of an interface besides the instance's primary one."""
    address_allocation_id: str = ""
    spare_address_allocation_id: str = ""
    address_association_id: str = ""
    """Of the address, with the instance."""
    public_ipv4_pool_id: str = ""
    prefix_list_id: str = ""

    prefix_list_resolver_id: str = ""
    spare_prefix_list_resolver_id: str = ""
    """Without targets."""
    prefix_list_resolver_target_id: str = ""

    # Of the delegated administrator's shares.
    free_pool_id: str = ""
    """Of an IPAM on the free tier."""
    user_share_arn: str = ""
    import_share_arn: str = ""
    discovery_share_arn: str = ""
    invitation_arn: str = ""
    other_invitation_arn: str = ""
    users_allocation_id: str = ""
    users_hold_id: str = ""

    # Of its account.
    user_name: str = ""
    access_key_id: str = ""
    deletion_task_id: str = ""

    # Of its organization.
    organization_id: str = ""
    root_id: str = ""
    unit_id: str = ""
    empty_unit_id: str = ""
    request_id: str = ""
    leaver_id: str = ""
    heir_id: str = ""
    attached_policy_id: str = ""
    loose_policy_id: str = ""

    own: Own = field(default_factory=Own)
    """Of whoever asks."""

    def with_ids(self, ids: Mapping[str, Any]) -> "Things":
        """The same with these as well, by field."""
        return replace(self, **ids)

    @property
    def ipam_pool_arn(self) -> str:
        return arn(self.account_id, "ipam-pool", self.ipam_pool_id)

    @property
    def top_pool_arn(self) -> str:
        return arn(self.account_id, "ipam-pool", self.top_pool_id)

    @property
    def resource_discovery_arn(self) -> str:
        return arn(self.account_id, "ipam-resource-discovery", self.resource_discovery_id)

    @property
    def ids(self) -> Mapping[str, str]:
        """Those there are, by field, but the account's: it is in the ARNs of the others."""
        names = [one.name for one in fields(self) if one.name not in ("own", "account_id")]
        return {name: value for name in names if (value := getattr(self, name))}


def another_name(name: str) -> str:
    """One of the same form and length, that nothing has."""
    head, tail = re.split(r"(?=[^-/:]+$)", name, maxsplit=1) if "-" in name else ("", name)
    return head + tail.translate(_NEXT)


def _each_to_the_next(letters: str) -> dict[int, int]:
    return str.maketrans(letters, letters[1:] + letters[0])


_NEXT = (
    _each_to_the_next(string.digits)
    | _each_to_the_next("abcdef")
    | _each_to_the_next("ghijklmnopqrstuvwxyz")
    | _each_to_the_next(string.ascii_uppercase)
)
