"""Unmodified boto3 and AWS CLI against Organizations and RAM as the gateway speaks for them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import Loader
from google.protobuf.timestamp_pb2 import Timestamp

from cadastre.common.v1 import types_pb2 as common
from cadastre.control.organizations.v1 import organizations_service_pb2 as organizations
from cadastre.control.sharing.v1 import sharing_service_pb2 as sharing
from services.gateway.routes import ORGANIZATIONS_FILES, RAM_FILES, rpcs_by_action
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

SHARING = "/cadastre.control.sharing.v1.SharingService"
ORGANIZATIONS = "/cadastre.control.organizations.v1.OrganizationsService"
SHARE_ARN = "arn:aws:ram:us-east-1:123456789012:resource-share/0be7c3b6-9e2c-4b5e-9f0a-3d1f5a7b9c2d"
POOL_ARN = "arn:aws:ec2::123456789012:ipam-pool/ipam-pool-07ec62b22fcbcb4ea"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


def timestamp(moment: datetime = MOMENT) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def test_an_organization_is_made(edge: Edge) -> None:  # ORG-1
    edge.fakes.answers["CreateOrganization"] = organizations.CreateOrganizationResponse(
        organization=organizations.Organization(
            id="o-exampleorgid",
            feature_set=organizations.ORGANIZATION_FEATURE_SET_ALL,
            master_account_id=ACCOUNT_ID,
        )
    )
    answer = edge.client("organizations").create_organization(FeatureSet="ALL")
    assert answer["Organization"] == {
        "Id": "o-exampleorgid",
        "FeatureSet": "ALL",
        "MasterAccountId": ACCOUNT_ID,
        "AvailablePolicyTypes": [],
    }
    assert edge.fakes.requests == [
        (
            f"{ORGANIZATIONS}/CreateOrganization",
            organizations.CreateOrganizationRequest(
                feature_set=organizations.ORGANIZATION_FEATURE_SET_ALL
            ),
        )
    ]


def test_the_answer_on_the_wire(edge: Edge) -> None:
    edge.fakes.answers["ListRoots"] = organizations.ListRootsResponse(
        roots=[organizations.Root(id="r-fssg", name="")]
    )
    edge.fakes.answers["GetResourceShares"] = sharing.GetResourceSharesResponse()
    answer = edge.operate("organizations", "ListRoots", "{}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-amz-json-1.1"
    assert answer.json() == {"Roots": [{"Id": "r-fssg", "Name": "", "PolicyTypes": []}]}
    sent_on = [sent["x-request-id"] for sent in edge.fakes.metadata]
    assert sent_on == [answer.headers["x-amzn-requestid"]]
    answer = edge.operate("ram", "GetResourceShares", "{}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"resourceShares": []}


def test_an_operation_without_output_answers_nothing(edge: Edge) -> None:
    client = edge.client("organizations")
    answer = client.enable_aws_service_access(ServicePrincipal="ipam.amazonaws.com")
    assert set(answer) == {"ResponseMetadata"}
    assert edge.operate("organizations", "DeleteOrganization", "{}").content == b""


def test_a_share_is_made(edge: Edge) -> None:  # ORG-4
    edge.fakes.answers["CreateResourceShare"] = sharing.CreateResourceShareResponse(
        resource_share=sharing.ResourceShare(
            resource_share_arn=SHARE_ARN,
            allow_external_principals=False,
            status=sharing.RESOURCE_SHARE_STATUS_ACTIVE,
            creation_time=timestamp(),
        ),
        client_token="token",
    )
    answer = edge.client("ram").create_resource_share(
        name="pools",
        resourceArns=[POOL_ARN],
        principals=["arn:aws:organizations::111122223333:ou/o-exampleorgid/ou-fssg-q5brfv9c"],
        tags=[{"key": "a", "value": "\u20ac"}],
        allowExternalPrincipals=False,
        clientToken="token",
    )
    assert answer["resourceShare"] == {
        "resourceShareArn": SHARE_ARN,
        "allowExternalPrincipals": False,
        "status": "ACTIVE",
        "tags": [],
        "creationTime": MOMENT,
    }
    assert answer["clientToken"] == "token"
    assert edge.fakes.requests == [
        (
            f"{SHARING}/CreateResourceShare",
            sharing.CreateResourceShareRequest(
                name="pools",
                resource_arns=[POOL_ARN],
                principals=[
                    "arn:aws:organizations::111122223333:ou/o-exampleorgid/ou-fssg-q5brfv9c"
                ],
                tags=[common.Tag(key="a", value="\u20ac")],
                allow_external_principals=False,
                client_token="token",
            ),
        )
    ]


@pytest.mark.parametrize("arn", [SHARE_ARN, "a b+c%2F/&=?#~*'()\u20ac"])
def test_a_share_is_deleted_by_a_signed_query_string(arn: str, edge: Edge) -> None:
    edge.fakes.answers["DeleteResourceShare"] = sharing.DeleteResourceShareResponse(
        return_value=True
    )
    answer = edge.client("ram").delete_resource_share(resourceShareArn=arn, clientToken="t")
    assert answer["returnValue"] is True
    [(path, request)] = edge.fakes.requests
    assert path == f"{SHARING}/DeleteResourceShare"
    assert (request.resource_share_arn, request.client_token) == (arn, "t")


FILES = {"organizations": ORGANIZATIONS_FILES, "ram": RAM_FILES}
PAGINATED = [
    (service, name)
    for service, files in FILES.items()
    for name in rpcs_by_action(files)
    if name in Loader().load_service_model(service, "paginators-1")["pagination"]
]


@pytest.mark.parametrize(("service", "name"), PAGINATED)
def test_pages_are_followed_to_the_end(service: str, name: str, edge: Edge) -> None:
    [rpc] = rpcs_by_action(FILES[service])[name]
    [records] = [field.name for field in rpc.response_type.DESCRIPTOR.fields if field.is_repeated]
    # A page may be empty and still not be the last one.
    pages = {"": (2, "a+b/c="), "a+b/c=": (0, "\uac00"), "\uac00": (1, None)}

    def page(request: Any) -> Any:
        count, following = pages[request.next_token]
        answer: Any = rpc.response_type(next_token=following)
        for _ in range(count):
            getattr(answer, records).add()
        return answer

    edge.fakes.answers[rpc.path] = page
    # What an operation requires is not what this is about.
    paginator = edge.client(service, parameter_validation=False).get_paginator(xform_name(name))
    [found] = [v for v in paginator.paginate().build_full_result().values() if v]
    assert len(found) == 3
    assert [request.next_token for _, request in edge.fakes.requests] == [*pages]


def test_there_are_pages_to_follow() -> None:
    assert {"ListAccounts", "GetResourceShares"} <= {name for _, name in PAGINATED}


class TestCli:
    """The AWS CLI as a user types it."""

    def test_accounts_are_listed_page_by_page(self, edge: Edge) -> None:
        pages = {"": ("111122223333", "1"), "1": ("444455556666", None)}

        def page(request: Any) -> Any:
            account_id, following = pages[request.next_token]
            account = organizations.Account(
                id=account_id,
                state=organizations.ACCOUNT_STATE_ACTIVE,
                joined_timestamp=timestamp(),
            )
            return organizations.ListAccountsResponse(accounts=[account], next_token=following)

        edge.fakes.answers["ListAccounts"] = page
        done = edge.aws("aws organizations list-accounts --page-size 1")
        accounts = json.loads(done.stdout)["Accounts"]
        assert [(account["Id"], account["State"]) for account in accounts] == [
            ("111122223333", "ACTIVE"),
            ("444455556666", "ACTIVE"),
        ]
        assert datetime.fromtimestamp(accounts[0]["JoinedTimestamp"], UTC) == MOMENT
        assert [request.max_results for _, request in edge.fakes.requests] == [1, 1]

    def test_a_policy_keeps_every_character(self, edge: Edge) -> None:  # ORG-6
        content = '{"Statement": [{"Effect": "Deny", "Resource": "*"}]}'
        edge.aws(
            "aws organizations create-policy --type SERVICE_CONTROL_POLICY --name n"
            f" --description d --content '{content}'"
        )
        [(_, request)] = edge.fakes.requests
        assert request.content == content
        assert request.type == organizations.POLICY_TYPE_SERVICE_CONTROL_POLICY

    def test_a_share_is_made_with_tags(self, edge: Edge) -> None:  # ORG-4
        edge.fakes.answers["CreateResourceShare"] = sharing.CreateResourceShareResponse(
            resource_share=sharing.ResourceShare(
                resource_share_arn=SHARE_ARN, tags=[common.Tag(key="env", value="prod")]
            )
        )
        done = edge.aws(
            f"aws ram create-resource-share --name pools --resource-arns {POOL_ARN}"
            f" --principals {ACCOUNT_ID} --no-allow-external-principals"
            " --tags key=env,value=prod"
        )
        assert json.loads(done.stdout)["resourceShare"] == {
            "resourceShareArn": SHARE_ARN,
            "tags": [{"key": "env", "value": "prod"}],
        }
        [(_, request)] = edge.fakes.requests
        assert request == sharing.CreateResourceShareRequest(
            name="pools",
            resource_arns=[POOL_ARN],
            principals=[ACCOUNT_ID],
            allow_external_principals=False,
            tags=[common.Tag(key="env", value="prod")],
        )

    def test_a_share_is_deleted(self, edge: Edge) -> None:
        done = edge.aws(f"aws ram delete-resource-share --resource-share-arn {SHARE_ARN}")
        assert done.returncode == 0
        assert edge.fakes.requests[0][1].resource_share_arn == SHARE_ARN

    def test_a_refusal_is_shown(self, edge: Edge) -> None:
        edge.fakes.answers["DescribeAccount"] = Refusal("AccountNotFoundException", "no account 1")
        done = edge.aws("aws organizations describe-account --account-id 111122223333")
        assert done.returncode != 0
        assert "(AccountNotFoundException)" in done.stderr
        assert "no account 1" in done.stderr

    def test_what_is_not_offered_is_told_by_name(self, edge: Edge) -> None:
        done = edge.aws("aws organizations close-account --account-id 111122223333")
        assert "(UnsupportedOperation)" in done.stderr
        assert "CloseAccount is not available in this installation" in done.stderr
