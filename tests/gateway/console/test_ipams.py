"""The pages of IPAMs, and by them what all lists, forms and actions do."""

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import ipam_pb2
from tests.gateway.console.signed_in import (
    HERE,
    Browser,
    hidden,
    links_of,
    signed_in,
    text_of,
)
from tests.gateway.edge import ACCOUNT_ID, Edge
from tests.gateway.fakes import Refusal

IPAM_ID = "ipam-0de83dba6694560a9"


@pytest.fixture
def browser(edge: Edge) -> Iterator[Browser]:
    with signed_in(edge) as browser:
        yield browser


def an_ipam(**members: Any) -> ipam_pb2.Ipam:
    common: dict[str, Any] = {
        "ipam_id": IPAM_ID,
        "ipam_arn": f"arn:aws:ec2::{ACCOUNT_ID}:ipam/{IPAM_ID}",
        "owner_id": ACCOUNT_ID,
        "ipam_region": "us-east-1",
        "state": ipam_pb2.IPAM_STATE_CREATE_COMPLETE,
        "operating_regions": [ipam_pb2.IpamOperatingRegion(region_name="us-east-1")],
    }
    return ipam_pb2.Ipam(**common | members)


def test_lists_ipams_a_page_at_a_time(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse(
        ipams=[an_ipam(description="mine")], next_token="more"
    )
    page = browser.get("/ipams").text
    assert "mine" in text_of(page)
    assert links_of(page)["Next page"] == f"{HERE}/ipams?token=more"
    [(_, request)] = edge.fakes.requests
    assert request.max_results == 50


def test_a_filter_is_the_contexts_to_apply(edge: Edge, browser: Browser) -> None:
    browser.get("/ipams", **{"f.description": "m*"})
    [(_, request)] = edge.fakes.requests
    assert [(one.name, list(one.values)) for one in request.filters] == [("description", ["m*"])]


def test_sorting_reads_all_pages(edge: Edge, browser: Browser) -> None:
    names = iter([("b", "more"), ("c", "more"), ("a", "")])

    def answer(_: pb.DescribeIpamsRequest) -> pb.DescribeIpamsResponse:
        name, token = next(names)
        ipam = an_ipam(tags=[{"key": "Name", "value": name}])
        return pb.DescribeIpamsResponse(ipams=[ipam], next_token=token)

    edge.fakes.answers["DescribeIpams"] = answer
    csv = browser.get("/ipams", sort="-name", format="csv").text.splitlines()
    assert [line.partition(",")[0] for line in csv] == ["Name (IPAM ID)", "c", "b", "a"]


def test_an_unknown_order_is_refused(browser: Browser) -> None:
    answer = browser.get("/ipams", sort="colour")
    assert answer.status_code == 400
    assert "Value (colour) for parameter sort is invalid. Sort by name" in text_of(answer.text)


def test_names_are_text_and_no_formulas(edge: Edge, browser: Browser) -> None:
    evil = "<script>alert(1)</script>"
    edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse(
        ipams=[an_ipam(description=evil, tags=[{"key": "Name", "value": "=1+1"}])]
    )
    page = browser.get("/ipams").text
    assert evil not in page
    assert evil in text_of(page)
    assert browser.get("/ipams", format="csv").text.splitlines()[1].startswith("'=1+1,")


def test_an_action_is_tried_out_before_it_is_reviewed(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["CreateIpam"] = Refusal("DryRunOperation")
    page = browser.review(
        "/ipams/create",
        replicate="true",
        description="it's mine",
        tier="advanced",
        metered_account="ipam-owner",
        operating_regions=["us-east-1", "us-west-2"],
        tags="Name=Main\nenv=prod",
    )
    [(_, request)] = edge.fakes.requests
    assert request.dry_run
    assert [one.region_name for one in request.operating_regions] == ["us-west-2"]
    assert [(tag.key, tag.value) for tag in request.tag_specifications[0].tags] == [
        ("Name", "Main"),
        ("env", "prod"),
    ]
    assert "aws ec2 create-ipam" in text_of(page.text)


def test_done_twice_is_done_once(edge: Edge, browser: Browser) -> None:
    """Whoever sends a form again sends its client token again."""
    edge.fakes.answers["CreateIpam"] = pb.CreateIpamResponse(ipam=an_ipam())
    filled = {"replicate": "true", "tier": "free", "metered_account": "ipam-owner"}
    for _ in range(2):
        answer = browser.do("/ipams/create", client_token="token-of-the-form", **filled)
        assert answer.headers["location"] == f"{HERE}/ipams/{IPAM_ID}?done=create-ipam"
    assert [request.client_token for _, request in edge.fakes.requests] == ["token-of-the-form"]


def test_only_the_same_content_is_a_repeat(edge: Edge, browser: Browser) -> None:
    """Back in the browser's history, a form is filled in anew, its token still in it."""
    edge.fakes.answers["CreateIpam"] = pb.CreateIpamResponse(ipam=an_ipam())
    filled = {"replicate": "true", "metered_account": "ipam-owner"}
    for tier in ("free", "advanced"):
        browser.do("/ipams/create", client_token="token-gone-back-to", tier=tier, **filled)
    assert len(edge.fakes.requests) == 2


def test_a_change_that_is_sent_again_is_told_as_done(edge: Edge, browser: Browser) -> None:
    path = f"/ipams/{IPAM_ID}/edit"
    edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse(ipams=[an_ipam()])
    seen = hidden(browser.get(path).text)["seen"]
    form = {"seen": seen, "description": "mine", "tier": "free", "metered_account": "ipam-owner"}
    for _ in range(2):
        answer = browser.do(path, client_token="token-of-a-change", **form)
        assert answer.headers["location"] == f"{HERE}/ipams/{IPAM_ID}?done=edit-ipam"
        changed = an_ipam(description="mine")
        edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse(ipams=[changed])
    assert [path.rpartition("/")[2] for path, _ in edge.fakes.requests].count("ModifyIpam") == 1


def test_what_was_refused_may_be_sent_again(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["CreateIpam"] = Refusal("IpamLimitExceeded")
    filled = {"replicate": "true", "tier": "free", "metered_account": "ipam-owner"}
    form = {**filled, "step": "do", "client_token": "sent-twice"}
    assert browser.post("/ipams/create", form).status_code == 400
    edge.fakes.answers["CreateIpam"] = pb.CreateIpamResponse(ipam=an_ipam())
    assert browser.post("/ipams/create", form).status_code == 303
    assert len(edge.fakes.requests) == 2


def test_a_form_keeps_its_token_while_nobody_knows_whether_it_was_done(
    edge: Edge, browser: Browser
) -> None:
    edge.fakes.answers["CreateIpam"] = Refusal("Unavailable", code=grpc.StatusCode.UNAVAILABLE)
    filled = {"replicate": "true", "tier": "free", "metered_account": "ipam-owner"}
    answer = browser.post("/ipams/create", {**filled, "step": "do", "client_token": "kept"})
    assert answer.status_code == 503
    assert hidden(answer.text)["client_token"] == "kept"
    assert "It may have been done all the same" in text_of(answer.text)


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(
    edge: Edge, browser: Browser
) -> None:
    path = f"/ipams/{IPAM_ID}/edit"
    edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse(ipams=[an_ipam()])
    seen = hidden(browser.get(path).text)["seen"]
    changed = an_ipam(description="theirs")
    edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse(ipams=[changed])
    form = {"seen": seen, "description": "mine", "tier": "free", "metered_account": "ipam-owner"}
    for step in ("review", "do"):
        answer = browser.post(path, {**form, "step": step})
        assert answer.status_code == 409
        assert "Description is now “theirs”. Nothing was done" in text_of(answer.text)
        assert 'value="mine"' in answer.text
    assert [name for name, _ in edge.fakes.requests if name.endswith("/ModifyIpam")] == []
    again = {**form, "seen": hidden(answer.text)["seen"], "step": "do"}
    assert browser.post(path, again).status_code == 303


def test_more_lines_than_anybody_types_are_refused(edge: Edge, browser: Browser) -> None:
    filled = {"replicate": "true", "tier": "free", "metered_account": "ipam-owner"}
    answer = browser.review("/ipams/create", **filled, tags="\n".join(["a=b"] * 101))
    assert "At most 100 lines are allowed; there are 101." in text_of(answer.text)
    assert edge.fakes.requests == []


def test_a_refusal_keeps_what_was_filled_in(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["CreateIpam"] = Refusal(
        "InvalidParameterValue", "no such thing", metadata={"parameter": "Description"}
    )
    filled = {"replicate": "true", "tier": "free", "metered_account": "ipam-owner"}
    answer = browser.review("/ipams/create", description="<b>x</b>", **filled)
    assert answer.status_code == 400
    assert 'value="&lt;b&gt;x&lt;/b&gt;"' in answer.text
    assert text_of(answer.text).count("no such thing") == 2, "above, and at the field"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"replicate": ""}, "Fill in this field."),
        ({"tier": "huge"}, "“huge” can't be chosen"),
        ({"tags": "novalue"}, "“novalue” is no tag"),
        ({"tags": "a=1\na=2"}, "A key is there twice."),
        ({"description": "\x00"}, "Use no control characters."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    edge: Edge, browser: Browser, wrong: dict[str, str], complaint: str
) -> None:
    filled = {"replicate": "true", "tier": "free", "metered_account": "ipam-owner"}
    answer = browser.review("/ipams/create", **{**filled, **wrong})
    assert answer.status_code == 400
    assert complaint in text_of(answer.text)
    assert edge.fakes.requests == []


def test_deleting_needs_the_word(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse(ipams=[an_ipam()])
    path = f"/ipams/{IPAM_ID}/delete"
    assert browser.do(path, confirm="yes").status_code == 400
    assert [path for path, _ in edge.fakes.requests if path.endswith("/DeleteIpam")] != []
    assert all(
        request.dry_run for path, request in edge.fakes.requests if path.endswith("/DeleteIpam")
    )
    assert browser.do(path, confirm="delete", cascade="true").status_code == 303
    [*_, (_, request)] = edge.fakes.requests
    assert (request.ipam_id, request.cascade, request.dry_run) == (IPAM_ID, True, False)


def test_a_thing_that_is_gone_is_told_of(edge: Edge, browser: Browser) -> None:
    edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse(ipams=[an_ipam()])
    form = browser.get(f"/ipams/{IPAM_ID}/delete")
    edge.fakes.answers["DescribeIpams"] = pb.DescribeIpamsResponse()
    edge.fakes.requests.clear()
    answer = browser.client.post(
        f"{HERE}/ipams/{IPAM_ID}/delete",
        data={"csrf_token": hidden(form.text)["csrf_token"], "step": "do", "confirm": "delete"},
    )
    assert answer.status_code == 404
    assert "It may have been deleted meanwhile" in text_of(answer.text)
    assert [path for path, _ in edge.fakes.requests if path.endswith("/DeleteIpam")] == []
