"""AWS's regions."""

from functools import cache

import botocore.session

_ENABLED_BY_DEFAULT = frozenset(
    {
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
    }
)
"""AWS's regions of before March 20, 2019; accounts have to opt in to all later ones."""


@cache
def known_regions() -> frozenset[str]:
    """Every region AWS has; read from botocore once, on first need."""
    return frozenset(botocore.session.get_session().get_available_regions("ec2"))


def needs_opt_in(region: str) -> bool:
    """Accounts have ``region`` only once they asked for it."""
    return region not in _ENABLED_BY_DEFAULT
