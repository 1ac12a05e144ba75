"""The unmodified SDK against the gateway: what it is given arrives, what is answered it gives."""

from contextlib import suppress
from typing import Any

import grpc
import pytest
from botocore.exceptions import ClientError

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import pool_allocation_pb2
from cadastre.common.v1 import types_pb2 as common
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pb2
from tests.gateway.edge import ACCESS_KEY_ID, ACCOUNT_ID, SECRET, Edge
from tests.gateway.fakes import Refusal

CONTROL = "/cadastre.control.v1.ControlPlaneService"
ALLOCATION = "/cadastre.allocation.v1.AllocationService"
NETWORK = "/cadastre.network.v1.NetworkService"


def test_a_call_goes_to_the_context_that_has_the_rpc_and_back(edge: Edge) -> None:  # ACC-1
    edge.fakes.answers["CreateIpam"] = control.CreateIpamResponse(
        ipam=ipam_pb2.Ipam(
            ipam_id="ipam-1",
            scope_count=2,
            operating_regions=[ipam_pb2.IpamOperatingRegion(region_name="us-west-2")],
            state=ipam_pb2.IPAM_STATE_CREATE_IN_PROGRESS,
            tags=[common.Tag(key="k", value="<&\r\n\u20ac>")],
            enable_private_gua=False,
        )
    )
    answer = edge.ec2(
        "create_ipam",
        Description="<&\r\n\u20ac>",
        OperatingRegions=[{"RegionName": "us-west-2"}],
        Tier="advanced",
        ClientToken="token",
    )
    assert answer["Ipam"] == {
        "IpamId": "ipam-1",
        "ScopeCount": 2,
        "OperatingRegions": [{"RegionName": "us-west-2"}],
        "State": "create-in-progress",
        "Tags": [{"Key": "k", "Value": "<&\r\n\u20ac>"}],
        "EnablePrivateGua": False,
    }
    assert edge.fakes.requests == [
        (
            f"{CONTROL}/CreateIpam",
            control.CreateIpamRequest(
                description="<&\r\n\u20ac>",
                operating_regions=[ipam_pb2.AddIpamOperatingRegion(region_name="us-west-2")],
                tier=ipam_pb2.IPAM_TIER_ADVANCED,
                client_token="token",
            ),
        )
    ]


def test_pages_are_followed(edge: Edge) -> None:
    pages = [
        allocation.GetIpamPoolAllocationsResponse(
            ipam_pool_allocations=[pool_allocation_pb2.IpamPoolAllocation(cidr=cidr)],
            next_token=token,
        )
        for cidr, token in (("10.0.0.0/24", "a+b/c="), ("10.0.1.0/24", None))
    ]
    action = "GetIpamPoolAllocations"
    paginator = edge.client().get_paginator("get_ipam_pool_allocations")
    found = []
    edge.fakes.answers[action] = pages[0]
    pager = iter(paginator.paginate(IpamPoolId="ipam-pool-1"))
    for page in pages:
        edge.fakes.answers[action] = page
        answer = next(pager)
        found += [record["Cidr"] for record in answer["IpamPoolAllocations"]]
    assert found == ["10.0.0.0/24", "10.0.1.0/24"]
    assert [r.next_token for _, r in edge.fakes.requests] == ["", "a+b/c="]


def test_an_action_without_output_answers_true(edge: Edge) -> None:
    answer = edge.ec2("delete_vpc", VpcId="vpc-1")
    assert set(answer) == {"ResponseMetadata"}


def refused(edge: Edge, operation: str, **parameters: Any) -> tuple[str, str, int]:
    """Code, message and status of the error that boto3 raises."""
    with pytest.raises(ClientError) as refusal:
        edge.ec2(operation, **parameters)
    response = refusal.value.response
    assert response["ResponseMetadata"]["RequestId"]
    error = response["Error"]
    return error["Code"], error["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize(
    ("code", "reason", "status"),
    [
        ("INVALID_ARGUMENT", "InvalidParameterValue", 400),
        ("NOT_FOUND", "InvalidIpamId.NotFound", 400),
        ("FAILED_PRECONDITION", "DependencyViolation", 400),
        ("FAILED_PRECONDITION", "DryRunOperation", 412),
        ("RESOURCE_EXHAUSTED", "IpamLimitExceeded", 400),
        ("PERMISSION_DENIED", "UnauthorizedOperation", 403),
        ("PERMISSION_DENIED", "OperationNotPermitted", 400),
        ("UNAVAILABLE", "Unavailable", 503),
    ],
)
def test_a_refusal_keeps_its_reason_and_message(
    code: str, reason: str, status: int, edge: Edge
) -> None:
    edge.fakes.answers["DeleteIpam"] = Refusal(reason, "<no> & 'why'", grpc.StatusCode[code])
    answer = refused(edge, "delete_ipam", IpamId="ipam-1")
    assert answer == (reason, "<no> & 'why'", status)


def test_a_fault_is_told_without_details(edge: Edge) -> None:
    edge.fakes.answers["DeleteIpam"] = Refusal("", "table ipams", grpc.StatusCode.INTERNAL)
    answer = refused(edge, "delete_ipam", IpamId="ipam-1")
    assert answer == ("InternalError", "An internal error has occurred", 500)


def test_a_context_that_does_not_trust_the_gateway_is_no_mistake_of_the_client(edge: Edge) -> None:
    edge.fakes.answers["DeleteIpam"] = Refusal(
        "AuthFailure", "The caller's token is not valid", grpc.StatusCode.UNAUTHENTICATED
    )
    answer = refused(edge, "delete_ipam", IpamId="ipam-1")
    assert answer == ("InternalError", "An internal error has occurred", 500)
    assert [line["log_level"] for line in edge.log] == ["error", "info"]


@pytest.mark.parametrize(
    ("operation", "parameters", "attempts"),
    [
        ("describe_ipams", {}, 2),
        ("create_ipam", {"ClientToken": "token"}, 2),
        ("delete_ipam", {"IpamId": "ipam-1"}, 1),
    ],
)
def test_only_what_may_be_repeated_is_asked_again(
    operation: str, parameters: dict[str, Any], attempts: int, edge: Edge
) -> None:
    action = "".join(word.title() for word in operation.split("_"))
    replies = iter([Refusal("Unavailable", code=grpc.StatusCode.UNAVAILABLE), None])
    edge.fakes.answers[action] = lambda _: next(replies)
    with suppress(ClientError):
        edge.ec2(operation, **parameters)
    assert len(edge.fakes.requests) == attempts


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        ("describe_volumes", {"MaxResults": 5}, "not available in this installation"),
        ("describe_images", {}, "not available in this installation"),
    ],
)
def test_an_action_without_rpc_is_refused(
    operation: str, parameters: dict[str, Any], message: str, edge: Edge
) -> None:
    code, told, status = refused(edge, operation, **parameters)
    assert (code, status) == ("InvalidAction", 400)
    assert message in told


class TestSharedActions:
    """CreateTags and DeleteTags, which several contexts have."""

    def test_each_context_gets_its_ids(self, edge: Edge) -> None:
        ids = ["vpc-1", "ipam-1", "ipam-pool-alloc-1", "vpc-2"]
        edge.ec2("create_tags", Resources=ids, Tags=[{"Key": "k", "Value": "v"}])
        asked = {path: list(request.resources) for path, request in edge.fakes.requests}
        assert asked == {
            f"{CONTROL}/CreateTags": ["ipam-1"],
            f"{ALLOCATION}/CreateTags": ["ipam-pool-alloc-1"],
            f"{NETWORK}/CreateTags": ["vpc-1", "vpc-2"],
        }

    def test_an_unknown_kind_changes_nothing(self, edge: Edge) -> None:
        answer = refused(edge, "create_tags", Resources=["vpc-1", "snap-1"], Tags=[])
        assert answer == ("InvalidID", "The ID 'snap-1' is not valid", 400)
        assert edge.fakes.requests == []

    @pytest.mark.parametrize(
        ("control_plane", "network", "expected"),
        [
            ("DryRunOperation", "DryRunOperation", "DryRunOperation"),
            ("DryRunOperation", "InvalidVpcID.NotFound", "InvalidVpcID.NotFound"),
            ("InvalidIpamId.NotFound", "DryRunOperation", "InvalidIpamId.NotFound"),
        ],
    )
    def test_a_dry_run_succeeds_only_if_every_part_would(
        self, control_plane: str, network: str, expected: str, edge: Edge
    ) -> None:
        edge.fakes.answers[f"{CONTROL}/DeleteTags"] = Refusal(control_plane)
        edge.fakes.answers[f"{NETWORK}/DeleteTags"] = Refusal(network)
        code, _, _ = refused(edge, "delete_tags", Resources=["ipam-1", "vpc-1"], DryRun=True)
        assert code == expected


class TestIdentity:
    """Who is calling is what the access key says."""

    def test_the_caller_is_the_keys_user(self, edge: Edge) -> None:  # ORG-10
        identity = edge.client("sts").get_caller_identity()
        assert identity["Account"] == ACCOUNT_ID
        assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT_ID}:user/ipam-account"
        assert identity["UserId"].startswith("AIDA")

    @pytest.mark.parametrize(
        ("service", "call", "key", "code", "status"),
        [
            ("ec2", "describe_ipams", (ACCESS_KEY_ID, "x"), "AuthFailure", 401),
            ("ec2", "describe_ipams", ("AKIA" + "Z" * 16, SECRET), "AuthFailure", 401),
            ("sts", "get_caller_identity", (ACCESS_KEY_ID, "x"), "SignatureDoesNotMatch", 403),
            ("sts", "get_caller_identity", ("AKIA" + "Z" * 16, "x"), "InvalidClientTokenId", 403),
            ("ram", "list_permissions", (ACCESS_KEY_ID, "x"), "SignatureDoesNotMatch", 403),
        ],
    )
    def test_wrong_keys_are_refused(
        self, service: str, call: str, key: tuple[str, str], code: str, status: int, edge: Edge
    ) -> None:
        client = edge.client(service, key=key)
        with pytest.raises(ClientError) as refusal:
            getattr(client, call)()
        assert refusal.value.response["Error"]["Code"] == code
        assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert edge.fakes.requests == []


@pytest.mark.parametrize(
    ("service", "call", "parameters", "code"),
    [
        ("service-quotas", "list_services", {}, "UnknownOperationException"),
        ("logs", "describe_log_groups", {}, "UnknownOperationException"),
        ("sns", "list_topics", {}, "InvalidAction"),
        ("sts", "get_federation_token", {"Name": "me"}, "InvalidAction"),
    ],
)
def test_other_services_are_refused_so_that_their_clients_understand(
    service: str, call: str, parameters: dict[str, Any], code: str, edge: Edge
) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(edge.client(service), call)(**parameters)
    error = refusal.value.response["Error"]
    assert error["Code"] == code
    assert "available here" in error["Message"]
