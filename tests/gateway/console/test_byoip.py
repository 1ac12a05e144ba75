"""What is brought along: ranges, ASNs and tokens (BYOIP-1 to BYOIP-6, ASN-1, ASN-2)."""

from collections.abc import Iterator
from typing import Any

import pytest

from cadastre.control.v1 import byoip_service_pb2 as pb
from cadastre.control.v1 import control_service_pb2 as control
from cadastre.control.v1 import ipam_pb2
from tests.gateway.console.signed_in import HERE, Browser, links_of, signed_in, text_of
from tests.gateway.edge import ACCOUNT_ID, Edge

EVIL = "<script>alert(1)</script>"
IPAM_ID = "ipam-0de83dba6694560a9"
TOKEN_ID = "ipam-ext-res-ver-token-0309ce7f67a768cf0"
CIDR = "203.0.113.0/24"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        edge.fakes.answers["DescribeIpams"] = control.DescribeIpamsResponse(
            ipams=[ipam_pb2.Ipam(ipam_id=IPAM_ID)]
        )
        yield browser


def sent(edge: Edge, action: str) -> Any:
    [request] = [
        one
        for path, one in edge.fakes.requests
        if path.endswith(f"/{action}") and not getattr(one, "dry_run", False)
    ]
    return request


def test_a_range_offers_what_fits_its_state(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeByoipCidrs"] = pb.DescribeByoipCidrsResponse(
        byoip_cidrs=[pb.ByoipCidr(cidr=CIDR, description=EVIL)]
    )
    page = browser.get("/byoip").text
    assert EVIL not in page
    links = links_of(page)
    assert links["Advertise"] == f"{HERE}/byoip/advertise?cidr=203.0.113.0%2F24"
    assert "Withdraw" not in links


def test_a_range_is_provisioned_with_its_proof(edge: Edge, browser: Browser) -> None:  # BYOIP-1
    proof = {"message": f"1|aws|{ACCOUNT_ID}|{CIDR}|20301231|SHA256|RSAPSS", "signature": "c2ln"}
    assert browser.do("/byoip/provision", cidr=CIDR, **proof).status_code == 303
    request = sent(edge, "ProvisionByoipCidr")
    assert request.cidr == CIDR
    assert request.cidr_authorization_context.message == proof["message"]
    assert request.cidr_authorization_context.signature == "c2ln"


@pytest.mark.parametrize("step", ["advertise", "withdraw", "deprovision"])
def test_a_range_is_changed(edge: Edge, browser: Browser, step: str) -> None:
    answer = browser.do(f"/byoip/{step}", cidr=CIDR)
    assert answer.headers["location"] == f"{HERE}/byoip?done={step}-byoip"
    assert sent(edge, f"{step.capitalize()}ByoipCidr").cidr == CIDR


def test_an_asn_is_provisioned_to_an_ipam(edge: Edge, browser: Browser) -> None:  # ASN-1
    browser.do("/byoasn/provision", ipam_id=IPAM_ID, asn="64496", message="m", signature="s")
    request = sent(edge, "ProvisionIpamByoasn")
    assert (request.ipam_id, request.asn) == (IPAM_ID, "64496")
    assert request.asn_authorization_context.message == "m"


@pytest.mark.parametrize("step", ["associate", "disassociate"])
def test_an_asn_originates_a_range(edge: Edge, browser: Browser, step: str) -> None:  # ASN-2
    assert browser.do(f"/byoasn/{step}", asn="64496", cidr=CIDR).status_code == 303
    request = sent(edge, f"{step.capitalize()}IpamByoasn")
    assert (request.asn, request.cidr) == ("64496", CIDR)


def test_a_token_leads_to_its_txt_record(edge: Edge, browser: Browser) -> None:
    token = pb.IpamExternalResourceVerificationToken(
        ipam_external_resource_verification_token_id=TOKEN_ID,
        token_name="86950620",
        token_value="a34597c3",
        ipam_id=IPAM_ID,
    )
    edge.fakes.answers |= {
        "CreateIpamExternalResourceVerificationToken": (
            pb.CreateIpamExternalResourceVerificationTokenResponse(
                ipam_external_resource_verification_token=token
            )
        ),
        "DescribeIpamExternalResourceVerificationTokens": (
            pb.DescribeIpamExternalResourceVerificationTokensResponse(
                ipam_external_resource_verification_tokens=[token]
            )
        ),
    }
    created = browser.do("/verification-tokens/create", ipam_id=IPAM_ID)
    assert created.headers["location"].startswith(f"{HERE}/verification-tokens/{TOKEN_ID}?")
    page = text_of(browser.get(f"/verification-tokens/{TOKEN_ID}").text)
    assert '86950620.113.0.203.in-addr.arpa. TXT "a34597c3"' in page
    assert browser.do(f"/verification-tokens/{TOKEN_ID}/delete").status_code == 303
    request = sent(edge, "DeleteIpamExternalResourceVerificationToken")
    assert request.ipam_external_resource_verification_token_id == TOKEN_ID


def test_a_token_that_isnt_there_is_not_found(browser: Browser) -> None:
    for path in ("", "/delete"):
        assert browser.get(f"/verification-tokens/{TOKEN_ID}{path}").status_code == 404
