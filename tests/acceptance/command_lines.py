"""The guide's command lines, each in the profile and region that it names."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.installation import AwsError, Installation
from tests.waiting import wait_until

MANAGEMENT, IPAM, MEMBER = "management-account", "ipam-account", "member-account"
BYOIP_OWNER = "byoip-owner-account"
IPAM_ID, MEMBER_ID, BYOIP_OWNER_ID = "123456789012", "444455556666", "777788889999"
HOME, LOCALE = "us-east-1", "us-west-2"


class CommandLine:
    """``aws``, for whom and where the guide says."""

    def __init__(self, cadastre: Installation) -> None:
        self._cadastre = cadastre

    def __call__(self, command: str, profile: str = IPAM, region: str = HOME) -> Any:
        """The JSON answer to ``aws COMMAND``, None if empty."""
        return self._cadastre.run(f"aws {command} --region {region} --profile {profile}")

    def refusal(self, command: str, profile: str = IPAM, region: str = HOME) -> AwsError:
        """How ``aws COMMAND`` is refused."""
        with pytest.raises(AwsError) as refusal:
            self(command, profile, region)
        return refusal.value

    def client(self, profile: str, region: str) -> Any:
        """A boto3 EC2 client of the same profile and region."""
        return self._cadastre.client(profile, region)

    def pool(self, command: str) -> str:
        """The id of the pool that ``create-ipam-pool`` makes, once it is there."""
        pool = self(f"ec2 create-ipam-pool {command}")["IpamPool"]
        assert pool["State"] == "create-in-progress"
        pool_id: str = pool["IpamPoolId"]
        describe = f"ec2 describe-ipam-pools --ipam-pool-ids {pool_id}"
        wait_until(lambda: states(self(describe)["IpamPools"]) == ["create-complete"])
        return pool_id

    def provision(self, pool_id: str, proof_and_cidr: str) -> Any:
        """The pool's CIDR once it is provisioned."""
        command = f"ec2 provision-ipam-pool-cidr --ipam-pool-id {pool_id} {proof_and_cidr}"
        assert self(command)["IpamPoolCidr"]["State"] == "pending-provision"
        get = f"ec2 get-ipam-pool-cidrs --ipam-pool-id {pool_id}"
        wait_until(lambda: states(self(get)["IpamPoolCidrs"]) == ["provisioned"])
        [found] = self(get)["IpamPoolCidrs"]
        return found

    def deprovision(self, pool_id: str, cidr: str) -> None:
        """Take the pool's CIDR away, and wait until it is gone."""
        command = f"ec2 deprovision-ipam-pool-cidr --ipam-pool-id {pool_id} --cidr {cidr}"
        assert self(command)["IpamPoolCidr"]["State"] == "pending-deprovision"
        get = f"ec2 get-ipam-pool-cidrs --ipam-pool-id {pool_id}"
        wait_until(lambda: states(self(get)["IpamPoolCidrs"]) == ["deprovisioned"])

    def delete_pool(self, pool_id: str) -> None:
        pool = self(f"ec2 delete-ipam-pool --ipam-pool-id {pool_id}")["IpamPool"]
        assert pool["State"] == "delete-in-progress"

    def allocations(self, pool_id: str, profile: str = IPAM, region: str = LOCALE) -> list[Any]:
        command = f"ec2 get-ipam-pool-allocations --ipam-pool-id {pool_id}"
        found: list[Any] = self(command, profile, region)["IpamPoolAllocations"]
        return found

    def share(self, name: str, pool_id: str, principal: str, permission: str) -> str:
        """The ARN of a new resource share."""
        share = self(
            f"ram create-resource-share --name {name}"
            f" --resource-arns arn:aws:ec2::{IPAM_ID}:ipam-pool/{pool_id}"
            f" --principals {principal}"
            f" --permission-arns arn:aws:ram::aws:permission/{permission}"
        )["resourceShare"]
        assert share["status"] == "ACTIVE"
        arn: str = share["resourceShareArn"]
        return arn

    def an_instance(self, profile: str, region: str) -> "Machine":
        """Something to associate an address with."""
        vpc = self("ec2 create-vpc --cidr-block 172.31.0.0/16", profile, region)["Vpc"]
        subnet = self(
            f"ec2 create-subnet --vpc-id {vpc['VpcId']} --cidr-block 172.31.0.0/24", profile, region
        )["Subnet"]
        run = f"ec2 run-instances --subnet-id {subnet['SubnetId']} --image-id ami-0abcdef1234567890"
        [instance] = self(run, profile, region)["Instances"]

        def clean_up() -> None:
            for command in (
                f"terminate-instances --instance-ids {instance['InstanceId']}",
                f"delete-subnet --subnet-id {subnet['SubnetId']}",
                f"delete-vpc --vpc-id {vpc['VpcId']}",
            ):
                self(f"ec2 {command}", profile, region)

        return Machine(instance["InstanceId"], clean_up)


class Machine:
    """An instance, with the VPC and the subnet that it is in."""

    def __init__(self, instance_id: str, clean_up: Callable[[], None]) -> None:
        self.instance_id, self.clean_up = instance_id, clean_up


def states(records: list[Any]) -> list[str]:
    return [record["State"] for record in records]
