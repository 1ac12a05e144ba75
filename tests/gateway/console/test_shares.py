"""Resource shares: what is sent, and to whom (ORG-4, ORG-5)."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from cadastre.control.sharing.v1 import sharing_service_pb2 as pb
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pool_pb2
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.console.test_organization import EVIL, OTHER_ID, organize
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

SHARE_ID = "7ab63972-b505-7e2a-420d-6f5d3EXAMPLE"
POOL_ARN = f"arn:aws:ec2::{ACCOUNT_ID}:ipam-pool/ipam-pool-0ec231690a6d2a4aa"
OTHERS_ARN = f"arn:aws:ec2::{OTHER_ID}:ipam-pool/ipam-pool-0d8f3646b61ca5987"
OU_ID = "ou-fssg-q5brfv9c"
OU_ARN = f"arn:aws:organizations::{ACCOUNT_ID}:ou/o-exampleorg/{OU_ID}"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        edge.fakes.answers["DescribeIpamPools"] = control.DescribeIpamPoolsResponse(
            ipam_pools=[
                ipam_pool_pb2.IpamPool(
                    ipam_pool_id=arn.rpartition("/")[2], ipam_pool_arn=arn, owner_id=owner
                )
                for arn, owner in ((POOL_ARN, ACCOUNT_ID), (OTHERS_ARN, OTHER_ID))
            ]
        )
        yield browser


def a_share(owner: str = ACCOUNT_ID) -> pb.ResourceShare:
    return pb.ResourceShare(
        resource_share_arn=f"arn:aws:ram:us-east-1:{owner}:resource-share/{SHARE_ID}",
        name=EVIL,
        owning_account_id=owner,
    )


def share(edge: Edge, owner: str = ACCOUNT_ID) -> None:
    def answer(request: pb.GetResourceSharesRequest) -> pb.GetResourceSharesResponse:
        is_own = request.resource_owner == pb.RESOURCE_OWNER_SELF
        found = [a_share(owner)] if is_own == (owner == ACCOUNT_ID) else []
        return pb.GetResourceSharesResponse(resource_shares=found)

    edge.fakes.answers["GetResourceShares"] = answer


def sent(edge: Edge, action: str) -> Any:
    [request] = [one for path, one in edge.fakes.requests if path.endswith(f"/{action}")]
    return request


def test_lists_by_owner_with_names_as_text(edge: Edge, browser: Browser) -> None:
    share(edge, OTHER_ID)
    assert "This account shares nothing." in text_of(browser.get("/shares").text)
    page = browser.get("/shares", owner="others").text
    assert EVIL not in page
    assert links_of(page)[EVIL] == f"{HERE}/shares/{SHARE_ID}"


def test_an_ou_is_shared_with_by_its_id(edge: Edge, browser: Browser) -> None:  # ORG-4
    organize(edge)
    edge.fakes.answers["CreateResourceShare"] = pb.CreateResourceShareResponse(
        resource_share=a_share()
    )
    answer = browser.do(
        "/shares/create",
        client_token="token-of-the-form",
        name="pre-prod",
        resource_arns=[POOL_ARN],
        principals=f"{OU_ID}\n{OTHER_ID}\no-exampleorg",
    )
    assert answer.headers["location"] == f"{HERE}/shares/{SHARE_ID}?done=create-share"
    request = sent(edge, "CreateResourceShare")
    assert list(request.resource_arns) == [POOL_ARN]
    assert list(request.principals) == [
        OU_ARN,
        OTHER_ID,
        f"arn:aws:organizations::{ACCOUNT_ID}:organization/o-exampleorg",
    ]
    assert request.allow_external_principals is False
    assert request.client_token == "token-of-the-form"


def test_an_ou_that_isnt_there_is_refused_at_its_field(edge: Edge, browser: Browser) -> None:
    organize(edge)
    answer = browser.review("/shares/create", name="x", principals="ou-fssg-nowhere1")
    assert answer.status_code == 400
    assert text_of(answer.text).count("The organization has no such OU") == 2


def test_only_own_pools_are_offered(browser: Browser) -> None:
    page = browser.get("/shares/create", resource_arns=POOL_ARN).text
    assert OTHERS_ARN not in page
    assert f'value="{POOL_ARN}" checked' in page
    assert browser.review("/shares/create", name="x", resource_arns=OTHERS_ARN).status_code == 400


def test_an_own_share_is_changed(edge: Edge, browser: Browser) -> None:
    share(edge)
    here = f"/shares/{SHARE_ID}"
    browser.do(f"{here}/add", principals=OTHER_ID)
    browser.do(f"{here}/remove", resource_arns=POOL_ARN)
    browser.do(f"{here}/edit", name="new", allow_external_principals="true")
    assert browser.do(f"{here}/delete").headers["location"] == f"{HERE}/shares?done=delete-share"
    assert list(sent(edge, "AssociateResourceShare").principals) == [OTHER_ID]
    assert list(sent(edge, "DisassociateResourceShare").resource_arns) == [POOL_ARN]
    changed = sent(edge, "UpdateResourceShare")
    assert (changed.name, changed.allow_external_principals) == ("new", True)
    assert sent(edge, "DeleteResourceShare").resource_share_arn == a_share().resource_share_arn


PERMISSION_ARN = "arn:aws:ram::aws:permission/"
DEFAULT, IMPORT, OF_DISCOVERIES = (
    f"{PERMISSION_ARN}AWSRAM{name}"
    for name in (
        "DefaultPermissionsIpamPool",
        "PermissionIpamPoolByoipCidrImport",
        "PermissionIpamResourceDiscovery",
    )
)


def permit(edge: Edge, *of_the_share: str) -> None:
    def permission(arn: str) -> pb.ResourceSharePermissionSummary:
        of_pools = arn != OF_DISCOVERIES
        return pb.ResourceSharePermissionSummary(
            arn=arn,
            name=arn.removeprefix(PERMISSION_ARN),
            resource_type="ec2:IpamPool" if of_pools else "ec2:IpamResourceDiscovery",
            is_resource_type_default=arn != IMPORT,
        )

    edge.fakes.answers |= {
        "ListPermissions": pb.ListPermissionsResponse(
            permissions=[permission(arn) for arn in (DEFAULT, IMPORT, OF_DISCOVERIES)]
        ),
        "GetPermission": lambda request: pb.GetPermissionResponse(
            permission=pb.ResourceSharePermissionDetail(
                name=request.permission_arn.removeprefix(PERMISSION_ARN),
                permission='{"Effect": "Allow", "Action": ["ec2:ImportByoipCidrToIpam"]}',
            )
        ),
        "ListResourceSharePermissions": pb.ListResourceSharePermissionsResponse(
            permissions=[permission(arn) for arn in of_the_share]
        ),
    }


def test_a_permission_is_chosen_where_there_are_several(edge: Edge, browser: Browser) -> None:
    permit(edge)
    browser.do("/shares/create", name="plain", permission_of_pools=DEFAULT)
    assert not sent(edge, "CreateResourceShare").permission_arns, "it comes with a pool"
    edge.fakes.requests.clear()
    page = browser.get("/shares/create").text
    assert f'<option value="{DEFAULT}" selected>' in page
    assert "ByoipCidrImport allows ec2:ImportByoipCidrToIpam." in page
    assert OF_DISCOVERIES not in page, "there is nothing to choose"
    browser.do("/shares/create", name="move", resource_arns=POOL_ARN, permission_of_pools=IMPORT)
    assert list(sent(edge, "CreateResourceShare").permission_arns) == [IMPORT]


def test_a_shares_permission_is_replaced(edge: Edge, browser: Browser) -> None:
    share(edge)
    permit(edge, IMPORT, OF_DISCOVERIES)
    here = f"/shares/{SHARE_ID}"
    links = links_of(browser.get(here).text)
    assert links["Change permissions"].endswith(f"{here}/permissions")
    assert f'<option value="{IMPORT}" selected>' in browser.get(f"{here}/permissions").text
    browser.do(f"{here}/permissions", permission_of_pools=DEFAULT)
    request = sent(edge, "AssociateResourceSharePermission")
    assert (request.permission_arn, request.replace) == (DEFAULT, True)
    answer = browser.review(f"{here}/permissions", permission_of_pools=IMPORT)
    assert "The share has this permission already" in text_of(answer.text)


def test_without_several_permissions_there_is_nothing_to_change(
    edge: Edge, browser: Browser
) -> None:
    share(edge)
    permit(edge, OF_DISCOVERIES)
    here = f"/shares/{SHARE_ID}"
    assert "Change permissions" not in links_of(browser.get(here).text)
    page = browser.get(f"{here}/permissions")
    assert "shares nothing of which there is more than one permission" in text_of(page.text)


def test_who_may_not_see_permissions_shares_with_the_default(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["ListPermissions"] = Refusal(
        "AccessDenied", code=grpc.StatusCode.PERMISSION_DENIED
    )
    share(edge)
    assert "Permission for" not in text_of(browser.get("/shares/create").text)
    assert browser.get(f"/shares/{SHARE_ID}/permissions").status_code == 403
    browser.do("/shares/create", name="plain")
    assert not sent(edge, "CreateResourceShare").permission_arns


def test_anothers_share_offers_no_changes(edge: Edge, browser: Browser) -> None:
    share(edge, OTHER_ID)
    permit(edge, IMPORT)
    links = links_of(browser.get(f"/shares/{SHARE_ID}").text)
    assert not {"Add", "Edit", "Change permissions", "Delete"} & links.keys()


def test_a_share_nobody_sees_is_not_found(browser: Browser) -> None:
    assert browser.get(f"/shares/{SHARE_ID}").status_code == 404


@pytest.mark.parametrize("step", ["Accept", "Reject"])
def test_invitations_are_answered(edge: Edge, browser: Browser, step: str) -> None:
    arn = f"arn:aws:ram:us-east-1:{OTHER_ID}:resource-share-invitation/1234"
    edge.fakes.answers["GetResourceShareInvitations"] = pb.GetResourceShareInvitationsResponse(
        resource_share_invitations=[
            pb.ResourceShareInvitation(
                resource_share_invitation_arn=arn,
                resource_share_name=EVIL,
                sender_account_id=OTHER_ID,
                status=pb.RESOURCE_SHARE_INVITATION_STATUS_PENDING,
            )
        ]
    )
    page = browser.get("/shares/invitations").text
    assert EVIL not in page
    assert f"/shares/invitations/1234/{step.lower()}" in links_of(page)[step]
    assert browser.do(f"/shares/invitations/1234/{step.lower()}").status_code == 303
    assert sent(edge, f"{step}ResourceShareInvitation").resource_share_invitation_arn == arn
