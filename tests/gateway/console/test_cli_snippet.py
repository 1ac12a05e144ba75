"""The command lines that the console shows do what it does: the unmodified AWS CLI says so."""

import subprocess
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import pytest
from google.protobuf.message import Message

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import placement_service_pb2 as placement
from cadastre.control.iam.v1 import iam_service_pb2 as iam
from cadastre.control.organizations.v1 import organizations_service_pb2 as organizations
from cadastre.control.sharing.v1 import sharing_service_pb2 as ram
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import resource_discovery_service_pb2 as discoveries
from cadastre.discovery.v1 import monitoring_service_pb2 as monitoring
from cadastre.network.v1 import network_service_pb2 as network
from services.gateway.console.cli_snippet import UnknownToAws, command_line
from services.gateway.model import load_model
from tests.acceptance.aws_cli import AwsCli
from tests.gateway.edge import Edge

REGION = "us-east-1"
POOL = "ipam-pool-0123456789abcdef0"
IPAM = "ipam-0123456789abcdef0"
MODELS: Mapping[str, Any] = {
    service: load_model(service) for service in ("ec2", "iam", "organizations", "ram")
}
ODD_TEXTS = [
    'it\'s "mine" $HOME `x`',
    "-starts-like-an-option",
    "--region",
    "file:///etc/passwd",
    "fileb://x",
    "http://127.0.0.1/x",
    "two\nlines",
    "[1,2]",
    "{a=b}",
    "a=b,c=d",
    "",
    " ",
    "日本語 ☃",
    "\\",
    "@=",
]
M = TypeVar("M", bound=Message)


def made(kind: type[M], **members: Any) -> M:
    """A message; structures in it may be dictionaries."""
    return kind(**members)


REQUESTS: list[tuple[str, Message]] = [
    (
        "ec2",
        made(
            control.CreateIpamRequest,
            description="my IPAM",
            operating_regions=[{"region_name": "us-west-1"}, {"region_name": "us-west-2"}],
            tag_specifications=[
                {"resource_type": "ipam", "tags": [{"key": "Name", "value": "main"}]}
            ],
            tier=2,
            enable_private_gua=False,
        ),
    ),
    (
        "ec2",
        made(
            control.CreateIpamPoolRequest,
            ipam_scope_id="ipam-scope-0123456789abcdef0",
            locale="us-west-1",
            address_family=1,
            auto_import=True,
            allocation_min_netmask_length=24,
            allocation_resource_tags=[{"key": "environment", "value": "pre-prod"}],
            tag_specifications=[
                {"resource_type": "ipam-pool", "tags": [{"key": "a b", "value": "c,d=e'\"[]"}]}
            ],
        ),
    ),
    (
        "ec2",
        made(
            control.ModifyIpamPoolRequest,
            ipam_pool_id=POOL,
            clear_allocation_default_netmask_length=True,
            remove_allocation_resource_tags=[{"key": "a", "value": ""}],
        ),
    ),
    ("ec2", made(control.DeleteIpamRequest, ipam_id=IPAM, cascade=True)),
    (
        "ec2",
        made(
            control.DescribeIpamPoolsRequest,
            filters=[{"name": "description", "values": ["a b", "c*"]}],
            max_results=50,
        ),
    ),
    (
        "ec2",
        made(
            allocation.AllocateIpamPoolCidrRequest,
            ipam_pool_id=POOL,
            netmask_length=0,
            allowed_cidrs=["10.0.0.0/8", "2001:db8::/32"],
        ),
    ),
    (
        "ec2",
        made(
            allocation.ProvisionIpamPoolCidrRequest,
            ipam_pool_id=POOL,
            cidr="203.0.113.0/24",
            cidr_authorization_context={"message": "1|aws|0123|x", "signature": "a-b~c__"},
        ),
    ),
    (
        "ec2",
        made(
            monitoring.GetIpamAddressHistoryRequest,
            cidr="10.0.0.1/32",
            ipam_scope_id="ipam-scope-0123456789abcdef0",
            start_time={"seconds": 1767323045, "nanos": 500_000_000},
            end_time={"seconds": 1767323046},
        ),
    ),
    (
        "ec2",
        made(
            discoveries.ModifyIpamResourceDiscoveryRequest,
            ipam_resource_discovery_id="ipam-res-disco-0123456789abcdef0",
            add_organizational_unit_exclusions=[
                {"organizations_entity_path": "o-abcd012345/r-ab12/ou-ab12-11111111/*"}
            ],
        ),
    ),
    (
        "ec2",
        made(
            network.CreateVpcRequest,
            ipv4_ipam_pool_id=POOL,
            ipv4_netmask_length=24,
            amazon_provided_ipv6_cidr_block=False,
            tag_specifications=[
                {"resource_type": "vpc", "tags": [{"key": "Name", "value": "Example VPC"}]}
            ],
        ),
    ),
    (
        "ram",
        made(
            ram.CreateResourceShareRequest,
            name="my share",
            resource_arns=[f"arn:aws:ec2::123456789012:ipam-pool/{POOL}"],
            principals=["444455556666"],
            allow_external_principals=False,
            tags=[{"key": "a", "value": "b c"}],
        ),
    ),
    (
        "organizations",
        made(
            organizations.RegisterDelegatedAdministratorRequest,
            account_id="444455556666",
            service_principal="ipam.amazonaws.com",
        ),
    ),
    (
        "iam",
        made(
            iam.PutUserPolicyRequest,
            user_name="bob",
            policy_name="p",
            policy_document='{"Version": "2012-10-17"}',
        ),
    ),
]


@pytest.fixture(scope="module")
def aws(running_edge: Edge) -> Iterator[AwsCli]:
    cli = AwsCli(running_edge.environment)
    yield cli
    cli.close()


@pytest.mark.parametrize(("service", "request_"), REQUESTS, ids=lambda x: type(x).__name__)
def test_the_aws_cli_sends_what_the_console_sends(
    service: str, request_: Message, edge: Edge, aws: AwsCli
) -> None:
    assert _sent(aws, edge, service, request_) == _without_our_members(request_)


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_any_text_arrives_as_it_is(text: str, edge: Edge, aws: AwsCli) -> None:
    request = made(
        control.CreateIpamRequest,
        description=text,
        tag_specifications=[
            {"resource_type": "ipam", "tags": [{"key": f"k{text}", "value": text}]}
        ],
    )
    assert _sent(aws, edge, "ec2", request) == request


@pytest.mark.parametrize("text", ["-1", "[x]", "file://x", "a b"])
def test_any_text_in_a_list_arrives_as_it_is(text: str, edge: Edge, aws: AwsCli) -> None:
    request = made(control.DescribeIpamPoolsRequest, ipam_pool_ids=[text])
    assert _sent(aws, edge, "ec2", request) == request


def test_short_commands_are_one_line() -> None:
    request = made(control.DeleteIpamPoolRequest, ipam_pool_id=POOL, dry_run=True)
    assert _line("ec2", request) == (
        f"aws ec2 delete-ipam-pool --ipam-pool-id {POOL} --region us-east-1"
    )


def test_long_commands_have_an_option_a_line() -> None:
    request = made(
        allocation.AllocateIpamPoolCidrRequest,
        ipam_pool_id=POOL,
        netmask_length=24,
        description="my net",
        preview_next_cidr=True,
        client_token="not shown",
    )
    assert _line("ec2", request) == (
        "aws ec2 allocate-ipam-pool-cidr \\\n"
        f"    --ipam-pool-id {POOL} \\\n"
        "    --netmask-length 24 \\\n"
        "    --description 'my net' \\\n"
        "    --preview-next-cidr \\\n"
        "    --region us-east-1"
    )


def test_structures_are_in_shorthand() -> None:
    request = made(
        control.CreateIpamRequest,
        operating_regions=[{"region_name": "us-west-1"}, {"region_name": "us-west-2"}],
        tag_specifications=[{"resource_type": "ipam", "tags": [{"key": "a", "value": "b"}]}],
    )
    assert _line("ec2", request).splitlines()[1:3] == [
        "    --operating-regions RegionName=us-west-1 RegionName=us-west-2 \\",
        "    --tag-specifications 'ResourceType=ipam,Tags=[{Key=a,Value=b}]' \\",
    ]


def test_what_aws_does_not_have_has_no_command() -> None:
    request = made(placement.GetIpamPoolPlacementRequest, ipam_pool_id=POOL)
    with pytest.raises(UnknownToAws, match="ec2 has no operation GetIpamPoolPlacement"):
        _line("ec2", request)


def _line(service: str, request: Message) -> str:
    name = request.DESCRIPTOR.name.removesuffix("Request")
    return command_line(MODELS[service], name, request, region=REGION)


def _sent(aws: AwsCli, edge: Edge, service: str, request: Message) -> Message:
    """What arrives when the command line is run."""
    done = aws.run(_as_a_shell_reads(_line(service, request)))
    assert done["exit_code"] == 0, done["stderr"]
    [(_, message)] = edge.fakes.requests
    return _without_our_members(message)


def _as_a_shell_reads(line: str) -> list[str]:
    """The arguments of the AWS CLI."""
    told = line.replace("aws ", "printf '%s\\0' ", 1)
    done = subprocess.run(["sh", "-c", told], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def _without_our_members(message: Message) -> Message:
    plain = type(message)()
    plain.CopyFrom(message)
    for name in ("client_token", "dry_run"):
        if name in plain.DESCRIPTOR.fields_by_name:
            plain.ClearField(name)
    return plain
