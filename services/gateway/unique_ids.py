"""Ids, as AWS forms them, of principals that no service keeps: the same for ever for one ARN."""

import base64
import hashlib


def user_id(arn: str) -> str:
    """Such as ``AIDACKCEVSQ6C2EXAMPLE``."""
    return f"AIDA{_characters(arn)}"


def role_id(arn: str) -> str:
    """Such as ``AROADBQP57FF2AEXAMPLE``."""
    return f"AROA{_characters(arn)}"


def _characters(arn: str) -> str:
    return base64.b32encode(hashlib.sha256(arn.encode()).digest()).decode()[:17]
