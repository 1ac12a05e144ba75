"""What several levels of policies make of a request."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.authorization.evaluation import (
    ActionRules,
    AttachedPolicy,
    Denial,
    Level,
)
from shared.policies.context import Context, context_of
from shared.policies.document import parse_policy
from shared.policies.patterns import Patterns, like, like_resource, parts_of
from shared.policies.policy import Effect, Names, Policy, Statement
from tests.shared.policies import oracle
from tests.shared.policies.guide import (
    LISTED_PATHS,
    POOL_ID,
    REQUIRE_IPAM,
    REQUIRE_IPAM_EXCEPT,
    REQUIRE_POOL,
)

Element = Mapping[str, object]

VPC = "arn:aws:ec2:us-east-1:123456789012:vpc/*"
POOL = f"arn:aws:ec2::123456789012:ipam-pool/{POOL_ID}"
FULL_ACCESS = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(policy_id: str, *statements: Element) -> AttachedPolicy:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    return AttachedPolicy(policy_id, parse_policy(text))


def statement(effect: str, action: str = "*", resource: str = "*", **more: object) -> Element:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


ALL = policy("p-FullAWSAccess", FULL_ACCESS)


def denial(levels: Sequence[Level], *resources: str, **context: list[str]) -> Denial | None:
    return ActionRules.of(levels, "ec2:CreateVpc").denial_of(
        resources or ("*",), context_of(context)
    )


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([], None),
        ([[ALL]], None),
        ([[ALL], [ALL], [ALL]], None),
        ([[ALL], [], [ALL]], Denial("*")),
        ([[policy("p", statement("Allow", "EC2:createvpc"))], [ALL]], None),
        ([[policy("p", statement("Allow", "ec2:Describe*"))], [ALL]], Denial("*")),
        ([[ALL], [ALL, policy("p", statement("Deny"))]], Denial("*", "p", "#1")),
        # An explicit deny is told even when a level above allows nothing.
        ([[], [policy("p", FULL_ACCESS, statement("Deny", Sid="No"))]], Denial("*", "p", "No")),
        ([[ALL, policy("p", statement("Deny", "ec2:Delete*"))]], None),
    ],
)
def test_every_level_must_allow_and_none_may_deny(
    levels: list[Level], expected: Denial | None
) -> None:
    found = denial(levels)
    assert found == expected
    assert found is None or found.is_explicit == bool(found.policy_id)


def test_an_action_is_denied_when_one_of_its_resources_is() -> None:
    level = [ALL, policy("p", statement("Deny", resource="arn:aws:ec2:*:*:ipam-pool/*"))]
    assert denial([level], VPC) is None
    assert denial([level], VPC, POOL) == Denial(POOL, "p", "#1")


def test_each_resource_may_be_allowed_by_a_statement_of_its_own() -> None:
    some = policy("p", statement("Allow", resource="arn:aws:ec2:*:*:vpc/*"))
    others = policy("q", statement("Allow", resource="arn:aws:ec2::*:ipam-pool/*"))
    assert denial([[some, others]], VPC, POOL) is None
    assert denial([[some]], VPC, POOL) == Denial(POOL)


def test_not_action_and_not_resource_mean_all_others() -> None:
    but_reading = {"Effect": "Deny", "NotAction": "ec2:Describe*", "Resource": "*"}
    but_vpcs = {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:ec2:*:*:vpc/*"}
    assert denial([[ALL, policy("p", but_reading)]]) == Denial("*", "p", "#1")
    assert denial([[ALL, policy("p", but_vpcs)]], VPC) is None
    assert denial([[ALL, policy("p", but_vpcs)]], VPC, POOL) == Denial(POOL, "p", "#1")


def test_all_conditions_of_a_statement_must_hold() -> None:
    conditions = {"StringEquals": {"a:x": "1", "a:y": "2"}, "Null": {"a:z": "true"}}
    level = [ALL, policy("p", statement("Deny", Condition=conditions))]
    values = {"a:x": ["1"], "a:y": ["2"]}
    assert denial([level], **values) is not None
    assert denial([level], **{**values, "a:y": ["3"]}) is None
    assert denial([level], **{**values, "a:z": ["4"]}) is None


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ([ALL], True),
        ([], False),
        ([ALL, policy("p", statement("Deny", "ec2:CreateVpc"))], False),
        ([ALL, policy("p", statement("Deny", "ec2:DeleteVpc"))], True),
        ([policy("p", statement("Allow", resource="arn:aws:ec2:*:*:vpc/*"))], False),
        ([policy("p", statement("Allow", Condition={"Null": {"a:b": "true"}}))], False),
        ([ALL, policy("p", statement("Deny", Condition={"Null": {"a:b": "true"}}))], False),
    ],
)
def test_what_is_allowed_whatever_comes_is_known_beforehand(level: Level, expected: bool) -> None:
    assert ActionRules.of([[ALL], level], "ec2:CreateVpc").allow_everything is expected


@dataclass
class Counted:
    """A condition that always holds."""

    keys: frozenset[str] = frozenset()
    asked: int = 0

    def holds(self, _context: Context) -> bool:
        self.asked += 1
        return True


def test_conditions_are_asked_once_however_many_resources_there_are() -> None:
    resource = Patterns.of([parts_of("arn:aws:ec2:*:*:vpc/${x:y}")], like_resource)
    about = Names(Patterns.of([parts_of("*")], like), are_excluded=False)
    only = Names(resource, are_excluded=False)
    conditions = Counted(), Counted()
    statements = tuple(
        Statement("#1", effect, about, only, (condition,))
        for effect, condition in zip((Effect.ALLOW, Effect.DENY), conditions, strict=True)
    )
    resources = [f"arn:aws:ec2:r:1:vpc/{number}" for number in range(1000)]
    rules = ActionRules.of([[AttachedPolicy("p", Policy(statements))]], "ec2:CreateTags")
    assert rules.denial_of(resources, context_of({"x:y": ["none"]})) == Denial(resources[0])
    assert [condition.asked for condition in conditions] == [1, 1]


CREATE, ASSOCIATE = "ec2:CreateVpc", "ec2:AssociateVpcCidrBlock"
OTHER_PATH = "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"
BELOW_LISTED = f"{LISTED_PATHS[0]}ou-ab12-44444444/"


@pytest.mark.parametrize("action", [CREATE, ASSOCIATE])
@pytest.mark.parametrize(
    ("text", "pool", "path", "is_allowed"),
    [
        (REQUIRE_IPAM, None, OTHER_PATH, False),
        (REQUIRE_IPAM, POOL_ID, OTHER_PATH, True),
        (REQUIRE_IPAM, "ipam-pool-1", OTHER_PATH, True),
        (REQUIRE_POOL, None, OTHER_PATH, False),
        (REQUIRE_POOL, POOL_ID, OTHER_PATH, True),
        (REQUIRE_POOL, "ipam-pool-1", OTHER_PATH, False),
        (REQUIRE_IPAM_EXCEPT, None, OTHER_PATH, False),
        (REQUIRE_IPAM_EXCEPT, "ipam-pool-1", OTHER_PATH, True),
        (REQUIRE_IPAM_EXCEPT, None, LISTED_PATHS[0], True),
        (REQUIRE_IPAM_EXCEPT, None, LISTED_PATHS[1], True),
        (REQUIRE_IPAM_EXCEPT, "ipam-pool-1", LISTED_PATHS[1], True),
        # Only the listed OUs themselves: no wildcard is at the end of their paths.
        (REQUIRE_IPAM_EXCEPT, None, BELOW_LISTED, False),
    ],
)
def test_the_guides_policies_enforce_ipam(  # ORG-6
    action: str, text: str, pool: str | None, path: str, is_allowed: bool
) -> None:
    context = {"aws:PrincipalOrgPaths": [path], "ec2:Ipv4IpamPoolId": [pool] if pool else []}
    rules = ActionRules.of([[ALL, AttachedPolicy("p-guide", parse_policy(text))]], action)
    found = rules.denial_of([VPC], context_of(context))
    assert found == (None if is_allowed else Denial(VPC, "p-guide", "#1"))


@pytest.mark.parametrize("action", ["ec2:DeleteVpc", "ec2:CreateIpam", "ec2:DescribeVpcs"])
@pytest.mark.parametrize("text", [REQUIRE_IPAM, REQUIRE_POOL, REQUIRE_IPAM_EXCEPT])
def test_the_guides_policies_leave_all_else_alone(action: str, text: str) -> None:  # ORG-6
    rules = ActionRules.of([[ALL, AttachedPolicy("p", parse_policy(text))]], action)
    assert rules.denial_of([VPC], context_of({"aws:PrincipalOrgPaths": [OTHER_PATH]})) is None


ACTIONS = ("ec2:a", "ec2:b", "ram:a")
RESOURCES = ("*", "arn:aws:ec2:r:1:vpc/a", "arn:aws:ec2:r:1:vpc/b", "arn:aws:ec2::1:ipam/a")
STATEMENTS = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Action": st.lists(st.sampled_from(["*", "ec2:*", "ec2:a", "*:a"]), min_size=1, max_size=2),
        "Resource": st.lists(
            st.sampled_from(["*", "arn:aws:ec2:*", "arn:aws:ec2:*:*:vpc/?", "arn:aws:ec2::*:*/a"]),
            min_size=1,
            max_size=2,
        ),
    }
)
LEVELS = st.lists(st.lists(st.lists(STATEMENTS, min_size=1, max_size=2), max_size=2), max_size=3)


def applies(found: Element, action: str, resource: str) -> bool:
    return any(oracle.like(p, action) for p in list_of(found["Action"])) and any(
        oracle.like_resource(p, resource) for p in list_of(found["Resource"])
    )


def list_of(value: object) -> list[str]:
    assert isinstance(value, list)
    return value


@given(
    LEVELS, st.sampled_from(ACTIONS), st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3)
)
def test_decisions_are_those_that_a_look_at_every_statement_gives(
    levels: list[list[list[Element]]], action: str, resources: list[str]
) -> None:
    attached = [[policy(f"p{n}", *p) for n, p in enumerate(level)] for level in levels]
    found = ActionRules.of(attached, action).denial_of(resources, context_of({}))
    effects = [
        [
            [s["Effect"] for p in level for s in p if applies(s, action, resource)]
            for level in levels
        ]
        for resource in resources
    ]
    is_denied = any("Deny" in of_level for of_resource in effects for of_level in of_resource)
    is_allowed = all("Allow" in of_level for of_resource in effects for of_level in of_resource)
    assert (found is None) == (is_allowed and not is_denied)
    assert (found is not None and found.is_explicit) == is_denied
