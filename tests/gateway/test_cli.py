"""The unmodified AWS CLI against the gateway."""

import json

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import pool_allocation_pb2
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pool_pb2
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal


def test_who_am_i(edge: Edge) -> None:
    done = edge.aws("aws sts get-caller-identity --profile ipam-account")
    assert json.loads(done.stdout)["Account"] == ACCOUNT_ID


def test_a_command_of_the_guide(edge: Edge) -> None:  # ACC-1
    edge.fakes.answers["CreateIpamPool"] = control.CreateIpamPoolResponse(
        ipam_pool=ipam_pool_pb2.IpamPool(locale="None", pool_depth=1, auto_import=False)
    )
    done = edge.aws(
        "aws ec2 create-ipam-pool --region us-east-1 --ipam-scope-id ipam-scope-065e7dfe880df679c"
        ' --description "top-level-pool" --address-family ipv4'
        " --tag-specifications ResourceType=ipam-pool,Tags=[{Key=env,Value=prod}]"
    )
    assert json.loads(done.stdout)["IpamPool"] == {
        "Locale": "None",
        "PoolDepth": 1,
        "AutoImport": False,
        "AllocationResourceTags": [],
        "Tags": [],
    }
    [(_, request)] = edge.fakes.requests
    assert request.description == "top-level-pool"
    assert request.client_token
    assert request.tag_specifications[0].tags[0].value == "prod"


def test_all_pages_are_fetched(edge: Edge) -> None:
    pages = {
        "": ("10.0.0.0/24", "1"),
        "1": ("10.0.1.0/24", "2"),
        "2": ("10.0.2.0/24", None),
    }

    def page(
        request: allocation.GetIpamPoolAllocationsRequest,
    ) -> allocation.GetIpamPoolAllocationsResponse:
        cidr, following = pages[request.next_token]
        return allocation.GetIpamPoolAllocationsResponse(
            ipam_pool_allocations=[pool_allocation_pb2.IpamPoolAllocation(cidr=cidr)],
            next_token=following,
        )

    edge.fakes.answers["GetIpamPoolAllocations"] = page
    done = edge.aws(
        "aws ec2 get-ipam-pool-allocations --ipam-pool-id ipam-pool-1 --page-size 1000"
        " --query IpamPoolAllocations[].Cidr"
    )
    assert json.loads(done.stdout) == ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]
    assert [request.max_results for _, request in edge.fakes.requests] == [1000, 1000, 1000]


def test_a_dry_run_is_reported_as_aws_does(edge: Edge) -> None:
    edge.fakes.answers["DeleteIpam"] = Refusal("DryRunOperation", "Request would have succeeded")
    done = edge.aws("aws ec2 delete-ipam --ipam-id ipam-1 --dry-run")
    assert done.returncode != 0
    assert "(DryRunOperation)" in done.stderr
    assert edge.fakes.requests[0][1].dry_run


def test_a_refusal_is_shown(edge: Edge) -> None:
    edge.fakes.answers["DeleteVpc"] = Refusal("InvalidVpcID.NotFound", "The ID 'vpc-1' is unknown")
    done = edge.aws("aws ec2 delete-vpc --vpc-id vpc-1")
    assert done.returncode != 0
    assert "(InvalidVpcID.NotFound)" in done.stderr
    assert "The ID 'vpc-1' is unknown" in done.stderr
