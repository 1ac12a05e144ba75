"""A Deny by the ARN of another account's pool, which is named by its id alone (ORG-4, ORG-6)."""

import json
from typing import Any

import pytest

from services.gateway.authorization.any_account import denying_in_any_account
from services.gateway.authorization.evaluation import ActionRules, AttachedPolicy
from shared.policies.context import context_of
from shared.policies.document import parse_policy

POOL = "arn:aws:ec2::123456789012:ipam-pool/ipam-pool-1"
VPC = "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1"
USER = "arn:aws:iam::123456789012:user/alice"
SHARE = "arn:aws:ram:us-east-1:123456789012:resource-share/1"


def is_allowed(resource: str, *statements: dict[str, Any]) -> bool:
    """As the caller's own, which everything that is named by id is taken for."""
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    attached = AttachedPolicy("p", denying_in_any_account(parse_policy(document)))
    context = context_of({"aws:PrincipalAccount": ["123456789012"]})
    return ActionRules.of([[attached]], "ec2:Do").denial_of([resource], context) is None


ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.mark.parametrize(
    ("pattern", "resource", "is_denied"),
    [
        ("arn:aws:ec2::777788889999:ipam-pool/ipam-pool-1", POOL, True),
        ("arn:aws:ec2::777788889999:ipam-pool/ipam-pool-2", POOL, False),
        ("arn:aws:ec2::777788889999:ipam-pool/*", POOL, True),
        ("arn:aws:ec2::777788889999:ipam-scope/*", POOL, False),
        ("arn:aws:ec2:*:77778888????:*/ipam-pool-1", POOL, True),
        ("arn:*:*:*:777788889999:*", POOL, True),
        ("arn:aws:ec2::123456789012:ipam-pool/ipam-pool-1", POOL, True),
        ("arn:aws:ec2::${aws:PrincipalAccount}:ipam-pool/*", POOL, True),
        # IPAM's ARNs have no region.
        ("arn:aws:ec2:us-east-1:777788889999:ipam-pool/ipam-pool-1", POOL, False),
        # Of other kinds nobody uses another account's.
        ("arn:aws:ec2:*:777788889999:vpc/vpc-1", VPC, False),
        ("arn:*:*:*:777788889999:*", VPC, False),
        ("arn:aws:iam::777788889999:user/alice", USER, False),
        ("arn:*:*:*:777788889999:*", USER, False),
        ("arn:aws:ram:us-east-1:777788889999:resource-share/1", SHARE, False),
        ("arn:aws:ec2:*", VPC, True),
    ],
)
def test_a_deny_means_ipams_things_whatever_the_account(
    pattern: str, resource: str, is_denied: bool
) -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": pattern}
    assert is_allowed(resource, ALLOW, deny) is not is_denied


@pytest.mark.parametrize("account_id", ["777788889999", "123456789012"])
def test_an_allow_means_the_account_that_it_names(account_id: str) -> None:
    pattern = f"arn:aws:ec2::{account_id}:ipam-pool/*"
    allow = {"Effect": "Allow", "Action": "*", "Resource": pattern}
    assert is_allowed(POOL, allow) is (account_id == "123456789012")
    # Nor does what a Deny leaves out become more.
    deny = {"Effect": "Deny", "Action": "*", "NotResource": pattern}
    assert is_allowed(POOL, ALLOW, deny) is (account_id == "123456789012")
