"""``python -m services.local.import_organization``: write down a real organization (ORG-1).

Reads AWS Organizations, as the management account or a delegated administrator, and writes the file
that the control plane begins with. Accounts that are suspended or being closed are left out.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import ValidationError

from shared.settings import Settings

_TYPE = "SERVICE_CONTROL_POLICY"
_FULL_ACCESS = "FullAWSAccess"
_REGION = "us-east-1"
"""Where Organizations is, for all regions."""
# Organizations lets few requests through in a second, and a large one takes many.
_PATIENT = Config(retries={"mode": "standard", "max_attempts": 10})


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file; the exit code is 0 when it is written."""
    parser = argparse.ArgumentParser(
        prog="python -m services.local.import_organization",
        description="Write an AWS organization down, for Cadastre to begin with.",
    )
    parser.add_argument("--profile", help="the AWS profile to read with")
    parser.add_argument("--output", type=Path, help="the file; by default the one configured")
    options = parser.parse_args(arguments)
    try:
        path = options.output or Settings().organization_path
        if path.exists():
            return _failed(f"{path} is there already; move it away, or name another by --output")
        session = boto3.session.Session(profile_name=options.profile)
        client = session.client("organizations", region_name=_REGION, config=_PATIENT)
        found = AwsOrganization(client).read()
    except (BotoCoreError, ClientError, ValidationError) as error:
        return _failed(str(error))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    content = yaml.safe_dump({"organization": found}, sort_keys=False, allow_unicode=True)
    path.write_text(content, encoding="utf-8")
    print(f"{path} has organization {found['id']}; it is made when the control plane starts")
    return 0


class AwsOrganization:
    """The organization that a client's account is in."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self) -> dict[str, Any]:
        """What the file says of it."""
        organization = self._client.describe_organization()["Organization"]
        [root] = self._all("list_roots", "Roots")
        has_policies = any(one["Type"] == _TYPE for one in root["PolicyTypes"])
        policies = (
            list(self._all("list_policies", "Policies", Filter=_TYPE)) if has_policies else []
        )
        attached = self._attached(policies)
        management_id = organization["MasterAccountId"]
        management = self._client.describe_account(AccountId=management_id)["Account"]
        services = self._all("list_aws_service_access_for_organization", "EnabledServicePrincipals")
        return {
            "id": organization["Id"],
            "root_id": root["Id"],
            "management_account": _account(management, attached),
            **self._place_of(management_id, root["Id"]),
            "service_access": sorted(service["ServicePrincipal"] for service in services),
            **({"policies": self._own(policies)} if has_policies else {}),
            **self._held(root["Id"], management_id, attached),
        }

    def _place_of(self, management_id: str, root_id: str) -> dict[str, str]:
        """Unless it is the root."""
        [parent] = self._all("list_parents", "Parents", ChildId=management_id)
        is_root = parent["Id"] == root_id
        return {} if is_root else {"management_account_parent_id": parent["Id"]}

    def _attached(self, policies: Sequence[Any]) -> Mapping[str, list[str]]:
        """By target, the names of the policies attached to it."""
        attached: defaultdict[str, list[str]] = defaultdict(list)
        for policy in policies:
            for target in self._all("list_targets_for_policy", "Targets", PolicyId=policy["Id"]):
                attached[target["TargetId"]].append(policy["Name"])
        return attached

    def _own(self, policies: Sequence[Any]) -> list[dict[str, str]]:
        """Those that are not AWS's, with their documents."""
        return [
            {
                "name": policy["Name"],
                "id": policy["Id"],
                "description": policy.get("Description", ""),
                "content": self._client.describe_policy(PolicyId=policy["Id"])["Policy"]["Content"],
            }
            for policy in policies
            if not policy["AwsManaged"]
        ]

    def _held(
        self, parent_id: str, management_id: str, attached: Mapping[str, list[str]]
    ) -> dict[str, Any]:
        accounts = self._all("list_accounts_for_parent", "Accounts", ParentId=parent_id)
        units = self._all(
            "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=parent_id
        )
        return {
            **_policies_of(parent_id, attached),
            "accounts": [
                _account(account, attached)
                for account in accounts
                if account["Status"] == "ACTIVE" and account["Id"] != management_id
            ],
            "organizational_units": [
                {
                    "name": unit["Name"],
                    "id": unit["Id"],
                    **self._held(unit["Id"], management_id, attached),
                }
                for unit in units
            ],
        }

    def _all(self, operation: str, member: str, **parameters: str) -> Iterator[Any]:
        for page in self._client.get_paginator(operation).paginate(**parameters):
            yield from page[member]


def _account(account: Any, attached: Mapping[str, list[str]]) -> dict[str, Any]:
    return {
        "id": account["Id"],
        "name": account["Name"],
        "email": account["Email"],
        **_policies_of(account["Id"], attached),
    }


def _policies_of(target_id: str, attached: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Unless they are what everything begins with."""
    names = attached.get(target_id, [_FULL_ACCESS])
    return {} if names == [_FULL_ACCESS] else {"service_control_policies": names}


def _failed(why: str) -> int:
    sys.stderr.write(f"The organization could not be imported: {why}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
