"""Maps, and doubles that have no digits: in answers of every protocol, and in no request."""

from math import inf, isnan, nan
from typing import Any

import cbor2
import pytest
from google.protobuf.message_factory import GetMessageClass

from services.gateway.contract import ContractMismatch
from services.gateway.documents.cbor_notation import CBOR
from services.gateway.documents.json_notation import JSON
from services.gateway.documents.notation import Notation
from services.gateway.documents.requests import RequestReader
from services.gateway.documents.responses import structure_renderer as document_renderer
from services.gateway.ec2 import requests as ec2
from services.gateway.ec2.responses import structure_renderer as xml_renderer
from services.gateway.query import requests as query
from tests.gateway.shapes import message_with, shape_of

RATIOS, MAP = shape_of("Ratios"), message_with("map double")
DOUBLE, NUMBER = shape_of("Double"), message_with("optional double")


def ratios(**values: float) -> Any:
    return GetMessageClass(MAP)(the_member=values)


@pytest.mark.parametrize("notation", [JSON, CBOR], ids=["JSON", "CBOR"])
def test_a_map_goes_out_in_a_document(notation: Notation) -> None:
    render = document_renderer(RATIOS, MAP, notation)
    assert render(ratios(p99=0.5)) == {"TheMember": {"p99": 0.5}}
    assert render(ratios()) == {}


def test_a_map_goes_out_in_xml() -> None:
    render = xml_renderer(RATIOS, MAP)
    assert render(ratios(**{"<": 0.5})) == (
        "<TheMember><entry><key>&lt;</key><value>0.5</value></entry></TheMember>"
    )
    assert render(ratios()) == ""


@pytest.mark.parametrize("field", ["map int32", "repeated double", "repeated Inner"])
def test_a_field_that_cannot_carry_a_map_is_found_at_the_start(field: str) -> None:
    for put_together in (document_renderer, xml_renderer):
        with pytest.raises(ContractMismatch, match="must be able to carry a map of double"):
            put_together(RATIOS, message_with(field))


def test_a_map_is_no_list() -> None:
    with pytest.raises(ContractMismatch, match="must be able to carry a list of structure"):
        xml_renderer(shape_of("InnerSet"), message_with("map string"))


@pytest.mark.parametrize(
    "put_together",
    [RequestReader.of, ec2.structure_reader, query.structure_reader],
    ids=["a document", "EC2's query", "a query"],
)
def test_a_map_in_a_request_is_found_at_the_start(put_together: Any) -> None:
    with pytest.raises(ContractMismatch, match="is a map, which no request can give"):
        put_together(RATIOS, MAP)


@pytest.mark.parametrize(
    ("value", "name"), [(nan, "NaN"), (inf, "Infinity"), (-inf, "-Infinity")], ids=str
)
def test_a_double_without_digits_is_named(value: float, name: str) -> None:
    message = GetMessageClass(NUMBER)(the_member=value)
    assert xml_renderer(DOUBLE, NUMBER)(message) == f"<TheMember>{name}</TheMember>"
    json = JSON.write(document_renderer(DOUBLE, NUMBER)(message))
    assert json == f'{{"TheMember": "{name}"}}'.encode()
    cbor = cbor2.loads(CBOR.write(document_renderer(DOUBLE, NUMBER, CBOR)(message)))
    assert isnan(cbor["TheMember"]) if isnan(value) else cbor["TheMember"] == value
