"""What is refused of reads in CloudWatch's manner, beside the refusals that all contexts share."""

from shared.errors import Invalid


class ValidationError(Invalid):
    """A query for data that can't be answered as written."""

    reason = "ValidationError"
