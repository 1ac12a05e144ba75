"""Users at the edge, as unmodified clients meet them: keys, policies, sessions (ORG-10)."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from cadastre.control.iam.v1 import iam_service_pb2 as iam
from cadastre.control.v1 import authorization_service_pb2 as pb
from tests.gateway.edge import ACCESS_KEY_ID, ACCOUNT_ID, SECRET, Edge
from tests.gateway.fake_organizations import FULL_ACCESS, MANAGEMENT_ACCOUNT_ID, organization
from tests.gateway.fakes import Refusal
from tests.waiting import wait_until

ALICE = f"arn:aws:iam::{ACCOUNT_ID}:user/alice"
ALICE_KEY = ("AKIA" + "L" * 16, "alices/secret+access=key")
MANAGER_KEY = ("AKIA" + "M" * 16, "the managers secret")
MEMBER_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/OrganizationAccountAccessRole"
SEES_VPCS = {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@dataclass
class Accounts:
    """What the control plane tells of users, and a gateway that knows it."""

    edge: Edge
    version: int = field(default=0, init=False)

    def have(
        self,
        *policies: str,
        keys: tuple[tuple[str, str], ...] = (ALICE_KEY,),
        inactive: tuple[str, ...] = (),
        arn: str = ALICE,
        account_id: str = ACCOUNT_ID,
    ) -> None:
        """Have a user, the only one of its account, be so."""
        user = pb.AuthorizedUser(
            arn=arn, user_id="AIDALICE", policies=policies, inactive_access_key_ids=inactive
        )
        for access_key_id, secret in keys:
            user.access_keys.add(access_key_id=access_key_id, secret_access_key=secret)
        self._tell(account_id, [user])

    def have_none(self, account_id: str = ACCOUNT_ID) -> None:
        self._tell(account_id, [])

    def _tell(self, account_id: str, users: list[pb.AuthorizedUser]) -> None:
        self.version += 1
        told = pb.AccountUsers(account_id=account_id, version=self.version, users=users)
        self.edge.portal.call(self.edge.fakes.organizations.put_users, told)
        wanted = {"event": "users changed", "account_id": account_id, "version": self.version}
        wait_until(lambda: [one for one in self.edge.log if wanted.items() <= one.items()])


@pytest.fixture
def accounts(edge: Edge) -> Iterator[Accounts]:
    # Answered once the gateway knows that there are no users yet.
    refused(lambda: edge.client("sts", key=ALICE_KEY).get_caller_identity())
    accounts = Accounts(edge)
    accounts.have(document(SEES_VPCS))
    yield accounts
    for account_id in (ACCOUNT_ID, MANAGEMENT_ACCOUNT_ID):
        accounts.have_none(account_id)


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    """Code and message."""
    with pytest.raises(ClientError) as refusal:
        call()
    error: Any = refusal.value.response["Error"]
    return error["Code"], error["Message"]


def why(edge: Edge) -> tuple[str, str]:
    """What the log has of the last request: why, and by which key."""
    line = [entry for entry in edge.log if entry["event"] == "request"][-1]
    return line["why"], line["access_key_id"]


_TRACED = ("principal", "access_key_id", "session_access_key_id", "issued_access_key_id", "role")


def traces(edge: Edge) -> list[tuple[str, dict[str, str]]]:
    """The actions of the calls that were let in, and what the log has of who it was."""
    lines = [entry for entry in edge.log if entry["event"] == "request" and "why" not in entry]
    return [
        (line["action"], {name: line[name] for name in _TRACED if name in line}) for line in lines
    ]


def session_key(answer: Any) -> tuple[str, str, str]:
    credentials = answer["Credentials"]
    return (
        credentials["AccessKeyId"],
        credentials["SecretAccessKey"],
        credentials["SessionToken"],
    )


@contextmanager
def an_organization(edge: Edge, *line: tuple[str, list[str]]) -> Iterator[None]:
    """The gateway knows one, from the root to an account, for the length of the block."""
    feed, organization_id = edge.fakes.organizations, f"o-{uuid4().hex[:10]}"
    told = organization(organization_id, ("r-ab12", [FULL_ACCESS]), *line)
    edge.portal.call(feed.put, told)
    _until_logged(edge, "organization changed", organization_id)
    yield
    edge.portal.call(feed.delete, organization_id)
    _until_logged(edge, "organization deleted", organization_id)


def _until_logged(edge: Edge, event: str, organization_id: str) -> None:
    wanted = {"event": event, "organization_id": organization_id}
    wait_until(lambda: [one for one in edge.log if wanted.items() <= one.items()])


@contextmanager
def managed(
    accounts: Accounts,
    *denied: str,
    manager_policy: str = document({"Effect": "Allow", "Action": "sts:*", "Resource": "*"}),
) -> Iterator[None]:
    """The caller's account is a member, and the management account has a user with a key."""
    accounts.have(
        manager_policy,
        keys=(MANAGER_KEY,),
        arn=f"arn:aws:iam::{MANAGEMENT_ACCOUNT_ID}:user/boss",
        account_id=MANAGEMENT_ACCOUNT_ID,
    )
    with an_organization(accounts.edge, (ACCOUNT_ID, [FULL_ACCESS, *denied])):
        yield


def test_a_user_is_who_its_key_says(accounts: Accounts) -> None:
    identity = accounts.edge.client("sts", key=ALICE_KEY).get_caller_identity()
    del identity["ResponseMetadata"]
    assert identity == {"Account": ACCOUNT_ID, "Arn": ALICE, "UserId": "AIDALICE"}


def test_who_one_is_needs_no_policy(accounts: Accounts) -> None:
    denied = document({"Effect": "Deny", "Action": "*", "Resource": "*"})
    for policies in ([], [denied]):
        accounts.have(*policies)
        assert accounts.edge.client("sts", key=ALICE_KEY).get_caller_identity()["Arn"] == ALICE


def test_a_user_may_do_what_its_policies_allow(accounts: Accounts) -> None:
    ec2 = accounts.edge.client(key=ALICE_KEY)
    ec2.describe_vpcs()
    assert refused(lambda: ec2.create_vpc(CidrBlock="10.0.0.0/16")) == (
        "UnauthorizedOperation",
        f"You are not authorized to perform this operation. User: {ALICE} is not authorized to"
        f" perform: ec2:CreateVpc on resource: arn:aws:ec2:us-east-1:{ACCOUNT_ID}:vpc/* because no"
        " identity-based policy allows the ec2:CreateVpc action",
    )
    assert [path.rpartition("/")[2] for path, _ in accounts.edge.fakes.requests] == ["DescribeVpcs"]


def test_an_explicit_deny_wins(accounts: Accounts) -> None:
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Action": "ec2:Delete*", "Resource": "*"}
    accounts.have(document(allow), document(deny))
    ec2 = accounts.edge.client(key=ALICE_KEY)
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    code, message = refused(lambda: ec2.delete_vpc(VpcId="vpc-0983f3c454f3d8be5"))
    assert code == "UnauthorizedOperation"
    assert message.endswith("with an explicit deny in an identity-based policy")


def test_a_user_without_policies_may_do_nothing(accounts: Accounts) -> None:
    accounts.have()
    code, _ = refused(accounts.edge.client(key=ALICE_KEY).describe_vpcs)
    assert code == "UnauthorizedOperation"
    code, _ = refused(accounts.edge.client("iam", key=ALICE_KEY).list_users)
    assert code == "AccessDenied"
    assert accounts.edge.fakes.requests == []


def test_the_keys_of_the_file_may_do_everything(accounts: Accounts) -> None:
    accounts.have()
    accounts.edge.client().create_vpc(CidrBlock="10.0.0.0/16")


def test_a_policy_may_let_a_user_see_to_its_own_keys(accounts: Accounts) -> None:
    own = {
        "Effect": "Allow",
        "Action": "iam:*AccessKey*",
        "Resource": "arn:aws:iam::*:user/${aws:username}",
    }
    accounts.have(document(own))
    client = accounts.edge.client("iam", key=ALICE_KEY)
    client.list_access_keys()
    client.create_access_key(UserName="alice")
    code, _ = refused(lambda: client.create_access_key(UserName="bob"))
    assert code == "AccessDenied"


def test_service_control_policies_limit_users_too(accounts: Accounts) -> None:
    edge = accounts.edge
    deny = document({"Effect": "Deny", "Action": "ec2:DescribeVpcs", "Resource": "*"})
    with an_organization(edge, (ACCOUNT_ID, [FULL_ACCESS, deny])):
        _, message = refused(edge.client(key=ALICE_KEY).describe_vpcs)
        assert message.endswith("with an explicit deny in a service control policy")
    with an_organization(edge, (ACCOUNT_ID, [FULL_ACCESS])):
        edge.client(key=ALICE_KEY).describe_vpcs()
        # What they allow, its own policies need not.
        code, _ = refused(edge.client(key=ALICE_KEY).describe_ipams)
        assert code == "UnauthorizedOperation"


def test_a_malformed_policy_denies_everything(accounts: Accounts) -> None:
    accounts.have(document(SEES_VPCS), '{"Statement": []}')
    code, _ = refused(accounts.edge.client(key=ALICE_KEY).describe_vpcs)
    assert code == "UnauthorizedOperation"


def test_a_key_holds_while_it_is_active(accounts: Accounts) -> None:
    second = ("AKIA" + "N" * 16, "another secret")
    accounts.have(document(SEES_VPCS), keys=(ALICE_KEY, second))
    for key in (ALICE_KEY, second):
        accounts.edge.client(key=key).describe_vpcs()
    accounts.have(document(SEES_VPCS), keys=(second,), inactive=(ALICE_KEY[0],))
    sts = accounts.edge.client("sts", key=ALICE_KEY)
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    assert why(accounts.edge) == ("inactive access key", ALICE_KEY[0])
    accounts.edge.client(key=second).describe_vpcs()
    accounts.have_none()
    assert refused(accounts.edge.client("sts", key=second).get_caller_identity) == (
        "InvalidClientTokenId",
        "The security token included in the request is invalid",
    )
    assert why(accounts.edge) == ("unknown access key", second[0])


def test_what_was_told_holds_while_the_control_plane_is_away(accounts: Accounts) -> None:
    edge = accounts.edge
    edge.portal.call(edge.fakes.organizations.go_away)
    wait_until(lambda: [e for e in edge.log if e["event"] == "following the users was interrupted"])
    edge.client(key=ALICE_KEY).describe_vpcs()
    edge.log.clear()
    edge.portal.call(edge.fakes.organizations.come_back)
    wait_until(lambda: [e for e in edge.log if e["event"] == "users known"])
    edge.client(key=ALICE_KEY).describe_vpcs()


@pytest.mark.parametrize(
    ("service", "call"), [("sts", "get_caller_identity"), ("ec2", "describe_vpcs")]
)
def test_the_answer_does_not_tell_an_unknown_key_from_an_inactive_one(
    service: str, call: str, accounts: Accounts
) -> None:
    inactive = "AKIA" + "I" * 16
    accounts.have(inactive=(inactive,))
    answers, reasons = set(), []
    for access_key_id in (inactive, "AKIA" + "Z" * 16):
        client = accounts.edge.client(service, key=(access_key_id, SECRET))
        answers.add(refused(getattr(client, call)))
        reasons.append(why(accounts.edge)[0])
    assert len(answers) == 1
    assert reasons == ["inactive access key", "unknown access key"]


def test_ec2_tells_no_wrong_signature_from_an_unknown_key(accounts: Accounts) -> None:
    answers, reasons = set(), []
    for key in ((ACCESS_KEY_ID, "wrong"), ("AKIA" + "Z" * 16, "wrong")):
        answers.add(refused(accounts.edge.client(key=key).describe_vpcs))
        reasons.append(why(accounts.edge)[0])
    assert answers == {
        ("AuthFailure", "AWS was not able to validate the provided access credentials")
    }
    assert reasons == ["wrong signature", "unknown access key"]


class TestSessions:
    """Access for a time."""

    def test_a_user_gets_a_session_of_its_own(self, accounts: Accounts) -> None:
        edge = accounts.edge
        got = edge.client("sts", key=ALICE_KEY).get_session_token(DurationSeconds=900)
        key = session_key(got)
        assert key[0].startswith("ASIA")
        assert edge.client("sts", key=key).get_caller_identity()["Arn"] == ALICE
        edge.client(key=key).describe_vpcs()
        code, _ = refused(edge.client(key=key).describe_ipams)
        assert code == "UnauthorizedOperation"
        # Its policies hold as they are now, not as they were.
        accounts.have()
        code, _ = refused(edge.client(key=key).describe_vpcs)
        assert code == "UnauthorizedOperation"

    def test_a_session_gets_no_further_session_of_itself(self, accounts: Accounts) -> None:
        sts = accounts.edge.client("sts", key=ALICE_KEY)
        key = session_key(sts.get_session_token())
        code, _ = refused(accounts.edge.client("sts", key=key).get_session_token)
        assert code == "AccessDenied"

    def test_a_session_ends_with_its_key(self, accounts: Accounts) -> None:
        key = session_key(accounts.edge.client("sts", key=ALICE_KEY).get_session_token())
        accounts.have(keys=(), inactive=(ALICE_KEY[0],))
        code, _ = refused(accounts.edge.client("sts", key=key).get_caller_identity)
        assert code == "InvalidClientTokenId"
        assert why(accounts.edge) == ("session of an inactive access key", key[0])

    def test_a_forged_token_is_refused(self, accounts: Accounts) -> None:
        key = session_key(accounts.edge.client("sts", key=ALICE_KEY).get_session_token())
        forged = (*key[:2], key[2][:-8] + "AAAAAAAA")
        code, _ = refused(accounts.edge.client("sts", key=forged).get_caller_identity)
        assert code == "InvalidClientTokenId"
        assert why(accounts.edge) == ("forged session token", key[0])

    def test_a_manager_acts_in_the_role_of_a_member(self, accounts: Accounts) -> None:
        edge = accounts.edge
        with managed(accounts):
            got = edge.client("sts", key=MANAGER_KEY).assume_role(
                RoleArn=MEMBER_ROLE, RoleSessionName="on-call"
            )
            principal = (
                f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/OrganizationAccountAccessRole/on-call"
            )
            assert got["AssumedRoleUser"]["Arn"] == principal
            key = session_key(got)
            identity = edge.client("sts", key=key).get_caller_identity()
            assert (identity["Account"], identity["Arn"]) == (ACCOUNT_ID, principal)
            assert identity["UserId"] == got["AssumedRoleUser"]["AssumedRoleId"]
            edge.client(key=key).create_vpc(CidrBlock="10.0.0.0/16")
            # A member's role may not act in further ones.
            again = refused(
                lambda: edge.client("sts", key=key).assume_role(
                    RoleArn=MEMBER_ROLE, RoleSessionName="again"
                )
            )
            assert again[0] == "AccessDenied"

    def test_a_role_is_limited_as_its_account_is(self, accounts: Accounts) -> None:
        edge = accounts.edge
        deny = document({"Effect": "Deny", "Action": "ec2:CreateVpc", "Resource": "*"})
        with managed(accounts, deny):
            key = session_key(
                edge.client("sts", key=MANAGER_KEY).assume_role(
                    RoleArn=MEMBER_ROLE, RoleSessionName="on-call"
                )
            )
            edge.client(key=key).describe_vpcs()
            code, _ = refused(lambda: edge.client(key=key).create_vpc(CidrBlock="10.0.0.0/16"))
            assert code == "UnauthorizedOperation"

    @pytest.mark.parametrize(
        "role_arn",
        [
            pytest.param(f"arn:aws:iam::{ACCOUNT_ID}:role/Other", id="another role"),
            pytest.param(
                MEMBER_ROLE.replace(ACCOUNT_ID, "777788889999"), id="no member of the organization"
            ),
            pytest.param(
                MEMBER_ROLE.replace(ACCOUNT_ID, MANAGEMENT_ACCOUNT_ID), id="the management account"
            ),
            pytest.param(MEMBER_ROLE.replace("role/", "role/path/"), id="a path"),
            pytest.param("arn:aws:iam::1:role/OrganizationAccountAccessRole", id="no account"),
        ],
    )
    def test_there_is_no_other_role_to_act_in(self, role_arn: str, accounts: Accounts) -> None:
        with managed(accounts):
            sts = accounts.edge.client("sts", key=MANAGER_KEY)
            code, message = refused(
                lambda: sts.assume_role(RoleArn=role_arn, RoleSessionName="on-call")
            )
        assert code == "AccessDenied"
        assert message.endswith(
            f"is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        )

    def test_nobody_else_acts_in_a_members_role(self, accounts: Accounts) -> None:
        edge = accounts.edge
        with managed(accounts):
            for key in (ALICE_KEY, (ACCESS_KEY_ID, SECRET)):
                assume_role = edge.client("sts", key=key).assume_role
                code, _ = refused(partial(assume_role, RoleArn=MEMBER_ROLE, RoleSessionName="me"))
                assert code == "AccessDenied"

    def test_a_managers_user_needs_a_policy_for_it(self, accounts: Accounts) -> None:
        edge = accounts.edge
        other = {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": MEMBER_ROLE.replace(ACCOUNT_ID, "777788889999"),
        }
        with managed(accounts, manager_policy=document(other)):
            sts = edge.client("sts", key=MANAGER_KEY)
            code, message = refused(
                lambda: sts.assume_role(RoleArn=MEMBER_ROLE, RoleSessionName="me")
            )
        assert code == "AccessDenied"
        assert "no identity-based policy allows the sts:AssumeRole action" in message

    @pytest.mark.parametrize(
        ("call", "role", "longest"),
        [
            ("get_session_token", {}, 129_600),
            ("assume_role", {"RoleArn": MEMBER_ROLE, "RoleSessionName": "me"}, 3600),
        ],
    )
    def test_a_session_lasts_as_long_as_at_aws(
        self, call: str, role: dict[str, str], longest: int, accounts: Accounts
    ) -> None:
        with managed(accounts):
            sts = accounts.edge.client("sts", key=MANAGER_KEY, parameter_validation=False)
            for seconds in (899, longest + 1):
                code, message = refused(
                    partial(getattr(sts, call), DurationSeconds=seconds, **role)
                )
                assert (code, f"900-{longest}" in message) == ("ValidationError", True)
            for seconds in (900, longest):
                got = getattr(sts, call)(DurationSeconds=seconds, **role)["Credentials"]
                left = got["Expiration"] - datetime.now(UTC)
                assert timedelta(0) < timedelta(seconds=seconds) - left < timedelta(minutes=1)

    def test_a_role_is_left_when_its_account_leaves_the_organization(
        self, accounts: Accounts
    ) -> None:
        edge = accounts.edge
        with managed(accounts):
            key = session_key(
                edge.client("sts", key=MANAGER_KEY).assume_role(
                    RoleArn=MEMBER_ROLE, RoleSessionName="on-call"
                )
            )
            edge.client(key=key).describe_vpcs()
        assert refused(edge.client("sts", key=key).get_caller_identity) == (
            "InvalidClientTokenId",
            "The security token included in the request is invalid",
        )
        assert why(edge) == (
            "session of a role that its holder may not act in any more",
            key[0],
        )

    def test_calls_of_a_session_are_traced_to_the_key_that_it_came_of(  # ORG-10
        self, accounts: Accounts
    ) -> None:
        edge, boss = accounts.edge, f"arn:aws:iam::{MANAGEMENT_ACCOUNT_ID}:user/boss"
        with managed(accounts):
            sts = edge.client("sts", key=MANAGER_KEY)
            sts.get_caller_identity()
            own = session_key(sts.get_session_token())
            edge.client("sts", key=own).get_caller_identity()
            key = session_key(sts.assume_role(RoleArn=MEMBER_ROLE, RoleSessionName="on-call"))
            edge.client(key=key).describe_vpcs()
        by_boss = {"principal": boss, "access_key_id": MANAGER_KEY[0]}
        session = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/OrganizationAccountAccessRole/on-call"
        assert traces(edge) == [
            ("GetCallerIdentity", by_boss),
            ("GetSessionToken", {**by_boss, "issued_access_key_id": own[0]}),
            ("GetCallerIdentity", {**by_boss, "session_access_key_id": own[0]}),
            ("AssumeRole", {**by_boss, "role": MEMBER_ROLE, "issued_access_key_id": key[0]}),
            (
                "DescribeVpcs",
                {
                    "principal": session,
                    "access_key_id": MANAGER_KEY[0],
                    "session_access_key_id": key[0],
                    "role": MEMBER_ROLE,
                },
            ),
        ]

    def test_who_tries_to_act_in_a_role_is_traced_too(self, accounts: Accounts) -> None:
        sts = accounts.edge.client("sts", key=ALICE_KEY)
        refused(lambda: sts.assume_role(RoleArn=MEMBER_ROLE, RoleSessionName="me"))
        assert traces(accounts.edge)[-1] == (
            "AssumeRole",
            {"principal": ALICE, "access_key_id": ALICE_KEY[0], "role": MEMBER_ROLE},
        )

    @pytest.mark.parametrize(
        "parameters",
        [
            {"Policy": document(SEES_VPCS)},
            {"PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]},
            {"Tags": [{"Key": "a", "Value": "b"}]},
            {"SerialNumber": "GAHT12345678", "TokenCode": "123456"},
        ],
        ids=["policy", "policy ARNs", "tags", "MFA"],
    )
    def test_what_would_limit_a_session_is_not_ignored(
        self, parameters: dict[str, Any], accounts: Accounts
    ) -> None:
        sts = accounts.edge.client("sts", key=ALICE_KEY)
        code, message = refused(
            lambda: sts.assume_role(RoleArn=MEMBER_ROLE, RoleSessionName="me", **parameters)
        )
        assert code == "ValidationError"
        assert f"{next(iter(parameters))} is not supported here" in message


VERSION = "Version=2011-06-15"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (VERSION, "MissingAction"),
        (f"Action=Fly&{VERSION}", "InvalidAction"),
        ("Action=GetCallerIdentity", "ValidationError"),
        ("Action=GetCallerIdentity&Version=2011-06-16", "NoSuchVersion"),
        (f"Action=GetCallerIdentity&{VERSION}&Colour=red", "ValidationError"),
        (f"Action=GetSessionToken&{VERSION}&DurationSeconds=long", "ValidationError"),
        (f"Action=AssumeRole&{VERSION}&RoleSessionName=me", "ValidationError"),
        (f"Action=AssumeRole&{VERSION}&RoleArn={MEMBER_ROLE}", "ValidationError"),
        (
            f"Action=AssumeRole&{VERSION}&RoleArn={MEMBER_ROLE}&RoleSessionName=a/b",
            "ValidationError",
        ),
    ],
)
def test_sts_refuses_what_is_no_request_of_its(body: str, code: str, edge: Edge) -> None:
    assert f"<Code>{code}</Code>" in edge.post(body, service="sts").text


@pytest.mark.parametrize(
    ("reason", "code", "status"),
    [
        ("NoSuchEntity", "NoSuchEntity", 404),
        ("EntityAlreadyExists", "EntityAlreadyExists", 409),
        ("DeleteConflict", "DeleteConflict", 409),
        ("LimitExceeded", "LimitExceeded", 409),
        ("MalformedPolicyDocument", "MalformedPolicyDocument", 400),
        ("InvalidInput", "InvalidInput", 400),
        ("MissingParameter", "ValidationError", 400),
    ],
)
def test_iam_refuses_in_its_own_codes(reason: str, code: str, status: int, edge: Edge) -> None:
    edge.fakes.answers["GetUser"] = Refusal(reason)
    with pytest.raises(ClientError) as refusal:
        edge.client("iam").get_user(UserName="alice")
    assert refusal.value.response["Error"]["Code"] == code
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_policies_come_out_of_boto3_as_documents(edge: Edge) -> None:
    edge.fakes.answers["GetUserPolicy"] = iam.GetUserPolicyResponse(
        user_name="alice", policy_name="p", policy_document=document(SEES_VPCS)
    )
    answer = edge.client("iam").get_user_policy(UserName="alice", PolicyName="p")
    assert answer["PolicyDocument"]["Statement"] == [SEES_VPCS]


def test_no_secret_is_in_any_log_line_or_refusal(accounts: Accounts) -> None:
    edge = accounts.edge
    edge.fakes.answers["CreateAccessKey"] = iam.CreateAccessKeyResponse(
        access_key=iam.AccessKey(access_key_id="AKIA", secret_access_key="told once")
    )
    assert edge.client("iam").create_access_key(UserName="alice")["AccessKey"]
    key = session_key(edge.client("sts", key=ALICE_KEY).get_session_token())
    edge.client("sts", key=key).get_caller_identity()
    refusals = [
        refused(edge.client("sts", key=(key[0], "wrong", key[2])).get_caller_identity),
        refused(edge.client("sts", key=(*key[:2], key[2][:-4] + "AAAA")).get_caller_identity),
        refused(edge.client(key=key).describe_ipams),
    ]
    accounts.have(keys=())
    refusals.append(refused(edge.client("sts", key=key).get_caller_identity))
    told = f"{edge.log} {refusals}"
    assert all(name in told for name in ("CreateAccessKey", "users changed", key[0]))
    encryption_key = edge.settings.encryption_key_path.read_text().strip()
    for secret in (SECRET, ALICE_KEY[1], "told once", key[1], key[2], encryption_key):
        assert secret not in told
