"""What is refused of reads in CloudWatch's manner, beside the refusals that all contexts share."""

from shared.errors import Invalid

_LONGEST = 100


class ValidationError(Invalid):
    """A query for data that can't be answered as written."""

    reason = "ValidationError"


def excerpt(text: str) -> str:
    """As much of ``text`` as a refusal tells: it travels in headers, which hold 8 KiB in all."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
