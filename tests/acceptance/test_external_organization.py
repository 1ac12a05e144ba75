"""The guide's integration with accounts outside the organization, by AWS CLI, with four accounts.

The second organization is made on the way; its administrator is an account that its management
account made and acts in by role.
"""

import configparser
from typing import Any

import pytest

from tests.acceptance.account import Account
from tests.acceptance.installation import Installation
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

OWNER, IPAM = "management-account", "ipam-account"
IPAM_ID, SECOND_OWNER_ID = "123456789012", "777788889999"
SECOND_OWNER, SECOND_ADMIN = "byoip-owner-account", "secondary-admin"


@pytest.fixture
def second_admin_id(cadastre: Installation) -> str:
    """A second organization with a delegated administrator, whom the profile acts as."""
    owner = Account(cadastre, SECOND_OWNER)
    remove = "organizations remove-account-from-organization --account-id"
    Account(cadastre, OWNER)(f"{remove} {SECOND_OWNER_ID}")
    owner("organizations create-organization")
    made = owner(
        "organizations create-account --account-name secondary --email secondary@example.com"
    )["CreateAccountStatus"]
    assert made["State"] == "SUCCEEDED"
    account_id: str = made["AccountId"]
    add_role_profile(cadastre, account_id)
    delegate(owner, account_id)
    return account_id


def add_role_profile(cadastre: Installation, account_id: str) -> None:
    path = cadastre.data / "aws" / "config"
    config = configparser.RawConfigParser()
    config.read(path)
    config[f"profile {SECOND_ADMIN}"] = {
        **config[f"profile {SECOND_OWNER}"],
        "role_arn": f"arn:aws:iam::{account_id}:role/OrganizationAccountAccessRole",
        "source_profile": SECOND_OWNER,
    }
    with path.open("w") as file:
        config.write(file)
    # It has read its profiles.
    cadastre.aws.close()


def delegate(owner: Account, account_id: str) -> None:
    command = "ec2 enable-ipam-organization-admin-account --delegated-admin-account-id"
    assert owner(f"{command} {account_id}") == {"Success": True}


def test_an_ipam_sees_through_another_organizations_resource_discovery(
    cadastre: Installation, second_admin_id: str
) -> None:  # DISC-2, ORG-5, ORG-8
    first, second = Account(cadastre, IPAM), Account(cadastre, SECOND_ADMIN)
    identity = second("sts get-caller-identity")
    assert identity["Account"] == second_admin_id
    assert "assumed-role/OrganizationAccountAccessRole" in identity["Arn"]
    delegate(Account(cadastre, OWNER), IPAM_ID)
    ipam_id = first("ec2 create-ipam")["Ipam"]["IpamId"]

    discovery = create_a_discovery(second)
    share_arn = share(second, discovery["IpamResourceDiscoveryArn"])
    accept(first, share_arn)
    association_id = associate(first, ipam_id, discovery["IpamResourceDiscoveryId"])
    unsharing_is_seen(first, second, share_arn, association_id)
    clean_up(first, second, ipam_id, association_id, discovery["IpamResourceDiscoveryId"])


def create_a_discovery(second: Account) -> Any:
    """Steps 1 to 4 of the guide's overview."""
    discovery = second(
        "ec2 create-ipam-resource-discovery --operating-regions RegionName=us-west-2"
    )["IpamResourceDiscovery"]
    describe = (
        "ec2 describe-ipam-resource-discoveries --ipam-resource-discovery-ids"
        f" {discovery['IpamResourceDiscoveryId']}"
    )
    return wait_until(
        lambda: next(
            (
                found
                for found in second(describe)["IpamResourceDiscoveries"]
                if found["State"] == "create-complete"
            ),
            None,
        )
    )


def share(second: Account, discovery_arn: str) -> str:
    answer = second(
        f"ram create-resource-share --name discovery --resource-arns {discovery_arn}"
        f" --principals {IPAM_ID}"
    )["resourceShare"]
    arn: str = answer["resourceShareArn"]
    return arn


def accept(first: Account, share_arn: str) -> None:
    """Step 5: outside the organization, only an accepted invitation counts."""
    assert shared_with(first) == []
    [invitation] = first("ram get-resource-share-invitations")["resourceShareInvitations"]
    assert (invitation["resourceShareArn"], invitation["status"]) == (share_arn, "PENDING")
    accepted = first(
        "ram accept-resource-share-invitation --resource-share-invitation-arn"
        f" {invitation['resourceShareInvitationArn']}"
    )["resourceShareInvitation"]
    assert accepted["status"] == "ACCEPTED"


def shared_with(first: Account) -> list[str]:
    found = first("ec2 describe-ipam-resource-discoveries")["IpamResourceDiscoveries"]
    return [one["IpamResourceDiscoveryId"] for one in found if one["OwnerId"] != IPAM_ID]


def associate(first: Account, ipam_id: str, discovery_id: str) -> str:
    """Step 6."""
    assert shared_with(first) == [discovery_id]
    association_id: str = first(
        f"ec2 associate-ipam-resource-discovery --ipam-id {ipam_id}"
        f" --ipam-resource-discovery-id {discovery_id}"
    )["IpamResourceDiscoveryAssociation"]["IpamResourceDiscoveryAssociationId"]
    wait_until(lambda: association(first, association_id)["State"] == "associate-complete")
    assert association(first, association_id)["ResourceDiscoveryStatus"] == "active"
    [ipam] = first("ec2 describe-ipams")["Ipams"]
    assert ipam["ResourceDiscoveryAssociationCount"] == 2
    return association_id


def association(first: Account, association_id: str) -> Any:
    [found] = first(
        "ec2 describe-ipam-resource-discovery-associations"
        f" --ipam-resource-discovery-association-ids {association_id}"
    )["IpamResourceDiscoveryAssociations"]
    return found


def unsharing_is_seen(first: Account, second: Account, share_arn: str, association_id: str) -> None:
    """Step 10."""
    second(f"ram delete-resource-share --resource-share-arn {share_arn}")
    assert shared_with(first) == []
    assert association(first, association_id)["ResourceDiscoveryStatus"] == "not-found"


def clean_up(
    first: Account, second: Account, ipam_id: str, association_id: str, discovery_id: str
) -> None:
    """Step 9, and the rest."""
    first(
        "ec2 disassociate-ipam-resource-discovery --ipam-resource-discovery-association-id"
        f" {association_id}"
    )
    wait_until(
        lambda: (
            [
                found["IpamResourceDiscoveryAssociationId"]
                for found in first("ec2 describe-ipam-resource-discovery-associations")[
                    "IpamResourceDiscoveryAssociations"
                ]
                if not found["IsDefault"]
            ]
            == []
        )
    )
    second(f"ec2 delete-ipam-resource-discovery --ipam-resource-discovery-id {discovery_id}")
    first(f"ec2 delete-ipam --ipam-id {ipam_id}")
    wait_until(lambda: first("ec2 describe-ipams")["Ipams"] == [])
