"""Offers of elastic IP addresses to other accounts (EIP-3)."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Address

from shared.errors import IncorrectState, InvalidParameterValue

OFFERED_FOR = timedelta(days=7)
SHOWN_AFTER_ACCEPTANCE = timedelta(days=14)
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressTransfer:
    """``owner_id`` is the account that offers, or offered, the address."""

    allocation_id: str
    public_ip: IPv4Address
    owner_id: str
    region: str
    transfer_account_id: str
    expires_at: datetime
    accepted_at: datetime | None = None

    def accepted(self, now: datetime) -> "AddressTransfer":
        """Itself, accepted.

        Raises:
            IncorrectState: the offer's time is up.
        """
        if now >= self.expires_at:
            raise IncorrectState(
                f"The offer of '{self.public_ip}' ended at {self.expires_at.isoformat()}; ask its"
                " owner to enable the transfer again",
                public_ip=self.public_ip,
                expires_at=self.expires_at.isoformat(),
            )
        return replace(self, accepted_at=now)

    def is_shown(self, now: datetime) -> bool:
        """To the account that offers or offered it: while it can be accepted, and a while after."""
        if self.accepted_at is None:
            return now < self.expires_at
        return now < self.accepted_at + SHOWN_AFTER_ACCEPTANCE


def check_receiver(account_id: str, owner_id: str) -> str:
    """``account_id`` itself, when an address of ``owner_id`` can be offered to it.

    Raises:
        InvalidParameterValue: no account id, or the owner's own.
    """
    if not _ACCOUNT_ID.fullmatch(account_id) or account_id == owner_id:
        raise InvalidParameterValue(
            f"Value ({account_id}) for parameter transferAccountId is invalid; use the twelve"
            " digits of another account",
            parameter="transferAccountId",
            value=account_id,
        )
    return account_id
