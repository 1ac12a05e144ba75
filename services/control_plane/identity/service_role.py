"""Service-linked roles: by which a service works in an account (ORG-2)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.control_plane.identity.errors import InvalidInput

MOST_SESSION_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class ServiceLink:
    """A service and the role it has in accounts."""

    service_name: str
    role_name: str
    description: str

    @property
    def path(self) -> str:
        return f"/aws-service-role/{self.service_name}/"

    @property
    def trust_policy(self) -> str:
        """Who may act in the role: the service alone."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": self.service_name},
            "Action": "sts:AssumeRole",
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


IPAM_LINK = ServiceLink(
    service_name="ipam.amazonaws.com",
    role_name="AWSServiceRoleForIPAM",
    description="Lets IPAM see the resources of the account and their addresses",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRole:
    """A service's role in an account."""

    account_id: str
    link: ServiceLink
    role_id: str
    description: str
    created_at: datetime

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{self.account_id}:role{self.link.path}{self.link.role_name}"


@dataclass(frozen=True, slots=True)
class Usage:
    """What needs a role in a region."""

    region: str
    resource_arns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """How the deletion of a role ended; it is decided at once, so it never waits."""

    deletion_task_id: str
    account_id: str
    ended_at: datetime
    refusal: str | None
    """Why the role stays; None when it is gone."""
    usages: tuple[Usage, ...] = ()


def link_of_service(service_name: str, custom_suffix: str) -> ServiceLink:
    """The role of a service that one can be made for.

    Raises:
        InvalidInput: it has none, or its role takes no suffix.
    """
    if service_name != IPAM_LINK.service_name:
        raise InvalidInput(
            f"'{service_name}' has no service-linked role here; '{IPAM_LINK.service_name}' has",
            service_name=service_name,
        )
    if custom_suffix:
        raise InvalidInput(
            f"The role of '{service_name}' takes no custom suffix; leave '{custom_suffix}' out",
            service_name=service_name,
            custom_suffix=custom_suffix,
        )
    return IPAM_LINK


def name_taken(account_id: str, link: ServiceLink) -> InvalidInput:
    """The refusal to make a role that is there: as AWS words it, though nothing takes a suffix."""
    return InvalidInput(
        f"Service role name {link.role_name} has been taken in account {account_id}; there is one"
        " such role in an account",
        account_id=account_id,
        role_name=link.role_name,
    )


def why_it_stays(usages: Sequence[Usage], organization_id: str | None) -> str | None:
    """Why IPAM's role in an account can't be deleted; None when it can.

    ``usages`` are the account's IPAM resources. ``organization_id``: that which IPAM works for with
    a delegated administrator, and thereby in this account.
    """
    if usages:
        return (
            "The account has IPAM resources, which work through the role; delete its IPAMs and"
            " resource discoveries first"
        )
    if organization_id:
        return (
            f"Organization {organization_id} has an IPAM administrator, who sees this account"
            " through the role; its management account can end that with"
            " DisableIpamOrganizationAdminAccount"
        )
    return None


def deletion_task_id(link: ServiceLink, number: str) -> str:
    """``task/aws-service-role/ipam.amazonaws.com/AWSServiceRoleForIPAM/`` and a UUID."""
    return f"task{link.path}{link.role_name}/{number}"
