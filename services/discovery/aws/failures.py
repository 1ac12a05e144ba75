"""What AWS's errors mean for a snapshot."""

import re

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from services.discovery.sources import FailureCode, SnapshotFailed

ASSUME_ROLE = "AssumeRole"

THROTTLED = frozenset(
    {
        "429",
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
REFUSED = frozenset(
    {
        "401",
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "Blocked",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "OptInRequired",
        "PendingVerification",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)

ASKING_FAILED = (
    BotoCoreError,
    ClientError,
    ResponseParserError,
    # Numbers and times that are none, members that are missing, and those of other types pass
    # botocore's parsers as these; credentials that are expired when they come are a RuntimeError.
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RuntimeError,
    # What urllib3 lets through.
    OSError,
)
"""All that asking AWS can end with."""


def failure_of(error: Exception, action: str) -> SnapshotFailed:
    """What a snapshot fails with when ``action`` ended in ``error``.

    The message has nothing of AWS's own: that may quote signatures and tokens.
    """
    if not isinstance(error, ClientError):
        # Without credentials of our own there is nothing to assume a role with.
        refused = action == ASSUME_ROLE and "Credentials" in type(error).__name__
        code = FailureCode.ASSUME_ROLE if refused else FailureCode.OTHER
        return SnapshotFailed(code, f"{action} failed: {type(error).__name__}")
    # Credentials are renewed while something else is asked.
    if error.operation_name == ASSUME_ROLE:
        action = ASSUME_ROLE
    word = str(error.response.get("Error", {}).get("Code", ""))
    shown = word if re.fullmatch(r"[A-Za-z0-9.:_-]{1,100}", word) else "no error code"
    return SnapshotFailed(_code_of(word, action), f"{action} was refused: {shown}")


def _code_of(word: str, action: str) -> FailureCode:
    if word in THROTTLED:
        return FailureCode.THROTTLING
    if word in REFUSED:
        return FailureCode.ASSUME_ROLE if action == ASSUME_ROLE else FailureCode.UNAUTHORIZED
    return FailureCode.OTHER
