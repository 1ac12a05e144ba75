"""IAM and STS by the unmodified AWS CLI: users, keys, policies, sessions, roles (ORG-2, ORG-10)."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.acceptance.installation import AwsError, Installation
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.acceptance,
    # What databases have a part in is tested where they are.
    pytest.mark.parametrize("cadastre", ["sqlite"], indirect=True),
]

ACCOUNT_ID, MEMBER_ID = "123456789012", "444455556666"
ROLE = "AWSServiceRoleForIPAM"
READER = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeIpams", "Resource": "*"}],
}


def client(cadastre: Installation, service: str, credentials: Mapping[str, str]) -> Any:
    """Of whoever has the access key."""
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{cadastre.port}",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials.get("SessionToken"),
    )


def refusal(call: Any) -> str:
    """The code that a client got, or the empty string when it got through."""
    try:
        call()
    except AwsError as error:
        return error.code
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def test_a_user_from_its_creation_to_its_deletion(cadastre: Installation) -> None:  # ORG-10
    run = cadastre.run
    made = run("aws iam create-user --user-name alice --tags Key=team,Value=net")["User"]
    assert made["Arn"] == f"arn:aws:iam::{ACCOUNT_ID}:user/alice"
    assert made["Tags"] == [{"Key": "team", "Value": "net"}]
    assert [user["UserName"] for user in run("aws iam list-users")["Users"]] == ["alice"]
    key = run("aws iam create-access-key --user-name alice")["AccessKey"]

    # In force as soon as the edge has been told.
    sts = client(cadastre, "sts", key)
    wait_until(lambda: not refusal(sts.get_caller_identity))
    identity = sts.get_caller_identity()
    assert (identity["Arn"], identity["UserId"]) == (made["Arn"], made["UserId"])

    # No policy, no right.
    ec2 = client(cadastre, "ec2", key)
    assert refusal(ec2.describe_ipams) == "UnauthorizedOperation"
    document = shlex.quote(json.dumps(READER))
    put = "aws iam put-user-policy --user-name alice --policy-name reader --policy-document"
    run(f"{put} {document}")
    wait_until(lambda: not refusal(ec2.describe_ipams))
    assert refusal(ec2.describe_vpcs) == "UnauthorizedOperation"
    got = run("aws iam get-user-policy --user-name alice --policy-name reader")
    assert got["PolicyDocument"] == READER
    assert refusal(lambda: run(f"{put} '{{}}'")) == "MalformedPolicyDocument"

    # A session is the user, for a time.
    session = client(cadastre, "ec2", sts.get_session_token()["Credentials"])
    assert not refusal(session.describe_ipams)
    assert refusal(session.describe_vpcs) == "UnauthorizedOperation"

    # Rotation: a second key, and the first is set aside, then deleted.
    second = run("aws iam create-access-key --user-name alice")["AccessKey"]
    assert refusal(lambda: run("aws iam create-access-key --user-name alice")) == "LimitExceeded"
    old = f"--user-name alice --access-key-id {key['AccessKeyId']}"
    run(f"aws iam update-access-key {old} --status Inactive")
    wait_until(lambda: refusal(sts.get_caller_identity) == "InvalidClientTokenId")
    assert refusal(session.describe_ipams) == "AuthFailure"
    listed = run("aws iam list-access-keys --user-name alice")["AccessKeyMetadata"]
    assert [(one["AccessKeyId"], one["Status"]) for one in listed] == [
        (key["AccessKeyId"], "Inactive"),
        (second["AccessKeyId"], "Active"),
    ]
    run(f"aws iam delete-access-key {old}")
    ec2 = client(cadastre, "ec2", second)
    wait_until(lambda: not refusal(ec2.describe_ipams))

    delete = "aws iam delete-user --user-name alice"
    assert refusal(lambda: run(delete)) == "DeleteConflict"
    last = f"--user-name alice --access-key-id {second['AccessKeyId']}"
    run(f"aws iam delete-access-key {last}")
    assert refusal(lambda: run(delete)) == "DeleteConflict"
    run("aws iam delete-user-policy --user-name alice --policy-name reader")
    run(delete)
    assert refusal(lambda: run("aws iam get-user --user-name alice")) == "NoSuchEntity"
    sts = client(cadastre, "sts", second)
    wait_until(lambda: refusal(sts.get_caller_identity) == "InvalidClientTokenId")


def test_the_management_account_acts_in_a_member(cadastre: Installation) -> None:  # ORG-10
    role = f"arn:aws:iam::{MEMBER_ID}:role/OrganizationAccountAccessRole"
    assume = f"aws sts assume-role --role-arn {role} --role-session-name on-call"
    got = cadastre.run(f"{assume} --duration-seconds 900 --profile management-account")
    assert got["AssumedRoleUser"]["Arn"].endswith(
        "assumed-role/OrganizationAccountAccessRole/on-call"
    )
    identity = client(cadastre, "sts", got["Credentials"]).get_caller_identity()
    assert identity["Account"] == MEMBER_ID
    assert not refusal(client(cadastre, "ec2", got["Credentials"]).describe_vpcs)
    assert refusal(lambda: cadastre.run(assume)) == "AccessDenied"


def test_a_service_linked_role_is_made_and_deleted(cadastre: Installation) -> None:  # ORG-2
    def run(command: str) -> Any:
        return cadastre.run(f"aws iam {command} --profile byoip-owner-account")

    create = "create-service-linked-role --aws-service-name ipam.amazonaws.com"
    made = run(create)["Role"]
    assert made["RoleName"] == ROLE
    assert made["AssumeRolePolicyDocument"]["Statement"][0]["Action"] == "sts:AssumeRole"
    assert run(f"get-role --role-name {ROLE}")["Role"]["Arn"] == made["Arn"]
    assert refusal(lambda: run(create)) == "InvalidInput"
    task = run(f"delete-service-linked-role --role-name {ROLE}")["DeletionTaskId"]
    status = run(f"get-service-linked-role-deletion-status --deletion-task-id {task}")
    assert status["Status"] == "SUCCEEDED"
    assert refusal(lambda: run(f"get-role --role-name {ROLE}")) == "NoSuchEntity"
    assert run("list-roles")["Roles"] == []
