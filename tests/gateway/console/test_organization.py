"""Settings of the organization: who may change them, and what is sent (ORG-1 to ORG-4)."""

from collections.abc import Iterator

import grpc
import pytest

from cadastre.control.organizations.v1 import organizations_service_pb2 as pb
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

OTHER_ID = "444455556666"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        yield browser


def organize(edge: Edge, management: str = ACCOUNT_ID, *services: str) -> None:
    """An organization of a root, an OU, and an account in each."""

    def accounts(request: pb.ListAccountsForParentRequest) -> pb.ListAccountsForParentResponse:
        found = {"r-fssg": (management, "root's"), "ou-fssg-q5brfv9c": (OTHER_ID, EVIL)}
        account_id, name = found[request.parent_id]
        return pb.ListAccountsForParentResponse(accounts=[pb.Account(id=account_id, name=name)])

    def units(
        request: pb.ListOrganizationalUnitsForParentRequest,
    ) -> pb.ListOrganizationalUnitsForParentResponse:
        below = [pb.OrganizationalUnit(id="ou-fssg-q5brfv9c", name="developers")]
        return pb.ListOrganizationalUnitsForParentResponse(
            organizational_units=below if request.parent_id == "r-fssg" else []
        )

    edge.fakes.answers |= {
        "DescribeOrganization": pb.DescribeOrganizationResponse(
            organization=pb.Organization(
                id="o-exampleorg",
                arn=f"arn:aws:organizations::{management}:organization/o-exampleorg",
                master_account_id=management,
            )
        ),
        "ListRoots": pb.ListRootsResponse(roots=[pb.Root(id="r-fssg", name="Root")]),
        "ListAccountsForParent": accounts,
        "ListOrganizationalUnitsForParent": units,
        "ListDelegatedAdministrators": pb.ListDelegatedAdministratorsResponse(
            delegated_administrators=[pb.DelegatedAdministrator(id=OTHER_ID, name=EVIL)]
        ),
        "ListAWSServiceAccessForOrganization": pb.ListAWSServiceAccessForOrganizationResponse(
            enabled_service_principals=[
                pb.EnabledServicePrincipal(service_principal=one) for one in services
            ]
        ),
    }


def test_the_management_account_may_change_it(edge: Edge, browser: Browser) -> None:  # ORG-2
    organize(edge)
    page = browser.get("/organization").text
    assert EVIL not in page
    assert "o-exampleorg/r-fssg/ou-fssg-q5brfv9c/" in text_of(page)
    links = links_of(page)
    assert f"Move {EVIL}" in links
    assert links["Delegate"] == f"{HERE}/organization/delegate"
    assert links["Enable sharing with AWS Organizations"] == f"{HERE}/organization/enable-sharing"
    assert links[f"Remove {OTHER_ID}"] == f"{HERE}/organization/administrators/{OTHER_ID}/remove"


def test_sharing_that_is_on_can_be_turned_off(edge: Edge, browser: Browser) -> None:
    organize(edge, ACCOUNT_ID, "ram.amazonaws.com")
    links = links_of(browser.get("/organization").text)
    assert "Enable sharing with AWS Organizations" not in links
    assert links["Disable sharing with AWS Organizations"].endswith("/disable-sharing")


def test_a_member_is_told_who_may(edge: Edge, browser: Browser) -> None:
    """What is closed to members is left out, the rest shown."""
    organize(edge, OTHER_ID)
    denied = Refusal("AccessDeniedException", code=grpc.StatusCode.PERMISSION_DENIED)
    for closed in ("ListRoots", "ListAWSServiceAccessForOrganization"):
        edge.fakes.answers[closed] = denied
    answer = browser.get("/organization")
    assert answer.status_code == 200
    assert "Only the management account delegates" in text_of(answer.text)
    assert "Delegate" not in links_of(answer.text)


def test_an_account_without_organization(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeOrganization"] = Refusal(
        "AWSOrganizationsNotInUseException", code=grpc.StatusCode.NOT_FOUND
    )
    answer = browser.get("/organization")
    assert answer.status_code == 200
    assert "in no organization" in text_of(answer.text)


def test_delegating_and_removing_name_the_account(edge: Edge, browser: Browser) -> None:
    answer = browser.do("/organization/delegate", delegated_admin_account_id=f" {OTHER_ID} ")
    assert answer.headers["location"] == f"{HERE}/organization?done=delegate"
    browser.do(f"/organization/administrators/{OTHER_ID}/remove")
    sent = [
        (path.rpartition("/")[2], request.delegated_admin_account_id)
        for path, request in edge.fakes.requests
        if path.endswith("IpamOrganizationAdminAccount") and not request.dry_run
    ]
    assert sent == [
        ("EnableIpamOrganizationAdminAccount", OTHER_ID),
        ("DisableIpamOrganizationAdminAccount", OTHER_ID),
    ]


def test_a_refused_delegation_says_why(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["EnableIpamOrganizationAdminAccount"] = Refusal(
        "InvalidParameterValue",
        "not the management account",
        metadata={"parameter": "DelegatedAdminAccountId"},
    )
    answer = browser.do("/organization/delegate", delegated_admin_account_id=ACCOUNT_ID)
    assert answer.status_code == 400
    assert "not the management account" in text_of(answer.text)
    assert f'value="{ACCOUNT_ID}"' in answer.text


def test_sharing_is_enabled_at_ram_and_disabled_at_organizations(
    edge: Edge, browser: Browser
) -> None:
    """As AWS has it: RAM can't disable what it enables."""
    for step in ("enable", "disable"):
        assert browser.do(f"/organization/{step}-sharing").status_code == 303
    last = [(path.rpartition("/")[2], request) for path, request in edge.fakes.requests]
    assert [name for name, _ in last] == [
        "EnableSharingWithAwsOrganization",
        "DisableAWSServiceAccess",
    ]
    assert last[-1][1].service_principal == "ram.amazonaws.com"
