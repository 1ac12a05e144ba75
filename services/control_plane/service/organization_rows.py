"""What the use cases need of the database about organizations, within one transaction.

Lists are oldest first, each record with its key for paging, and begin after the key ``after``.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.control_plane.organizations.account import Account, AccountCreation
from services.control_plane.organizations.membership import Membership
from services.control_plane.organizations.organization import Organization
from services.control_plane.organizations.policy import Policy
from services.control_plane.organizations.service_access import Administrator, ServiceAccess
from services.control_plane.organizations.snapshot import Snapshot
from services.control_plane.organizations.unit import Unit
from shared.tags import Tags


class UnitRows(Protocol):
    """The OUs of all organizations."""

    def get(self, organization_id: str, unit_id: str) -> Unit | None: ...

    def count(self, organization_id: str) -> int: ...

    def is_named(self, parent_id: str, name: str) -> bool:
        """An OU of that name lies directly below a root or an OU."""

    def below(self, parent_id: str, after: str | None) -> Iterator[tuple[str, Unit]]:
        """Those directly below a root or an OU."""

    def add(self, unit: Unit, tags: Tags) -> None: ...

    def rename(self, unit_id: str, name: str) -> None: ...

    def remove(self, unit_id: str) -> None: ...


class AccountRows(Protocol):
    """The accounts of all organizations."""

    def get(self, organization_id: str, account_id: str) -> Account | None: ...

    def count(self, organization_id: str) -> int: ...

    def has_email(self, email: str) -> bool:
        """An account of any organization has it."""

    def all(self, organization_id: str, after: str | None) -> Iterator[tuple[str, Account]]: ...

    def below(self, parent_id: str, after: str | None) -> Iterator[tuple[str, Account]]:
        """Those directly below a root or an OU."""

    def add(self, account: Account, tags: Tags) -> None:
        """Add it.

        Raises:
            ConcurrentModification: another transaction added one of its id or email.
        """

    def move(self, account_id: str, parent_id: str) -> None: ...

    def remove(self, account_id: str) -> None: ...

    def add_creation(self, creation: AccountCreation) -> None: ...

    def creation(self, organization_id: str, request_id: str) -> AccountCreation | None: ...


class ServiceRows(Protocol):
    """Services with access to organizations, and their delegated administrators."""

    def add(self, organization_id: str, service_principal: str, since: datetime) -> None:
        """Let the service; one that was let before stays as it is."""

    def remove(self, organization_id: str, service_principal: str) -> None: ...

    def all(self, organization_id: str, after: str | None) -> Iterator[tuple[str, ServiceAccess]]:
        """In the order of their names."""

    def register(
        self, organization_id: str, account_id: str, service_principal: str, since: datetime
    ) -> None: ...

    def deregister(self, organization_id: str, service_principal: str) -> None: ...

    def administrators(
        self, organization_id: str, service_principal: str | None, after: str | None
    ) -> Iterator[tuple[str, Administrator]]:
        """Of a service, or of any."""

    def of_account(self, account_id: str, after: str | None) -> Iterator[tuple[str, ServiceAccess]]:
        """What an account administers, in the order of the services' names."""


class PolicyRows(Protocol):
    """The organizations' own policies, and where theirs and AWS's are attached."""

    def get(self, organization_id: str, policy_id: str) -> Policy | None: ...

    def count(self, organization_id: str) -> int: ...

    def has_id(self, policy_id: str) -> bool:
        """A policy of any organization has it."""

    def total_bytes(self, organization_id: str, *, without: str | None) -> int:
        """Of all documents but that of one policy."""

    def named(self, organization_id: str, name: str) -> Policy | None: ...

    def all(self, organization_id: str, after: str | None) -> Iterator[tuple[str, Policy]]: ...

    def add(self, organization_id: str, policy: Policy, tags: Tags) -> None: ...

    def save(self, policy: Policy) -> None: ...

    def remove(self, policy_id: str) -> None: ...

    def attach(self, organization_id: str, policy_id: str, target_id: str) -> None: ...

    def attach_everywhere(self, organization_id: str, policy_id: str) -> None:
        """To the root, and to every OU and account."""

    def detach(self, policy_id: str, target_id: str) -> None: ...

    def detach_all(self, organization_id: str) -> None: ...

    def attached_to(self, target_id: str) -> Sequence[str]:
        """The ids of the policies that are."""

    def attachments_to(self, target_id: str, after: str | None) -> Iterator[tuple[str, str]]:
        """The ids of the policies attached to a target."""

    def targets_of(
        self, organization_id: str, policy_id: str, after: str | None
    ) -> Iterator[tuple[str, str]]:
        """The ids of what a policy is attached to."""


class OrganizationRows(Protocol):
    """The organizations' rows. An organization's row is the lock of all that lies in it."""

    @property
    def units(self) -> UnitRows: ...

    @property
    def accounts(self) -> AccountRows: ...

    @property
    def services(self) -> ServiceRows: ...

    @property
    def policies(self) -> PolicyRows: ...

    def hold(self, organization_id: str) -> None:
        """Lock it: nothing in it changes until the transaction ends."""

    def membership(self, account_id: str) -> Membership | None:
        """Where the account is; None when it is in no organization."""

    def memberships(self, organization_id: str) -> Sequence[Membership]:
        """Every account's in the organization, those that joined first come first."""

    def accounts_in(self, holder_id: str) -> frozenset[str]:
        """All accounts in or below an organization, a root or an OU; none when it is unknown."""

    def has_unit(self, path: str) -> bool:
        """An OU lies at this entity path."""

    def delegated_administrator(self, organization_id: str, service_principal: str) -> str | None:
        """The account that administers a service for the organization."""

    def has_service_access(self, organization_id: str, service_principal: str) -> bool:
        """The service may work with the organization."""

    def get(self, organization_id: str) -> Organization | None: ...

    def add(self, organization: Organization) -> bool:
        """Add it, without accounts; False when one of its ids is another's already."""

    def save(self, organization: Organization) -> None: ...

    def remove(self, organization_id: str) -> None:
        """Remove it and all that lies in it."""

    def tags(self, organization_id: str, resource_id: str) -> Tags | None:
        """Of the root, an OU, an account or a policy; None when the id names nothing of that."""

    def save_tags(self, resource_id: str, tags: Tags) -> None: ...

    def versions(self) -> Mapping[str, int]:
        """Of every organization, by its id."""

    def snapshot(self, organization_id: str) -> Snapshot | None:
        """What decides what its accounts may do."""
