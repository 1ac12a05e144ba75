"""Tokens with which TXT records prove control of ranges (BYOIP-2)."""

import enum
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.control_plane.lifecycle import State, check_usable

TOKENS_PER_IPAM = 100
"""Not adjustable (requirements.md section 14)."""

VALID_FOR = timedelta(hours=72)


class TokenStatus(enum.StrEnum):
    VALID = "valid"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationToken:
    """A name and a value that the reverse zones of a range are to tell."""

    ipam_external_resource_verification_token_id: str
    ipam_id: str
    owner_id: str
    ipam_region: str
    token_name: str
    token_value: str
    not_after: datetime
    """The last moment at which it can be used."""
    tags: Mapping[str, str]
    state: State = State.CREATE_IN_PROGRESS
    version: int = 1
    """Grows with every change."""

    def status(self, now: datetime) -> TokenStatus:
        """Whether it can be used at this moment."""
        return TokenStatus.VALID if now <= self.not_after else TokenStatus.EXPIRED


def new_name(rng: random.Random) -> str:
    """Eight digits; it needn't be a secret, nor the only one of its name."""
    return f"{rng.randrange(10**8):08}"


def new_value(rng: random.Random) -> str:
    """A UUID of version 4; told only to its IPAM's owner."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def deleting(token: VerificationToken) -> VerificationToken:
    """``token`` on its way out.

    Raises:
        IncorrectState: it is on its way out already.
    """
    check_usable(token.ipam_external_resource_verification_token_id, token.state)
    return replace(token, state=State.DELETE_IN_PROGRESS, version=token.version + 1)
