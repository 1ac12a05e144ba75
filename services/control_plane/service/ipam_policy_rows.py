"""What the use cases need of the database about IPAM policies, within one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from services.control_plane.ipam_policies.policy import IpamPolicy
from services.control_plane.ipam_policies.targets import Target
from shared.caller import Caller


class IpamPolicyRows(Protocol):
    """The policies, and what they are enabled for.

    A policy's row is its own lock, taken after any organization's and IPAM's, and after that of the
    target that it is enabled for.
    """

    def get(self, ipam_policy_id: str) -> IpamPolicy | None: ...

    def hold(self, ipam_policy_ids: Collection[str]) -> Sequence[IpamPolicy]:
        """Those that are there, locked, in one order for all."""

    def ids(self) -> Sequence[str]:
        """Every account's."""

    def of_ipam(self, ipam_id: str) -> Sequence[IpamPolicy]:
        """Oldest first."""

    def visible(
        self, caller: Caller, *, ids: Collection[str], after: str | None
    ) -> Iterator[tuple[str, IpamPolicy]]:
        """The caller's with this home region, oldest first, each with its key for paging."""

    def add(self, policy: IpamPolicy) -> None: ...

    def save(self, policy: IpamPolicy) -> None: ...

    def remove(self, ipam_policy_id: str) -> None: ...

    def remove_of_ipam(self, ipam_id: str) -> None:
        """All of them, which are enabled for nothing."""

    def hold_target(self, target: Target) -> str | None:
        """The policy that is enabled for it, which stays so until the transaction ends."""

    def enable(self, target: Target, ipam_policy_id: str | None) -> None:
        """Of a target that is locked; None: from now on there is none."""

    def targets_of(self, ipam_policy_id: str) -> Sequence[Target]:
        """What a policy is enabled for, by organization and id."""

    def enabled_in(self, organization_id: str, owner_id: str) -> Mapping[str, str]:
        """By target in an organization, the policy of this owner that is enabled for it."""

    def own_of(self, account_id: str) -> str | None:
        """The policy that an account enabled for itself."""

    def concerned(self, organization_id: str) -> frozenset[str]:
        """What is enabled for targets in an organization, or by its accounts for themselves."""

    def forget_target(self, organization_id: str, target_id: str) -> None:
        """It is gone from there."""

    def forget_organization(self, organization_id: str) -> None: ...
