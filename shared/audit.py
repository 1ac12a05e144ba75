"""What an audit trail keeps of a call."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class AuditEvent(NamedTuple):
    """Who did what, when, and how it ended.

    A tuple, for every allocation makes one, and a frozen dataclass takes three times as long.
    """

    event_id: str
    event_time: datetime
    event_source: str
    """The AWS service whose action it is: ``ec2.amazonaws.com``."""
    event_name: str
    """The action."""
    account_id: str
    region: str
    principal: str
    """The caller's ARN."""
    request_id: str
    error_code: str
    """Empty when it succeeded."""
    error_message: str
    resource_names: tuple[str, ...]
    """What it was about, and what it made."""

    @property
    def username(self) -> str:
        """The caller's name, without the ARN around it."""
        return self.principal.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which events of an account in a region; None stands for any."""

    account_id: str
    region: str
    start_time: datetime | None = None
    end_time: datetime | None = None
    event_id: str | None = None
    event_name: str | None = None
    event_source: str | None = None
    username: str | None = None
    resource_name: str | None = None
