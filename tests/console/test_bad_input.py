"""Bad input: what is forged, another's or gone meanwhile does nothing; scripts are text (ACC-2)."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.acceptance.account import make_pool
from tests.acceptance.installation import Installation
from tests.console.browser import check_accessible, screenshot
from tests.console.person import Person, SignIn
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

ADMIN, STRANGER = "ipam-account", "member-account"
SCRIPT = '<script>document.title = "taken"</script><img src=x onerror="document.title = 1">'
SHOWING_NAMES = (
    "/ipams",
    "/ipams/{ipam}",
    "/ipams/{ipam}/edit",
    "/pools",
    "/pools?view=table",
    "/pools/create",
    "/pools/{pool}",
    "/pools/{pool}/allocations",
    "/pools/{pool}/edit",
    "/pools/{pool}/delete",
    "/vpcs",
    "/vpcs/{vpc}",
    "/vpcs/create",
    "/resources",
    "/shares/create",
    "/cidr-map?pool={pool}",
    "/dashboard",
    "/history?cidr=10.0.0.0/16",
    "/audit",
)
REFUSED = {
    "/ipams/{ipam}": "InvalidIpamId.NotFound",
    "/ipams/{ipam}/edit": "InvalidIpamId.NotFound",
    "/ipams/{ipam}/delete": "InvalidIpamId.NotFound",
    "/pools/{pool}": "InvalidIpamPoolId.NotFound",
    "/pools/{pool}/allocations": "InvalidIpamPoolId.NotFound",
    "/pools/{pool}/allocate": "InvalidIpamPoolId.NotFound",
    "/pools/{pool}/delete": "InvalidIpamPoolId.NotFound",
    "/pools?scope={scope}": "InvalidIpamScopeId.NotFound",
    "/resources?scope={scope}": "InvalidIpamScopeId.NotFound",
    "/cidr-map?scope={scope}": "InvalidIpamScopeId.NotFound",
    "/cidr-map?pool={pool}": "InvalidIpamPoolId.NotFound",
    "/dashboard?scope={scope}": "InvalidIpamScopeId.NotFound",
    "/vpcs/{vpc}": "InvalidVpcID.NotFound",
    "/vpcs/{vpc}/delete": "InvalidVpcID.NotFound",
    "/pools/nonsense": "InvalidIpamPoolId.Malformed",
}


@pytest.fixture(scope="module")
def made(cadastre: Installation) -> Mapping[str, str]:
    """The ids of things whose names and descriptions are scripts."""
    ec2 = cadastre.client(ADMIN)
    ipam = ec2.create_ipam(Description=SCRIPT, TagSpecifications=named("ipam"))["Ipam"]
    wait_until(lambda: ec2.describe_ipams()["Ipams"][0]["State"] == "create-complete")
    pool_id = make_pool(
        ec2,
        {"Cidr": "10.0.0.0/16"},
        IpamScopeId=ipam["PrivateDefaultScopeId"],
        AddressFamily="ipv4",
        Locale="us-east-1",
        Description=SCRIPT,
        TagSpecifications=named("ipam-pool"),
    )
    ec2.allocate_ipam_pool_cidr(IpamPoolId=pool_id, NetmaskLength=24, Description=SCRIPT)
    vpc = ec2.create_vpc(
        Ipv4IpamPoolId=pool_id, Ipv4NetmaskLength=24, TagSpecifications=named("vpc")
    )["Vpc"]
    in_scope = {"IpamScopeId": ipam["PrivateDefaultScopeId"], "ResourceType": "vpc"}
    wait_until(lambda: ec2.get_ipam_resource_cidrs(**in_scope)["IpamResourceCidrs"])
    return {"scope": ipam["PrivateDefaultScopeId"], "ipam": ipam["IpamId"]} | {
        "pool": pool_id,
        "vpc": vpc["VpcId"],
    }


@pytest.fixture
def ec2(cadastre: Installation) -> Any:
    return cadastre.client(ADMIN)


@pytest.fixture
def pool_id(ec2: Any, made: Mapping[str, str]) -> Iterator[str]:
    """A pool of one test's own."""
    pool_id = make_pool(
        ec2, {"Cidr": "10.99.0.0/16"}, IpamScopeId=made["scope"], AddressFamily="ipv4"
    )
    yield pool_id
    remove(ec2, pool_id)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param("one => one.value = 'x'.repeat(one.value.length)", id="changed"),
        pytest.param("one => one.remove()", id="missing"),
    ],
)
def test_a_forged_form_does_nothing(signed_in: SignIn, ec2: Any, pool_id: str, spoil: str) -> None:
    person = signed_in(ADMIN)
    person.open(f"/pools/{pool_id}/edit")
    person.fill("Description", "forged")
    forge(person.page, spoil)
    person.press("Review")
    expect(person.refusal).to_contain_text("This form didn't come from a page of yours")
    person.open(f"/pools/{pool_id}/edit")
    person.fill("Description", "forged")
    person.press("Review")
    forge(person.page, spoil)
    person.press("Save changes")
    expect(person.refusal).to_contain_text("Nothing was done")
    check_accessible(person.page)
    assert description_of(ec2, pool_id) == ""


def test_a_forged_deletion_does_nothing(signed_in: SignIn, ec2: Any, pool_id: str) -> None:
    """As another site would send it, which can't read the token."""
    person = signed_in(ADMIN)
    fields: Mapping[str, str | float | bool] = {
        "step": "do",
        "cascade": "true",
        "confirm": "delete",
    }
    answer = person.page.request.post(person.url(f"/pools/{pool_id}/delete"), form=dict(fields))
    assert answer.status == 403
    person.open(f"/pools/{pool_id}/delete")
    token = person.page.locator("input[name=csrf_token]").first.input_value()
    for headers in ({"Origin": "http://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = person.page.request.post(
            person.url(f"/pools/{pool_id}/delete"),
            form={"csrf_token": token, **fields},
            headers=headers,
        )
        assert answer.status == 403
    assert state_of(ec2, pool_id) == "create-complete"


def test_what_others_wrote_is_text(
    signed_in: SignIn, made: Mapping[str, str], subtests: pytest.Subtests
) -> None:
    person = signed_in(ADMIN)
    for path in SHOWING_NAMES:
        person.open(path.format(**made))
        with subtests.test(path=path):
            expect(person.page.get_by_role("heading", name="This didn't work")).to_have_count(0)
            # Had it become part of the page, it would be seen here, or the browser complain.
            expect(person.page.locator("img, body script")).to_have_count(0)
            assert person.page.title().endswith("Cadastre")


def test_names_are_shown_as_they_were_written(signed_in: SignIn, made: Mapping[str, str]) -> None:
    person = signed_in(ADMIN)
    person.open("/pools")
    person.row(made["pool"]).get_by_role("link", name=SCRIPT).first.click()
    person.at(SCRIPT)
    person.main.get_by_role("link", name="Allocations", exact=True).click()
    expect(person.row("10.0.0.0/24")).to_contain_text(SCRIPT)
    person.act("Edit")
    expect(person.field("Description")).to_have_value(SCRIPT)
    screenshot(person.page, "script-as-text")


def test_a_filter_or_an_order_that_is_a_script_is_text(signed_in: SignIn) -> None:
    person = signed_in(ADMIN)
    for query in ("f.description", "sort", "token", "done", "scope"):
        person.page.goto(person.url("/pools") + "?view=table&" + query + "=<script>1</script>")
        expect(person.page.locator("body script")).to_have_count(0)
        expect(person.page.get_by_role("heading", level=1)).to_have_count(1)


def test_what_is_of_another_account_is_not_there(
    signed_in: SignIn, made: Mapping[str, str], subtests: pytest.Subtests
) -> None:
    stranger = signed_in(STRANGER)
    for path, code in REFUSED.items():
        stranger.open(path.format(**made))
        with subtests.test(path=path):
            expect(stranger.refusal).to_contain_text(code)
            expect(stranger.main).not_to_contain_text("10.0.0.0")


def test_the_door_of_another_account_is_closed(signed_in: SignIn, made: Mapping[str, str]) -> None:
    stranger = signed_in(STRANGER)
    stranger.page.goto(f"/console/123456789012/us-east-1/pools/{made['pool']}")
    expect(stranger.page.get_by_role("heading", name="Sign in to Cadastre")).to_be_visible()


def test_a_form_for_a_pool_that_is_gone_does_nothing(
    signed_in: SignIn, ec2: Any, pool_id: str
) -> None:
    person = signed_in(ADMIN)
    person.open(f"/pools/{pool_id}/allocate")
    person.fill("Netmask length", "24")
    remove(ec2, pool_id)
    person.press("Review")
    is_told_gone(person, pool_id)
    screenshot(person.page, "stale")
    check_accessible(person.page)


@pytest.mark.parametrize(
    ("action", "fields", "button"),
    [
        ("allocate", {"Netmask length": "24"}, "Allocate CIDR"),
        ("provision", {"CIDR": "10.98.0.0/16"}, "Provision CIDR"),
        ("edit", {"Description": "too late"}, "Save changes"),
    ],
)
def test_a_review_of_what_is_gone_does_nothing(
    signed_in: SignIn,
    ec2: Any,
    pool_id: str,
    action: str,
    fields: Mapping[str, str],
    button: str,
) -> None:
    person = signed_in(ADMIN)
    person.open(f"/pools/{pool_id}/{action}")
    for label, value in fields.items():
        person.fill(label, value)
    person.press("Review")
    expect(person.main.get_by_role("button", name=button, exact=True)).to_be_visible()
    remove(ec2, pool_id)
    person.press(button)
    is_told_gone(person, pool_id)


def test_what_is_deleted_already_is_not_deleted_again(
    signed_in: SignIn, ec2: Any, pool_id: str
) -> None:
    person = signed_in(ADMIN)
    person.open(f"/pools/{pool_id}/delete")
    person.check("Cascade delete")
    person.press("Review")
    person.page.get_by_label("To confirm, type delete").fill("delete")
    remove(ec2, pool_id)
    person.press("Delete")
    is_told_gone(person, pool_id)


def test_what_is_sent_twice_is_done_once(signed_in: SignIn, ec2: Any, pool_id: str) -> None:
    person = signed_in(ADMIN)
    person.open(f"/pools/{pool_id}/allocate")
    person.fill("Netmask length", "24")
    person.press("Review")
    form = person.main.locator("form")
    fields = form.evaluate("form => Object.fromEntries(new FormData(form))")
    for _ in range(2):
        person.page.request.post(
            form.evaluate("form => form.action"), form={**fields, "step": "do"}
        )
    allocations = ec2.get_ipam_pool_allocations(IpamPoolId=pool_id)["IpamPoolAllocations"]
    assert len(allocations) == 1


def is_told_gone(person: Person, pool_id: str) -> None:
    expect(person.refusal).to_contain_text("InvalidIpamPoolId.NotFound")
    expect(person.refusal).to_contain_text(pool_id)
    expect(person.refusal).to_contain_text("Nothing was changed")


def forge(page: Page, spoil: str) -> None:
    page.get_by_role("main").locator("input[name=csrf_token]").evaluate(spoil)


def remove(ec2: Any, pool_id: str) -> None:
    """Have the pool be gone, with all that is in it."""
    if state_of(ec2, pool_id):
        ec2.delete_ipam_pool(IpamPoolId=pool_id, Cascade=True)
        wait_until(lambda: not state_of(ec2, pool_id))


def state_of(ec2: Any, pool_id: str) -> str:
    """Empty: there is no such pool."""
    pools: list[Mapping[str, str]] = ec2.describe_ipam_pools()["IpamPools"]
    return next((one["State"] for one in pools if one["IpamPoolId"] == pool_id), "")


def description_of(ec2: Any, pool_id: str) -> str:
    [pool] = ec2.describe_ipam_pools(IpamPoolIds=[pool_id])["IpamPools"]
    text: str = pool.get("Description", "")
    return text


def named(resource_type: str) -> list[Any]:
    return [{"ResourceType": resource_type, "Tags": [{"Key": "Name", "Value": SCRIPT}]}]
