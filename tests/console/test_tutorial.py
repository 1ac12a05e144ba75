"""The guide's console tutorial, walked in a browser: from delegation to clean-up (ACC-2).

Management account, IPAM administrator and developer are the profiles of the embedded organization;
each has a browser of its own. What pages say is checked against what AWS's client is told.
"""

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.installation import Installation
from tests.console.browser import check_accessible, screenshot
from tests.console.person import Person, SignIn
from tests.waiting import wait_until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

MANAGEMENT, ADMIN, DEVELOPER = "management-account", "ipam-account", "member-account"
ADMIN_ID, DEVELOPER_ID = "123456789012", "444455556666"
DEVELOPERS_OU = "ou-fssg-q5brfv9c"
GLOBAL, WEST_1, WEST_2 = "Global pool", "Regional pool us-west-1", "Regional pool us-west-2"
PRE_PROD = "Pre-prod pool"


def test_from_delegation_to_clean_up(
    signed_in: SignIn, cadastre: Installation
) -> None:  # ORG-1 to ORG-4, POOL-5, POOL-6
    management, admin = signed_in(MANAGEMENT), signed_in(ADMIN)
    developer = signed_in(DEVELOPER, "us-west-1")
    delegate(management, cadastre)
    create_ipam(admin, cadastre)
    create_pools(admin, cadastre)
    create_pre_prod_pool(admin, cadastre)
    enable_sharing(management, cadastre)
    share_with_developers(admin, cadastre)
    vpc_id = create_vpc(developer, cadastre)
    see_whose_it_is(admin, vpc_id)
    delete_vpc(developer, cadastre, vpc_id)
    delete_share(admin, cadastre)
    disable_sharing(management, cadastre)
    delete_ipam(admin, cadastre)
    remove_delegation(management, cadastre)


def delegate(management: Person, cadastre: Installation) -> None:
    """Step 1."""
    management.follow("Organization settings")
    management.at("Organization settings")
    look(management, "organization")
    management.act("Delegate")
    management.at("Delegate an IPAM administrator")
    look(management, "delegate")
    management.fill("Account ID", management.profile.account_id)
    management.press("Review")
    # Its own account can't be the administrator; what was filled in stays.
    expect(management.refusal).to_contain_text("management account")
    expect(management.field("Account ID")).to_have_value(management.profile.account_id)
    management.fill("Account ID", ADMIN_ID)
    management.press("Review")
    look(management, "delegate-review")
    management.press("Save changes")
    management.at("Organization settings")
    management.sees(ADMIN_ID)
    assert administrators(cadastre) == [ADMIN_ID]


def create_ipam(admin: Person, cadastre: Installation) -> None:
    """Step 2."""
    admin.follow("IPAMs")
    admin.at("IPAMs")
    admin.act("Create IPAM")
    admin.at("Create IPAM")
    look(admin, "create-ipam")
    for region in ("us-west-1", "us-west-2"):
        admin.page.get_by_label(region, exact=True).check()
    # Without the consent there is no IPAM.
    admin.press("Review")
    expect(admin.main).to_contain_text("Fill in this field.")
    admin.check("Allow Cadastre to copy data")
    admin.press("Review")
    look(admin, "create-ipam-review")
    admin.press("Create IPAM")
    admin.sees("The IPAM is being created.")
    # The page follows what is in progress by itself.
    admin.sees("Create complete")
    look(admin, "ipam")
    [ipam] = cadastre.client(ADMIN).describe_ipams()["Ipams"]
    regions = {one["RegionName"] for one in ipam["OperatingRegions"]}
    assert regions == {"us-east-1", "us-west-1", "us-west-2"}


def create_pools(admin: Person, cadastre: Installation) -> None:
    """Steps 3 and 4."""
    admin.follow("Pools")
    admin.at("Pools")
    look(admin, "pools-empty")
    create_pool(admin, GLOBAL, "10.0.0.0/16")
    create_pool(admin, WEST_1, "10.0.0.0/18", source=GLOBAL, locale="us-west-1")
    create_pool(admin, WEST_2, "10.0.64.0/18", source=GLOBAL, locale="us-west-2")
    admin.follow("Pools")
    admin.at("Pools")
    for name in (GLOBAL, WEST_1, WEST_2):
        expect(admin.row(name)).to_have_count(1)
    pools = pools_by_name(cadastre)
    assert pools[WEST_1]["SourceIpamPoolId"] == pools[GLOBAL]["IpamPoolId"]
    assert (pools[WEST_1]["Locale"], pools[WEST_2]["Locale"]) == ("us-west-1", "us-west-2")


def create_pre_prod_pool(admin: Person, cadastre: Installation) -> None:
    """Step 5."""
    rules = {
        "Minimum netmask length": "24",
        "Default netmask length": "24",
        "Maximum netmask length": "24",
        "Required resource tags": "environment=pre-prod",
    }
    create_pool(admin, PRE_PROD, "10.0.0.0/20", source=WEST_1, locale="us-west-1", rules=rules)
    look(admin, "pool")
    pool = pools_by_name(cadastre)[PRE_PROD]
    assert pool["AllocationMinNetmaskLength"] == pool["AllocationMaxNetmaskLength"] == 24
    assert pool["AllocationResourceTags"] == [{"Key": "environment", "Value": "pre-prod"}]
    assert pool["PoolDepth"] == 3
    admin.follow("Pools")
    expect(admin.row(PRE_PROD)).to_have_count(1)
    look(admin, "pools")


def create_pool(
    admin: Person,
    name: str,
    cidr: str,
    *,
    source: str = "",
    locale: str = "None",
    rules: Mapping[str, str] | None = None,
) -> None:
    """A pool, once its CIDR is provisioned to it; its page is open then."""
    admin.follow("Pools")
    admin.at("Pools")
    admin.act("Create pool")
    admin.at("Create pool")
    if not source:
        look(admin, "create-pool")
    admin.select("Scope", "private")
    admin.fill("Name", name)
    if source:
        admin.select("Source pool", source)
    admin.select("Address family", "IPv4")
    admin.select("Locale", locale)
    admin.fill("CIDRs to provision", cidr)
    for label, value in (rules or {}).items():
        admin.fill(label, value)
    admin.press("Review")
    admin.sees("aws ec2 create-ipam-pool")
    if rules:
        look(admin, "create-pool-review")
    admin.press("Create pool")
    admin.at(name)
    expect(admin.row(cidr)).to_contain_text("Provisioned")


def enable_sharing(management: Person, cadastre: Installation) -> None:
    """Step 6.1."""
    management.follow("Organization settings")
    management.act("Enable sharing with AWS Organizations")
    management.at("Enable sharing with AWS Organizations")
    look(management, "enable-sharing")
    management.press("Enable sharing")
    management.at("Organization settings")
    management.sees("needs no invitation")
    assert "ram.amazonaws.com" in services_of_organization(cadastre)


def share_with_developers(admin: Person, cadastre: Installation) -> None:
    """Step 6.2, from the pool's page on."""
    admin.follow("Pools")
    admin.page.get_by_role("link", name=PRE_PROD, exact=True).click()
    admin.at(PRE_PROD)
    admin.page.get_by_role("link", name="Resource sharing").click()
    admin.sees("This pool isn't shared.")
    look(admin, "pool-shares")
    admin.act("Share")
    admin.at("Create resource share")
    admin.fill("Name", "pre-prod")
    expect(admin.page.get_by_label(PRE_PROD)).to_be_checked()
    admin.fill("Principals", DEVELOPERS_OU)
    look(admin, "share")
    admin.press("Review")
    look(admin, "share-review")
    admin.press("Create resource share")
    admin.at("pre-prod")
    look(admin, "shared")
    pool_id = pools_by_name(cadastre)[PRE_PROD]["IpamPoolId"]
    seen = cadastre.client(DEVELOPER, "us-west-1").describe_ipam_pools()["IpamPools"]
    assert [one["IpamPoolId"] for one in seen] == [pool_id]


def create_vpc(developer: Person, cadastre: Installation) -> str:
    """Step 7: refused without the tag, done with it."""
    developer.follow("VPCs")
    developer.at("VPCs")
    look(developer, "vpcs-empty")
    developer.act("Create VPC")
    developer.at("Create VPC")
    developer.fill("Name", "Example VPC")
    developer.select("IPv4 IPAM pool", pools_by_name(cadastre)[PRE_PROD]["IpamPoolId"])
    developer.fill("Netmask length", "24")
    look(developer, "create-vpc")
    developer.press("Review")
    expect(developer.refusal).to_contain_text("environment=pre-prod")
    look(developer, "create-vpc-refused")
    assert described_vpcs(cadastre) == {}
    # What was filled in is still there: only the tag is missing.
    expect(developer.field("Name")).to_have_value("Example VPC")
    developer.fill("Tags", "environment=pre-prod")
    developer.send("Create VPC")
    developer.sees("10.0.0.0/24")
    look(developer, "vpc")
    [(vpc_id, cidr)] = described_vpcs(cadastre).items()
    assert cidr == "10.0.0.0/24"
    return vpc_id


def see_whose_it_is(admin: Person, vpc_id: str) -> None:
    """The end of step 7."""

    def is_seen() -> bool:
        admin.follow("Resources")
        admin.at("Resources")
        return admin.row(vpc_id).count() > 0

    wait_until(is_seen)
    row = admin.row(vpc_id)
    expect(row).to_contain_text("10.0.0.0/24")
    expect(row).to_contain_text("Compliant")
    look(admin, "resources")
    admin.follow("Pools")
    admin.page.get_by_role("link", name=PRE_PROD, exact=True).click()
    admin.at(PRE_PROD)
    admin.page.get_by_role("link", name="Allocations").click()
    expect(admin.row(vpc_id)).to_contain_text(DEVELOPER_ID)
    look(admin, "pool-allocations")


def delete_vpc(developer: Person, cadastre: Installation, vpc_id: str) -> None:
    """Step 8.1."""
    developer.open(f"/vpcs/{vpc_id}")
    developer.act("Delete VPC")
    look(developer, "delete-vpc")
    developer.press("Delete")
    developer.at("VPCs")
    wait_until(lambda: described_vpcs(cadastre) == {})


def delete_share(admin: Person, cadastre: Installation) -> None:
    """Step 8.2."""
    admin.follow("Resource shares")
    admin.at("Resource shares")
    look(admin, "shares")
    admin.page.get_by_role("link", name="pre-prod", exact=True).click()
    admin.at("pre-prod")
    admin.act("Delete")
    look(admin, "delete-share")
    admin.press("Delete")
    admin.at("Resource shares")
    assert cadastre.client(DEVELOPER, "us-west-1").describe_ipam_pools()["IpamPools"] == []


def disable_sharing(management: Person, cadastre: Installation) -> None:
    """Step 8.3."""
    management.follow("Organization settings")
    management.act("Disable sharing with AWS Organizations")
    look(management, "disable-sharing")
    management.press("Disable sharing")
    management.at("Organization settings")
    assert "ram.amazonaws.com" not in services_of_organization(cadastre)


def delete_ipam(admin: Person, cadastre: Installation) -> None:
    """Steps 8.4 to 8.6: with all that is in it."""
    ec2 = cadastre.client(ADMIN)
    [ipam] = ec2.describe_ipams()["Ipams"]
    admin.follow("IPAMs")
    admin.page.get_by_role("link", name=ipam["IpamId"], exact=True).click()
    admin.at(ipam["IpamId"])
    admin.act("Delete")
    admin.at("Delete IPAM")
    admin.check("Cascade delete")
    admin.press("Review")
    look(admin, "delete-ipam")
    admin.press("Delete")
    admin.sees("nothing was done")
    assert [one["State"] for one in ec2.describe_ipams()["Ipams"]] == ["create-complete"]
    admin.page.get_by_label("To confirm, type delete").fill("delete")
    admin.press("Delete")
    admin.at("IPAMs")
    wait_until(lambda: ec2.describe_ipams()["Ipams"] == [])
    admin.sees("There is no IPAM in this region.")


def remove_delegation(management: Person, cadastre: Installation) -> None:
    """Step 8.7."""
    management.follow("Organization settings")
    management.at("Organization settings")
    management.page.get_by_role("link", name=f"Remove {ADMIN_ID}").click()
    management.at("Remove the IPAM administrator")
    look(management, "remove-administrator")
    management.press("Remove")
    management.at("Organization settings")
    management.sees("No account is delegated.")
    assert administrators(cadastre) == []


def look(person: Person, name: str) -> None:
    """Have the page be usable by everybody, and pictured."""
    check_accessible(person.page)
    screenshot(person.page, f"tutorial-{name}")


def administrators(cadastre: Installation) -> list[str]:
    listed = cadastre.client(MANAGEMENT, service="organizations").list_delegated_administrators(
        ServicePrincipal="ipam.amazonaws.com"
    )
    return [one["Id"] for one in listed["DelegatedAdministrators"]]


def services_of_organization(cadastre: Installation) -> list[str]:
    organizations = cadastre.client(MANAGEMENT, service="organizations")
    listed = organizations.list_aws_service_access_for_organization()
    return [one["ServicePrincipal"] for one in listed["EnabledServicePrincipals"]]


def pools_by_name(cadastre: Installation) -> Mapping[str, Any]:
    pools = cadastre.client(ADMIN).describe_ipam_pools()["IpamPools"]
    return {tag["Value"]: one for one in pools for tag in one["Tags"] if tag["Key"] == "Name"}


def described_vpcs(cadastre: Installation) -> Mapping[str, str]:
    vpcs = cadastre.client(DEVELOPER, "us-west-1").describe_vpcs()["Vpcs"]
    return {one["VpcId"]: one["CidrBlock"] for one in vpcs}
