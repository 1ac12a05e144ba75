"""JSON requests at the edge: whatever a client sends, it is told what was wrong with it."""

import json
from typing import Any

import pytest

from cadastre.common.v1 import types_pb2 as common
from cadastre.control.organizations.v1 import organizations_service_pb2 as organizations
from cadastre.control.sharing.v1 import sharing_service_pb2 as sharing
from services.gateway.documents.json_notation import parse_document
from services.gateway.structures import MAX_LIST_LENGTH
from tests.gateway.edge import Edge

SHARING = "/cadastre.control.sharing.v1.SharingService"
ORGANIZATIONS = "/cadastre.control.organizations.v1.OrganizationsService"


@pytest.mark.parametrize(
    ("service", "operation", "document", "request_"),
    [
        pytest.param(
            "organizations",
            "ListRoots",
            '{"MaxResults": 5}',
            organizations.ListRootsRequest(max_results=5),
            id="a number",
        ),
        pytest.param(
            "organizations", "ListRoots", "{}", organizations.ListRootsRequest(), id="nothing"
        ),
        pytest.param(
            "organizations", "ListRoots", "", organizations.ListRootsRequest(), id="no document"
        ),
        pytest.param(
            "organizations",
            "DescribeOrganization",
            "{}",
            organizations.DescribeOrganizationRequest(),
            id="an operation that takes nothing",
        ),
        pytest.param(
            "ram",
            "CreateResourceShare",
            '{"name": "", "allowExternalPrincipals": false, "tags": [{"key": "k", "value": "\\ud83d'
            '\\ude00"}, {"key": "\uac00"}]}',
            sharing.CreateResourceShareRequest(
                name="",
                allow_external_principals=False,
                tags=[common.Tag(key="k", value="\U0001f600"), common.Tag(key="\uac00")],
            ),
            id="empty and false are values, and text is text however it is written",
        ),
        pytest.param(
            "ram",
            "CreateResourceShare",
            '{"name": null, "principals": [], "tags": null}',
            sharing.CreateResourceShareRequest(),
            id="null is absent",
        ),
    ],
)
def test_a_document_becomes_a_message(
    service: str, operation: str, document: str, request_: Any, edge: Edge
) -> None:
    edge.operate(service, operation, document.encode())
    assert [request for _, request in edge.fakes.requests] == [request_]


SERIALIZATION = "SerializationException"


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ("{", SERIALIZATION, "no JSON"),
        ("[]", SERIALIZATION, "must be a JSON object"),
        ("null", SERIALIZATION, "must be a JSON object"),
        ('"x"', SERIALIZATION, "must be a JSON object"),
        ('{"name": "a"} {}', SERIALIZATION, "no JSON"),
        ("{'name': 'a'}", SERIALIZATION, "no JSON"),
        ('{"name": NaN}', SERIALIZATION, "no JSON"),
        (b'{"name": "\xff"}', SERIALIZATION, "no JSON"),
        ('{"name": "a"}'.encode("utf-16"), SERIALIZATION, "no JSON"),
        ("\ufeff{}", SERIALIZATION, "no JSON"),
        ("[" * 500_000, SERIALIZATION, "no JSON"),
        ('{"tags": ' + "9" * 10_000 + "}", SERIALIZATION, "no JSON"),
        ('{"name": "a", "name": "a"}', SERIALIZATION, "same member twice"),
        ('{"tags": [{"key": "a", "key": "b"}]}', SERIALIZATION, "same member twice"),
        ('{"name": 5}', SERIALIZATION, "name must be a string"),
        ('{"allowExternalPrincipals": "true"}', SERIALIZATION, "must be true or false"),
        ('{"allowExternalPrincipals": 1}', SERIALIZATION, "must be true or false"),
        ('{"principals": "123456789012"}', SERIALIZATION, "principals must be a list"),
        ('{"principals": [123456789012]}', SERIALIZATION, "principals[0] must be a string"),
        ('{"tags": {"key": "a"}}', SERIALIZATION, "tags must be a list"),
        ('{"tags": [{"key": "a"}, "b"]}', SERIALIZATION, "tags[1] must be an object"),
        ('{"Name": "a"}', "InvalidParameterException", "Name is not recognized"),
        ('{"": "a"}', "InvalidParameterException", "is not recognized"),
        ('{"colour": "a"}', "InvalidParameterException", "colour is not recognized"),
        ('{"colour\\ud800": 1}', "InvalidParameterException", "is not recognized"),
        ('{"tags": [{"Key": "a"}]}', "InvalidParameterException", "tags[0].Key is not recognized"),
        ('{"name": "a\\u0000"}', "InvalidParameterException", "no control characters"),
        ('{"name": "\\ud800"}', "InvalidParameterException", "no control characters"),
        ('{"sources": []}', "UnsupportedOperation", "sources is not supported here"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_document_is_refused_and_goes_nowhere(
    document: str | bytes, code: str, message: str, edge: Edge
) -> None:
    sent = document.encode() if isinstance(document, str) else document
    answer = edge.operate("ram", "CreateResourceShare", sent)
    assert answer.status_code == 400
    assert answer.json()["__type"] == answer.headers["x-amzn-errortype"] == code
    assert message.replace("no JSON", "is not a JSON document") in answer.json()["message"]
    assert edge.fakes.requests == []


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ('{"MaxResults": "5"}', SERIALIZATION, "must be a whole number"),
        ('{"MaxResults": 5.0}', SERIALIZATION, "must be a whole number"),
        ('{"MaxResults": true}', SERIALIZATION, "must be a whole number"),
        ('{"MaxResults": 2147483648}', "InvalidInputException", "at most 32 bits"),
        ('{"Filter": "SCP"}', "InvalidInputException", "Use one of SERVICE_CONTROL_POLICY, "),
        ('{"filter": "TAG_POLICY"}', "InvalidInputException", "filter is not recognized"),
    ],
)
def test_organizations_has_codes_of_its_own(
    document: str, code: str, message: str, edge: Edge
) -> None:
    answer = edge.operate("organizations", "ListPolicies", document)
    assert answer.status_code == 400
    told = answer.json()
    assert told["__type"] == answer.headers["x-amzn-errortype"] == code
    assert message in told.get("Message", told.get("message"))
    assert edge.fakes.requests == []


def test_lists_are_bounded(edge: Edge) -> None:
    longest = ["1"] * MAX_LIST_LENGTH
    edge.operate("ram", "CreateResourceShare", json.dumps({"principals": longest}))
    assert [list(request.principals) for _, request in edge.fakes.requests] == [longest]
    longer = edge.operate("ram", "CreateResourceShare", json.dumps({"principals": [*longest, "1"]}))
    assert "has 1001 entries; at most 1000 are allowed" in longer.json()["message"]


@pytest.mark.parametrize("query", ["", "resourceShareArn=arn%3Aaws%3Aram&clientToken=a+b%2B%2F"])
def test_a_query_string_is_read_where_the_operation_has_one(query: str, edge: Edge) -> None:
    answer = delete(edge, query)
    assert answer.status_code == 200
    expected = sharing.DeleteResourceShareRequest()
    if query:
        expected.resource_share_arn, expected.client_token = "arn:aws:ram", "a b+/"
    assert edge.fakes.requests == [(f"{SHARING}/DeleteResourceShare", expected)]


@pytest.mark.parametrize(
    ("query", "body", "message"),
    [
        ("colour=red", "", "colour is not recognized"),
        ("clientToken=a&clientToken=a", "", "clientToken is given more than once"),
        ("clientToken=%FF", "", "not form data in UTF-8"),
        ("clientToken=%00", "", "control characters"),
        ("", '{"clientToken": "a"}', "clientToken is not recognized"),
    ],
)
def test_a_wrong_query_string_is_refused(query: str, body: str, message: str, edge: Edge) -> None:
    answer = delete(edge, query, body)
    assert answer.status_code == 400
    assert answer.json()["__type"] == "InvalidParameterException"
    assert message in answer.json()["message"]
    assert edge.fakes.requests == []


def test_a_member_of_the_body_is_none_of_the_query_string(edge: Edge) -> None:
    answer = edge.post("{}", service="ram", path="/createresourceshare?name=a")
    assert answer.json()["message"] == "The parameter name is not recognized"


def delete(edge: Edge, query: str, body: str = "") -> Any:
    path = f"/deleteresourceshare?{query}" if query else "/deleteresourceshare"
    return edge.post(body, service="ram", path=path, method="DELETE")


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "/", "UnknownOperationException"),
        ("POST", "/createresourceshares", "UnknownOperationException"),
        ("POST", "/createresourceshare/", "UnknownOperationException"),
        ("POST", "/CreateResourceShare", "UnknownOperationException"),
        ("POST", "/deleteresourceshare", "UnknownOperationException"),
        ("DELETE", "/createresourceshare", "UnknownOperationException"),
        ("DELETE", "/tags/arn%3Aaws%3Aram%3Aus-east-1", "UnknownOperationException"),
        ("POST", "/%EA%B0%80%2F", "UnknownOperationException"),
        ("POST", "/createpermission", "UnsupportedOperation"),
        ("DELETE", "/deletepermission?permissionArn=x", "UnsupportedOperation"),
    ],
)
def test_an_address_without_operation_is_refused(
    method: str, path: str, code: str, edge: Edge
) -> None:
    answer = edge.post("{}", service="ram", path=path, method=method)
    assert (answer.status_code, answer.json()["__type"]) == (400, code)
    assert edge.fakes.requests == []


@pytest.mark.parametrize(
    ("target", "code", "message"),
    [
        (None, "UnknownOperationException", "AWSOrganizationsV20161128.AcceptHandshake"),
        ("", "UnknownOperationException", "''"),
        ("ListRoots", "UnknownOperationException", "'ListRoots'"),
        ("AWSOrganizationsV20161128.Fly", "UnknownOperationException", ".Fly'"),
        ("AWSOrganizationsV20161128.listRoots", "UnknownOperationException", ".listRoots'"),
        ("AWSOrganizationsV20161129.ListRoots", "UnknownOperationException", "29.ListRoots'"),
        (
            "AWSOrganizationsV20161128.CloseAccount",
            "UnsupportedOperation",
            "The operation CloseAccount is not available in this installation",
        ),
    ],
)
def test_a_target_without_operation_is_refused(
    target: str | None, code: str, message: str, edge: Edge
) -> None:
    headers = {} if target is None else {"X-Amz-Target": target}
    answer = edge.post("{}", service="organizations", headers=headers)
    assert (answer.status_code, answer.json()["__type"]) == (400, code)
    assert message in answer.json()["message"]
    assert edge.fakes.requests == []


def test_requests_are_counted_by_finitely_many_operations(edge: Edge) -> None:
    edge.operate("organizations", "ListParents", "{}")
    edge.operate("organizations", "EnableAllFeatures", "{}")
    edge.operate("organizations", "MadeUpForThisTest", "{}")
    edge.operate("ram", "MadeUpForThisTest", "{}")
    metrics = edge.get("/metrics").text.lower()
    counted = "cadastre_gateway_requests_total"
    assert f'{counted}{{action="listparents",status="200"}} 1.0' in metrics
    assert f'{counted}{{action="enableallfeatures",status="400"}} 1.0' in metrics
    assert "madeupforthistest" not in metrics


def test_a_document_is_an_object_or_nothing() -> None:
    assert parse_document(b"") == {}
    assert parse_document(b' {"a": [1, null]} ') == {"a": [1, None]}
