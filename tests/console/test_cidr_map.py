"""The CIDR map in a browser: zooming, states, and the keyboard (MON-8)."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.acceptance.account import make_pool
from tests.acceptance.installation import Installation
from tests.console.browser import check_accessible, screenshot, watched
from tests.console.person import Person, SignIn, profile_of
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

ADMIN = "ipam-account"
TAG = {"Key": "env", "Value": "prod"}
STATES = {
    "10.0.0.0/24": "compliant",
    "10.0.1.0/24": "noncompliant",
    "10.9.0.0/16": "occupied",
    "172.16.0.0/16": "overlapping",
}

_FILL = """rect => {
    const fill = getComputedStyle(rect).fill;
    const pattern = fill.match(/#([\\w-]+)/)?.[1];
    const filled = pattern ? document.getElementById(pattern).firstElementChild : rect;
    return [getComputedStyle(filled).fill, pattern ?? ""];
}"""
"""The colour of a tile, and the id of its pattern, if it has one."""


@pytest.fixture(scope="module")
def ipam(cadastre: Installation) -> Mapping[str, Any]:
    """Watches VPCs in each of the map's states, and an IPv6 block of Amazon's."""
    ec2 = cadastre.client(ADMIN)
    made: Mapping[str, Any] = ec2.create_ipam()["Ipam"]
    wait_until(lambda: ec2.describe_ipams()["Ipams"][0]["State"] == "create-complete")
    pool_id = make_pool(
        ec2,
        {"Cidr": "10.0.0.0/16"},
        IpamScopeId=made["PrivateDefaultScopeId"],
        AddressFamily="ipv4",
        Locale="us-east-1",
        AllocationResourceTags=[TAG],
    )
    tags = [{"ResourceType": "vpc", "Tags": [TAG]}]
    from_pool = {"Ipv4IpamPoolId": pool_id, "Ipv4NetmaskLength": 24, "TagSpecifications": tags}
    ec2.create_vpc(**from_pool)
    breaking = ec2.create_vpc(**from_pool)["Vpc"]
    ec2.delete_tags(Resources=[breaking["VpcId"]], Tags=[TAG])
    ec2.create_vpc(CidrBlock="10.9.0.0/16", AmazonProvidedIpv6CidrBlock=True)
    for _ in range(2):
        ec2.create_vpc(CidrBlock="172.16.0.0/16")
    wait_until(lambda: found_states(ec2, made) == STATES)
    return {**made, "pool": pool_id}


@pytest.fixture
def admin(signed_in: SignIn, ipam: Mapping[str, Any]) -> Person:
    """In front of the map of all IPv4 space of the private scope."""
    person = signed_in(ADMIN)
    person.follow("CIDR map")
    person.at("CIDR map")
    shows(person, "0.0.0.0/0 in blocks of /8")
    return person


def test_ipv4_is_zoomed_into_and_out_of(admin: Person) -> None:
    look(admin, "everything")
    tile(admin, "10.0.0.0/8, partly noncompliant, 3 resource CIDRs").click()
    shows(admin, "10.0.0.0/8 in blocks of /16")
    expect(tile(admin, "10.9.0.0/16, occupied, 1 resource CIDR")).to_be_visible()
    tile(admin, "10.0.0.0/16, partly noncompliant, 2 resource CIDRs").click()
    shows(admin, "10.0.0.0/16 in blocks of /24")
    expect(tile(admin, "10.0.0.0/24, compliant, 1 resource CIDR")).to_be_visible()
    expect(tile(admin, "10.0.1.0/24, noncompliant, 1 resource CIDR")).to_be_visible()
    expect(tile(admin, "10.0.2.0/24, available")).to_be_visible()
    look(admin, "zoomed")
    # Each view has an address: it can be opened anew, gone back from, and left upwards.
    admin.page.reload()
    shows(admin, "10.0.0.0/16 in blocks of /24")
    admin.page.go_back()
    shows(admin, "10.0.0.0/8 in blocks of /16")
    admin.page.go_forward()
    shows(admin, "10.0.0.0/16 in blocks of /24")
    admin.page.get_by_role("link", name="Zoom out to 0.0.0.0/0").click()
    shows(admin, "0.0.0.0/0 in blocks of /8")


def test_the_smallest_block_leads_to_its_history(admin: Person) -> None:
    go_to(admin, "10.0.0.0/24")
    shows(admin, "10.0.0.0/24 in blocks of /32")
    tile(admin, "10.0.0.7/32, compliant, 1 resource CIDR").click()
    admin.page.wait_for_url(re.compile(r"/history\?.*10\.0\.0\.7"))


def test_ipv6_is_zoomed_into_and_out_of(
    admin: Person, cadastre: Installation, ipam: Mapping[str, Any]
) -> None:
    [block] = [
        one["ResourceCidr"]
        for one in resource_cidrs(cadastre.client(ADMIN), ipam["PublicDefaultScopeId"])
        if ":" in one["ResourceCidr"]
    ]
    admin.select("Scope", "public")
    admin.press("Show")
    admin.page.get_by_role("link", name="IPv6", exact=True).click()
    # It begins where something is, however small that is within all of IPv6.
    expect(admin.row(block.partition("/")[0]).first).to_be_visible()
    look(admin, "ipv6")
    go_to(admin, block)
    shows(admin, f"{block} in blocks of /64")
    expect(tile(admin, f"{block.replace('/56', '/64')}, occupied, 1 resource CIDR")).to_be_visible()
    admin.page.get_by_role("link", name="Zoom out to").last.click()
    expect(admin.row(block)).to_be_visible()
    admin.page.go_back()
    shows(admin, f"{block} in blocks of /64")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_states_are_told_by_legend_colour_and_word(admin: Person, scheme: Any) -> None:
    admin.page.emulate_media(color_scheme=scheme)
    legend = admin.main.get_by_role("list", name="Legend")
    words = ["Available", "Compliant", "Occupied", "Noncompliant", "Overlapping"]
    for word in words:
        expect(legend.get_by_role("listitem").filter(has_text=f"{word}")).not_to_have_count(0)
    fills = {
        one: admin.page.locator(f"svg .tile-{one.lower()}").first.evaluate(_FILL) for one in words
    }
    assert len({colour for colour, _ in fills.values()}) == len(words), fills
    patterns = [pattern for _, pattern in fills.values() if pattern]
    assert len(set(patterns)) == len(patterns) == 3, fills
    for cidr, state in STATES.items():
        go_to(admin, cidr)
        expect(admin.row(cidr.replace("/24", "/32").replace("/16", "/24"))).to_contain_text(
            state.capitalize()
        )


def test_the_map_is_walked_by_keys(admin: Person) -> None:
    keys = admin.page.keyboard
    tile(admin, "0.0.0.0/8, available").focus()
    for key, reached in (
        ("ArrowRight", "1.0.0.0/8"),
        ("ArrowDown", "17.0.0.0/8"),
        ("ArrowLeft", "16.0.0.0/8"),
        ("ArrowUp", "0.0.0.0/8"),
        ("ArrowUp", "0.0.0.0/8"),
        ("End", "255.0.0.0/8"),
        ("Home", "0.0.0.0/8"),
    ):
        keys.press(key)
        expect(tile(admin, f"{reached}, available")).to_be_focused()
    for _ in range(10):
        keys.press("ArrowRight")
    expect(tile(admin, "10.0.0.0/8")).to_be_focused()
    keys.press("Enter")
    shows(admin, "10.0.0.0/8 in blocks of /16")
    # One goes on from there, and the map is a single stop for the Tab key.
    expect(tile(admin, "10.0.0.0/16")).to_be_focused()
    keys.press("Tab")
    expect(admin.page.locator("svg a:focus")).to_have_count(0)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param("10.0.0.1/8", "use '10.0.0.0/8'", id="host bits"),
        pytest.param("nowhere", "nowhere", id="no CIDR"),
        pytest.param("<script>1</script>", "<script>1</script>", id="a script"),
    ],
)
def test_what_is_no_cidr_is_told(admin: Person, given: str, told: str) -> None:
    go_to(admin, given)
    expect(admin.refusal).to_contain_text(told)


def test_empty_space_says_so(admin: Person) -> None:
    go_to(admin, "192.168.0.0/16")
    shows(admin, "192.168.0.0/16 in blocks of /24")
    admin.sees("all of it is available")
    look(admin, "available")


def test_a_pool_has_a_map_of_its_own(admin: Person, ipam: Mapping[str, Any]) -> None:
    admin.open(f"/pools/{ipam['pool']}")
    admin.main.get_by_role("link", name="CIDR map", exact=True).click()
    shows(admin, "10.0.0.0/16 in blocks of /24")
    tile(admin, "10.0.0.0/24, compliant, 1 resource CIDR").click()
    shows(admin, "10.0.0.0/24 in blocks of /32")
    admin.sees("Space of the pool")


def test_it_works_without_scripts(
    chromium: Browser, cadastre: Installation, ipam: Mapping[str, Any]
) -> None:
    with watched(chromium, f"127.0.0.1:{cadastre.port}", has_scripts=False) as page:
        person = Person(page, profile_of(cadastre, ADMIN))
        person.sign_in()
        person.open("/cidr-map")
        tile(person, "10.0.0.0/8").click()
        shows(person, "10.0.0.0/8 in blocks of /16")
        page.get_by_role("link", name="Zoom out to 0.0.0.0/0").click()
        shows(person, "0.0.0.0/0 in blocks of /8")


@pytest.mark.parametrize("key", ["scope", "pool"])
def test_others_have_no_map_of_it(signed_in: SignIn, ipam: Mapping[str, Any], key: str) -> None:
    stranger = signed_in("member-account")
    other = {"scope": ipam["PrivateDefaultScopeId"], "pool": ipam["pool"]}[key]
    stranger.open(f"/cidr-map?{key}={other}")
    expect(stranger.refusal).to_contain_text(other)


def shows(person: Person, heading: str) -> None:
    expect(person.main.get_by_role("heading", level=2).first).to_have_text(heading)


def tile(person: Person, name: str) -> Locator:
    """The block whose name begins so."""
    # Browsers end an expression at a slash.
    begins = re.compile("^" + re.escape(name).replace("/", r"\/"))
    return person.main.get_by_role("group").get_by_role("link", name=begins)


def go_to(person: Person, cidr: str) -> None:
    person.fill("Go to CIDR", cidr)
    person.press("Go")


def look(person: Person, name: str) -> None:
    check_accessible(person.page)
    screenshot(person.page, f"cidr-map-{name}")


def resource_cidrs(ec2: Any, scope_id: str) -> list[Any]:
    found: list[Any] = ec2.get_ipam_resource_cidrs(IpamScopeId=scope_id)["IpamResourceCidrs"]
    return found


def found_states(ec2: Any, ipam: Mapping[str, Any]) -> Mapping[str, str]:
    """What AWS's client is told, in the map's words."""
    return {
        one["ResourceCidr"]: state_of(one)
        for one in resource_cidrs(ec2, ipam["PrivateDefaultScopeId"])
    }


def state_of(record: Mapping[str, str]) -> str:
    if record["OverlapStatus"] == "overlapping":
        return "overlapping"
    if record["ManagementState"] != "managed":
        return "occupied"
    return record["ComplianceStatus"]
