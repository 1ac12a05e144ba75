"""The guide's console tutorial with three accounts, done by AWS CLI: from delegation to clean-up.

Management account, IPAM administrator and developer are the profiles of the embedded organization.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.account import Account
from tests.acceptance.installation import AwsError, Installation
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

MANAGEMENT, IPAM, DEVELOPER = "management-account", "ipam-account", "member-account"
MANAGEMENT_ID, IPAM_ID, DEVELOPER_ID = "111122223333", "123456789012", "444455556666"
DEVELOPERS_OU = "ou-fssg-q5brfv9c"


@pytest.fixture
def management(cadastre: Installation) -> Account:
    return Account(cadastre, MANAGEMENT)


@pytest.fixture
def admin(cadastre: Installation) -> Account:
    return Account(cadastre, IPAM)


@pytest.fixture
def developer(cadastre: Installation) -> Account:
    """Where the pool is for."""
    return Account(cadastre, DEVELOPER, "us-west-1")


@pytest.fixture
def delegated(management: Account) -> Iterator[None]:
    """Step 1, and its undoing in step 8."""
    enable = "ec2 enable-ipam-organization-admin-account --delegated-admin-account-id"
    assert management.refusal(f"{enable} {MANAGEMENT_ID}").code == "InvalidParameterValue"
    assert management(f"{enable} {IPAM_ID}") == {"Success": True}  # ORG-2
    listed = management(
        "organizations list-delegated-administrators --service-principal ipam.amazonaws.com"
    )["DelegatedAdministrators"]
    assert [account["Id"] for account in listed] == [IPAM_ID]
    yield
    disable = "ec2 disable-ipam-organization-admin-account --delegated-admin-account-id"
    assert management(f"{disable} {IPAM_ID}") == {"Success": True}


@pytest.mark.usefixtures("delegated")
def test_a_developer_gets_a_vpc_from_a_pool_shared_with_its_ou(
    management: Account, admin: Account, developer: Account
) -> None:  # ORG-1 to ORG-4, POOL-5
    ipam = create_an_ipam(admin)
    pool = create_pools(admin, ipam["PrivateDefaultScopeId"])
    assert developer("ec2 describe-ipam-pools")["IpamPools"] == []
    share_arn = share_with_the_developers(management, admin, pool["IpamPoolArn"])
    [seen] = developer("ec2 describe-ipam-pools")["IpamPools"]
    assert (seen["IpamPoolId"], seen["OwnerId"]) == (pool["IpamPoolId"], IPAM_ID)
    vpc_id = create_a_vpc(developer, pool["IpamPoolId"])
    the_administrator_sees_whose_it_is(admin, pool["IpamPoolId"], vpc_id)
    unsharing_stops_what_is_new(admin, developer, share_arn, pool["IpamPoolId"])
    clean_up(admin, developer, ipam["IpamId"], vpc_id)


def create_an_ipam(admin: Account) -> Any:
    """Step 2."""
    ipam = admin("ec2 create-ipam --operating-regions RegionName=us-west-1 RegionName=us-west-2")[
        "Ipam"
    ]
    wait_until(lambda: states(admin("ec2 describe-ipams")["Ipams"]) == ["create-complete"])
    return ipam


def create_pools(admin: Account, scope_id: str) -> Any:
    """Steps 3 to 5."""
    create = f"ec2 create-ipam-pool --ipam-scope-id {scope_id} --address-family ipv4"
    top = pool_with(admin, create, "10.0.0.0/16")
    below = f"{create} --source-ipam-pool-id"
    regional = pool_with(admin, f"{below} {top['IpamPoolId']} --locale us-west-1", "10.0.0.0/18")
    pool_with(admin, f"{below} {top['IpamPoolId']} --locale us-west-2", "10.0.64.0/18")
    rules = (
        " --allocation-min-netmask-length 24 --allocation-default-netmask-length 24"
        " --allocation-max-netmask-length 24"
        " --allocation-resource-tags Key=environment,Value=pre-prod"
    )
    return pool_with(
        admin, f"{below} {regional['IpamPoolId']} --locale us-west-1{rules}", "10.0.0.0/20"
    )


def pool_with(admin: Account, command: str, cidr: str) -> Any:
    pool = admin(command)["IpamPool"]
    pool_id = pool["IpamPoolId"]
    describe = f"ec2 describe-ipam-pools --ipam-pool-ids {pool_id}"
    wait_until(lambda: states(admin(describe)["IpamPools"]) == ["create-complete"])
    admin(f"ec2 provision-ipam-pool-cidr --ipam-pool-id {pool_id} --cidr {cidr}")
    get = f"ec2 get-ipam-pool-cidrs --ipam-pool-id {pool_id}"
    wait_until(lambda: states(admin(get)["IpamPoolCidrs"]) == ["provisioned"])
    return pool


def share_with_the_developers(management: Account, admin: Account, pool_arn: str) -> str:
    """Step 6."""
    [root] = management("organizations list-roots")["Roots"]
    [unit] = management(
        f"organizations list-organizational-units-for-parent --parent-id {root['Id']}"
    )["OrganizationalUnits"]
    assert unit["Id"] == DEVELOPERS_OU
    share = (
        f"ram create-resource-share --name pre-prod --resource-arns {pool_arn}"
        f" --principals {unit['Arn']} --no-allow-external-principals"
    )
    # As at AWS, OUs are unknown to RAM until the organization shares.
    assert admin.refusal(share).code == "UnknownResourceException"
    assert management("ram enable-sharing-with-aws-organization") == {"returnValue": True}
    created = admin(share)["resourceShare"]
    assert (created["owningAccountId"], created["status"]) == (IPAM_ID, "ACTIVE")
    arn: str = created["resourceShareArn"]
    associations = "ram get-resource-share-associations --resource-share-arns"
    for kind, entity in (("PRINCIPAL", unit["Arn"]), ("RESOURCE", pool_arn)):
        [found] = admin(f"{associations} {arn} --association-type {kind}")[
            "resourceShareAssociations"
        ]
        assert (found["associatedEntity"], found["status"]) == (entity, "ASSOCIATED")
    [permission] = admin(f"ram list-resource-share-permissions --resource-share-arn {arn}")[
        "permissions"
    ]
    assert permission["name"] == "AWSRAMDefaultPermissionsIpamPool"
    return arn


def create_a_vpc(developer: Account, pool_id: str) -> str:
    """Step 7: refused without the tag, and with it given what the rules say."""
    create = f"ec2 create-vpc --ipv4-ipam-pool-id {pool_id} --ipv4-netmask-length 24"
    assert "environment=pre-prod" in str(developer.refusal(create))  # POOL-6
    tags = "'ResourceType=vpc,Tags=[{Key=environment,Value=pre-prod}]'"
    vpc = developer(f"{create} --tag-specifications {tags}")["Vpc"]
    assert (vpc["OwnerId"], vpc["CidrBlock"]) == (DEVELOPER_ID, "10.0.0.0/24")
    vpc_id: str = vpc["VpcId"]
    return vpc_id


def the_administrator_sees_whose_it_is(admin: Account, pool_id: str, vpc_id: str) -> None:
    [allocation] = admin(f"ec2 get-ipam-pool-allocations --ipam-pool-id {pool_id}")[
        "IpamPoolAllocations"
    ]
    shown = (allocation["ResourceId"], allocation["ResourceOwner"], allocation["ResourceRegion"])
    assert shown == (vpc_id, DEVELOPER_ID, "us-west-1")


def unsharing_stops_what_is_new(
    admin: Account, developer: Account, share_arn: str, pool_id: str
) -> None:
    """Step 8, the share; what was allocated stays (ORG-4)."""
    assert admin(f"ram delete-resource-share --resource-share-arn {share_arn}") == {
        "returnValue": True
    }
    assert developer("ec2 describe-ipam-pools")["IpamPools"] == []
    allocate = f"ec2 allocate-ipam-pool-cidr --ipam-pool-id {pool_id} --netmask-length 24"
    assert developer.refusal(allocate).code == "InvalidIpamPoolId.NotFound"
    assert len(developer("ec2 describe-vpcs")["Vpcs"]) == 1


def clean_up(admin: Account, developer: Account, ipam_id: str, vpc_id: str) -> None:
    """Step 8, the rest but for the delegation."""
    developer(f"ec2 delete-vpc --vpc-id {vpc_id}")
    admin(f"ec2 delete-ipam --ipam-id {ipam_id} --cascade")
    wait_until(lambda: admin("ec2 describe-ipams")["Ipams"] == [])


def test_an_scp_has_developers_use_ipam_for_their_vpcs(
    management: Account, developer: Account, tmp_path_factory: pytest.TempPathFactory
) -> None:  # ORG-6
    [root] = management("organizations list-roots")["Roots"]
    management(
        "organizations enable-policy-type --policy-type SERVICE_CONTROL_POLICY"
        f" --root-id {root['Id']}"
    )
    document = tmp_path_factory.mktemp("policies") / "ipam.json"
    document.write_text(json.dumps(USE_IPAM))
    policy_id = management(
        "organizations create-policy --name use-ipam --description guide"
        f" --type SERVICE_CONTROL_POLICY --content file://{document}"
    )["Policy"]["PolicySummary"]["Id"]
    target = f"--policy-id {policy_id} --target-id {DEVELOPERS_OU}"
    create = "ec2 create-vpc --cidr-block 10.9.0.0/24"
    management(f"organizations attach-policy {target}")
    refusal = wait_until(lambda: refused(developer, create))
    assert refusal
    assert refusal.code == "UnauthorizedOperation"
    assert "explicit deny" in str(refusal)
    management(f"organizations detach-policy {target}")
    vpc = wait_until(lambda: created(developer, create))
    developer(f"ec2 delete-vpc --vpc-id {vpc['VpcId']}")
    management(f"organizations delete-policy --policy-id {policy_id}")
    what_developers_tried_is_on_record(developer)


def what_developers_tried_is_on_record(developer: Account) -> None:
    """Who did what, and what was refused, by the command line that AWS has for it."""
    lookup = (
        "cloudtrail lookup-events --lookup-attributes"
        " AttributeKey=EventName,AttributeValue=CreateVpc"
    )
    codes = wait_until(lambda: error_codes(developer(lookup)["Events"]) & {"UnauthorizedOperation"})
    assert codes == {"UnauthorizedOperation"}
    [deleted, *_] = wait_until(
        lambda: developer(lookup.replace("CreateVpc", "DeleteVpc"))["Events"]
    )
    assert (deleted["Username"], deleted["EventSource"]) == (DEVELOPER, "ec2.amazonaws.com")


def error_codes(events: list[Any]) -> set[str]:
    return {json.loads(event["CloudTrailEvent"]).get("errorCode", "") for event in events}


USE_IPAM = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Action": ["ec2:CreateVpc", "ec2:AssociateVpcCidrBlock"],
            "Resource": "arn:aws:ec2:*:*:vpc/*",
            "Condition": {"Null": {"ec2:Ipv4IpamPoolId": "true"}},
        }
    ],
}


def refused(account: Account, command: str) -> AwsError | None:
    try:
        vpc = account(command)["Vpc"]
    except AwsError as refusal:
        return refusal
    account(f"ec2 delete-vpc --vpc-id {vpc['VpcId']}")
    return None


def created(account: Account, command: str) -> Any:
    try:
        return account(command)["Vpc"]
    except AwsError:
        return None


def states(records: list[Any]) -> list[str]:
    return [record["State"] for record in records]
