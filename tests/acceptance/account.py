"""One account's command line."""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.acceptance.installation import AwsError, Installation
from tests.waiting import wait_until


class Account:
    """Runs AWS CLI command lines in one profile and region."""

    def __init__(self, cadastre: Installation, profile: str, region: str = "us-east-1") -> None:
        self._cadastre, self._suffix = cadastre, f" --profile {profile} --region {region}"

    def __call__(self, command: str) -> Any:
        """The JSON answer to ``aws COMMAND``, None if empty."""
        return self._cadastre.run(f"aws {command}{self._suffix}")

    def refusal(self, command: str) -> AwsError:
        """How ``aws COMMAND`` is refused."""
        with pytest.raises(AwsError) as refusal:
            self(command)
        return refusal.value


def make_pool(ec2: Any, block: Mapping[str, Any], **members: Any) -> str:
    """A pool's id, once it has the block; by boto3, for tests that only presuppose it."""
    pool_id: str = ec2.create_ipam_pool(**members)["IpamPool"]["IpamPoolId"]
    made = {"create-complete"}
    wait_until(lambda: _states(ec2.describe_ipam_pools(IpamPoolIds=[pool_id])) == made)
    ec2.provision_ipam_pool_cidr(IpamPoolId=pool_id, **block)
    wait_until(lambda: _states(ec2.get_ipam_pool_cidrs(IpamPoolId=pool_id)) == {"provisioned"})
    return pool_id


def _states(answer: Mapping[str, Any]) -> set[str]:
    [records] = [value for value in answer.values() if isinstance(value, list)]
    return {record["State"] for record in records}
