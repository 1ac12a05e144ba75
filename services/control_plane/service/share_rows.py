"""What the use cases need of the database about shares, within one transaction."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from services.control_plane.sharing.invitation import Invitation
from services.control_plane.sharing.listing import Wanted
from services.control_plane.sharing.share import Share, SharedResource, SharePrincipal
from shared.caller import Caller


class ShareRows(Protocol):
    """The shares' rows.

    A share's row is the lock of all that it has. Whoever is to hold it holds the owner's
    organization and IPAM before, for changes of those decide about the same pools' users.
    """

    def users_of_pools(self, ipam_pool_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """By pool, the accounts that shares let see it and allocate from it, at this time (ORG-4).

        Of several pools at little more than the cost of one.
        """

    def pools_for(self, account_id: str) -> frozenset[str]:
        """The pools that shares let an account see and allocate from."""

    def pools_importable_by(self, account_id: str) -> frozenset[str]:
        """The pools to which shares let an account move what it brought along (BYOIP-6)."""

    def discoveries_for(self, account_id: str) -> frozenset[str]:
        """The resource discoveries that shares let an account see and associate."""

    def pools_shared_within(self, organization_id: str) -> Collection[str]:
        """The pools whose users depend on who is where in an organization."""

    def share(self, resource_share_arn: str, *, lock: bool) -> Share | None: ...

    def share_count(self, owner_id: str, region: str) -> int:
        """Active ones."""

    def add(self, share: Share) -> None: ...

    def save(self, share: Share) -> None: ...

    def resources(self, resource_share_arn: str) -> Mapping[str, SharedResource]:
        """What a share has, or had, by ARN."""

    def save_resource(self, resource: SharedResource) -> None:
        """Add it to its share, or change what it is there."""

    def principals(self, resource_share_arn: str) -> Mapping[str, SharePrincipal]:
        """Whom a share has, or had, by name."""

    def save_principal(self, principal: SharePrincipal) -> None:
        """Add it to its share, or change what it is there."""

    def end(self, resource_share_arn: str, now: datetime) -> None:
        """Take everything and everybody out of a share, and its invitations back."""

    def forget(self, resource_ids: Collection[str]) -> None:
        """Take what is deleted out of all shares."""

    def invitation(self, invitation_arn: str) -> Invitation | None: ...

    def add_invitation(self, invitation: Invitation) -> None: ...

    def save_invitation(self, invitation: Invitation) -> None: ...

    def withdraw_invitation(self, resource_share_arn: str, receiver_id: str) -> None:
        """Take back the one that a receiver has not answered, if there is one."""

    def has(self, caller: Caller, resource_share_arn: str) -> bool:
        """The caller is a principal of a share in its region, as things stand."""

    def listed(
        self, caller: Caller, wanted: Wanted, after: str | None
    ) -> Iterator[tuple[str, Share]]:
        """Shares of the caller's region, oldest first, each with its key for paging."""

    def listed_resources(
        self, caller: Caller, wanted: Wanted, after: str | None
    ) -> Iterator[tuple[str, SharedResource]]:
        """What those shares have or had, oldest first, each with its key for paging."""

    def listed_principals(
        self, caller: Caller, wanted: Wanted, after: str | None
    ) -> Iterator[tuple[str, SharePrincipal]]:
        """Like `listed_resources`, of own shares: who has a share is its owner's to see."""

    def listed_invitations(
        self,
        caller: Caller,
        *,
        invitation_arns: Collection[str],
        share_arns: Collection[str],
        after: str | None,
    ) -> Iterator[tuple[str, Invitation]]:
        """Those that the caller sent or was sent in its region; without ARNs, all."""
