"""Policy documents: what is one, and what is refused with which words."""

import json
from typing import Any

import pytest

from shared.policies.context import context_of
from shared.policies.document import MalformedPolicy, parse_policy
from shared.policies.policy import Effect
from tests.shared.policies.guide import REQUIRE_IPAM, REQUIRE_IPAM_EXCEPT, REQUIRE_POOL

DENY = {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}


def document(**elements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{**DENY, **elements}]})


def without(name: str, **elements: Any) -> str:
    statement = {key: value for key, value in DENY.items() if key != name}
    return json.dumps({"Statement": {**statement, **elements}})


@pytest.mark.parametrize("text", [REQUIRE_IPAM, REQUIRE_POOL, REQUIRE_IPAM_EXCEPT])
def test_the_guides_policies_are_policies(text: str) -> None:  # ORG-6
    [statement] = parse_policy(text).statements
    assert statement.effect is Effect.DENY
    assert statement.is_about("EC2:createvpc")
    assert not statement.is_about("ec2:CreateVpcs")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"Statement": DENY}),
        json.dumps({"Version": "2008-10-17", "Id": "x", "Statement": [DENY, DENY]}),
        document(Sid="NoVpcs", Condition={}),
        document(Condition={"NumericLessThan": {"x:y": 5}, "Bool": {"x:y": [True, "false"]}}),
        document(Resource=["*", "arn:aws:ec2:*:${aws:PrincipalAccount}:vpc/*"]),
        document(Action=["*", "ec2:*Vpc?", "*:*"]),
        without("Action", NotAction="sts:*"),
        without("Resource", NotResource=["arn:aws:ec2:*:*:vpc/*"]),
    ],
)
def test_documents_come_in_many_forms(text: str) -> None:
    assert parse_policy(text) == parse_policy(text)


def test_statements_are_known_by_their_sid_or_their_number() -> None:
    text = json.dumps({"Statement": [DENY, {**DENY, "Sid": "Second"}, DENY]})
    assert [s.label for s in parse_policy(text).statements] == ["#1", "Second", "#3"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "The document is not JSON: Expecting value: line 1 column 1"),
        ('{"Statement": [{}]} {}', "not JSON: Extra data"),
        ('{"Statement": NaN}', "not JSON: it has NaN"),
        ("[" * 100_000, "nested too deeply"),
        # Less deep than readers of JSON go.
        ('{"Statement":' + "[" * 900 + "]" * 900 + "}", "nested too deeply; 10 levels are allowed"),
        (document(Condition={"Null": {"a:b": [[["true"]]]}}), "a:b: .* expected a string"),
        ("[]", "The document: \\[\\] is malformed; expected an object"),
        ("{}", "The document must have Statement"),
        ('{"Version": "2012-10-17", "Version": "2012-10-17"}', '"Version" is given twice'),
        (
            '{"Version": "2020-01-01", "Statement": {}}',
            'Version: "2020-01-01" is malformed; use one',
        ),
        ('{"Version": 2012, "Statement": {}}', 'Version: "2012" is malformed'),
        ('{"Id": 5, "Statement": {}}', 'Id: "5" is malformed; expected a string'),
        (
            '{"Statements": []}',
            'The document has the unknown element "Statements"; use Version, Id',
        ),
        ('{"Statement": []}', "Statement: \\[\\] is malformed; expected a value"),
        ('{"Statement": "x"}', 'Statement\\[1\\]: "x" is malformed; expected an object'),
        (document(Principal="*"), 'Statement\\[1\\] has the unknown element "Principal"; use Sid'),
        (document(Sid=5), 'Statement\\[1\\].Sid: "5" is malformed'),
        (document(Effect="deny"), 'Statement\\[1\\].Effect: "deny" is malformed; use one of Allow'),
        (document(Effect=["Deny"]), "Effect: \\[.*\\] is malformed"),
        (without("Effect"), "Statement\\[1\\] must have Effect"),
        (without("Action"), "Statement\\[1\\] must have either Action or NotAction"),
        (document(NotAction="*"), "must have either Action or NotAction"),
        (without("Resource"), "must have either Resource or NotResource"),
        (document(Action=[]), "Statement\\[1\\].Action: \\[\\] is malformed; expected a value"),
        (
            document(Action="CreateVpc"),
            'Action: "CreateVpc" is malformed; .* such as .ec2:CreateVpc',
        ),
        (document(Action="ec2:Create Vpc"), 'Action: "ec2:Create Vpc" is malformed'),
        (document(Action=[["ec2:*"]]), "Action: \\[.*\\] is malformed; expected a string"),
        (document(Resource="vpc/*"), 'Resource: "vpc/\\*" is malformed; expected .* ARN'),
        (document(Resource="arn:${"), 'Resource: "arn:\\${" is malformed; .* begins no variable'),
        (document(Condition=[]), "Condition: \\[\\] is malformed; expected an object"),
        (
            document(Condition={"Equals": {"a:b": "c"}}),
            'Condition: "Equals" is malformed; no condit',
        ),
        (
            document(Condition={"Null": {}}),
            "Condition.Null: {} is malformed; expected a context key",
        ),
        (
            document(Condition={"Null": {"b": "true"}}),
            'Condition.Null: "b" is malformed; expected a',
        ),
        (
            document(Condition={"Null": {"a:b": []}}),
            "Null.a:b: \\[\\] is malformed; expected a value",
        ),
        (
            document(Condition={"Null": {"a:b": None}}),
            "Null.a:b: null is malformed; expected a str",
        ),
        (
            document(Condition={"Null": {"a:b": "no"}}),
            'a:b: \\["no"\\] is malformed; expected true',
        ),
        (
            json.dumps({"Statement": [{**DENY, "Sid": "A"}] * 2}),
            'Sid: "A" is malformed; it is given',
        ),
        (document(Sid=["\ud800" * 200]), "Sid: .*\\.\\.\\. is malformed"),
        (document(Sid="No VPCs"), 'Sid: "No VPCs" is malformed; use letters'),
        (document(Sid=" " * 130_000), "Sid: .*\\.\\.\\. is malformed; use letters"),
        (document(Sid="Stra\u00dfe"), "Sid: .* is malformed; use letters"),
        (document(Resource="arn:\ud800"), "Resource: .* is malformed; it has half a surrogate"),
        (document(Condition={"\ud800" * 200: {}}), "Condition.* is malformed; expected a context"),
    ],
)
def test_what_is_no_policy_is_refused_by_element_and_value(text: str, expected: str) -> None:
    with pytest.raises(MalformedPolicy, match=expected) as refusal:
        parse_policy(text)
    str(refusal.value).encode()
    # It is told in a header, where there is room for little.
    assert len(str(refusal.value)) < 2000


def test_whatever_the_depth_it_is_refused_in_words() -> None:
    # Readers and writers of JSON give up at different depths, and those vary.
    for depth in range(1, 1100):
        with pytest.raises(MalformedPolicy):
            parse_policy(f'{{"Statement": {"[" * depth}{"]" * depth}}}')


def test_variables_came_with_the_second_version() -> None:
    resource = "arn:aws:ec2:*:*:vpc/${"
    old = json.dumps({"Version": "2008-10-17", "Statement": {**DENY, "Resource": resource}})
    [statement] = parse_policy(old).statements
    assert statement.within(context_of({}))("arn:aws:ec2:r:a:vpc/${")
