"""Refusals of this context."""

from datetime import datetime

from shared.errors import InvalidParameterCombination, Precondition, QuotaExceeded


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


class SnapshotSourceLimitExceeded(QuotaExceeded):
    """So many sources tell of an account and region already that one more is not taken in."""

    def __init__(self, source: str, account_id: str, region: str, quota: int) -> None:
        super().__init__(
            "SnapshotSourceLimitExceeded",
            f"{quota} sources push what account {account_id} has in {region}, which is the most,"
            f" and '{source}' is none of them; push as one of those",
            quota=quota,
            source=source,
            account_id=account_id,
            region=region,
        )


class SlowPush(InvalidParameterCombination):
    """The end of a push did not come in time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"The stream has not ended after {seconds:g} seconds, so nothing was changed; send it"
            " faster, or what is there in fewer resources",
            seconds=f"{seconds:g}",
        )
