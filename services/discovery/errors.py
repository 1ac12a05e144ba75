"""Refusals of this context."""

from datetime import datetime

from shared.errors import Precondition


class LaterSnapshot(Precondition):
    """A snapshot that was taken later was there before (DISC-6)."""

    reason = "IncorrectState"

    def __init__(
        self, account_id: str, region: str, sampled_at: datetime, known_at: datetime
    ) -> None:
        super().__init__(
            f"The snapshot of account {account_id} in {region} is of {sampled_at.isoformat()}, but"
            f" one of {known_at.isoformat()} was there before; send what is there now",
            account_id=account_id,
            region=region,
            sample_time=sampled_at.isoformat(),
            known_sample_time=known_at.isoformat(),
        )
