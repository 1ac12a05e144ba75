"""Who pays for active addresses: an IPAM's owner, or each account for its own (IPAM-8)."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.aws_regions import needs_opt_in
from shared.errors import IncorrectState, OperationNotPermitted

TIME_TO_OPT_OUT = timedelta(hours=24)
TIME_LOCKED = timedelta(days=7)
"""After the time to opt out."""


class MeteredAccount(enum.StrEnum):
    IPAM_OWNER = "ipam-owner"
    RESOURCE_OWNER = "resource-owner"


@dataclass(frozen=True, slots=True)
class Metering:
    """Who pays, and if each account does, since when."""

    account: MeteredAccount = MeteredAccount.IPAM_OWNER
    distributed_since: datetime | None = None

    def changed(
        self, wanted: MeteredAccount, *, ipam_id: str, administers_ipam: bool, now: datetime
    ) -> "Metering":
        """Who pays from ``now`` on.

        While the IPAM's owner administers IPAM for no organization, there is nobody to distribute
        costs to: distribution can be ended at any time.

        Raises:
            IncorrectState: costs are distributed, too long to opt out and not long enough to end.
        """
        if wanted is self.account:
            return self
        if wanted is MeteredAccount.RESOURCE_OWNER:
            return Metering(wanted, now)
        if self.distributed_since and administers_ipam:
            _check_may_end(self.distributed_since, ipam_id, now)
        return Metering(wanted)


def check_may_distribute(owner_id: str, region: str, *, administers_ipam: bool) -> None:
    """Costs are distributed by an organization's IPAM administrator, where AWS is for everybody.

    Raises:
        OperationNotPermitted: the owner administers IPAM for no organization, or the home region
            is one that accounts have to opt in to.
    """
    if not administers_ipam:
        raise OperationNotPermitted(
            f"MeteredAccount '{MeteredAccount.RESOURCE_OWNER}' needs an IPAM of the delegated"
            f" administrator of an organization, and account {owner_id} is none; use"
            f" '{MeteredAccount.IPAM_OWNER}'",
            metered_account=MeteredAccount.RESOURCE_OWNER,
            owner_id=owner_id,
        )
    if needs_opt_in(region):
        raise OperationNotPermitted(
            f"MeteredAccount '{MeteredAccount.RESOURCE_OWNER}' needs an IPAM whose home region is"
            f" enabled by default, and accounts have to opt in to {region}; use"
            f" '{MeteredAccount.IPAM_OWNER}'",
            metered_account=MeteredAccount.RESOURCE_OWNER,
            region=region,
        )


def _check_may_end(since: datetime, ipam_id: str, now: datetime) -> None:
    locked_from = since + TIME_TO_OPT_OUT
    locked_until = locked_from + TIME_LOCKED
    if locked_from <= now < locked_until:
        until = locked_until.isoformat(timespec="seconds")
        raise IncorrectState(
            f"'{ipam_id}' distributes costs since {since.isoformat(timespec='seconds')}; it could"
            f" opt out for 24 hours, and can change again from {until} on",
            ipam_id=ipam_id,
            changeable_from=until,
        )
