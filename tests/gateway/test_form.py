"""Form data of the Query protocols."""

import pytest

from services.gateway.form import MAX_PARAMETERS, parse_form
from shared.errors import InvalidParameterValue


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b"A=1&B=2", {"A": "1", "B": "2"}, id="two"),
        pytest.param(b"A=", {"A": ""}, id="an empty value"),
        pytest.param(b"A", {"A": ""}, id="no value at all"),
        pytest.param(b"A=a+b%2Bc%20d%26", {"A": "a b+c d&"}, id="escapes"),
        pytest.param(b"A=%EA%B0%80", {"A": "\uac00"}, id="UTF-8 in escapes"),
        pytest.param("A=\uac00".encode(), {"A": "\uac00"}, id="UTF-8 as it is"),
        pytest.param(b"A=%0D%0A%09", {"A": "\r\n\t"}, id="line ends and tabs"),
        pytest.param(b"A=x=y", {"A": "x=y"}, id="an equals sign in a value"),
    ],
)
def test_parameters_are_read(body: bytes, parameters: dict[str, str]) -> None:
    assert parse_form(body) == parameters


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"A=1&A=1", id="twice the same name"),
        pytest.param(b"A=\xff", id="not UTF-8"),
        pytest.param(b"A=%FF", id="not UTF-8 in an escape"),
        pytest.param(b"A=%00", id="NUL"),
        pytest.param(b"A=%1B", id="a control character"),
        pytest.param(b"A%01=1", id="a control character in a name"),
        pytest.param(b"A=%EF%BF%BF", id="no character at all"),
        pytest.param(b"&".join(b"A%d=" % i for i in range(MAX_PARAMETERS + 1)), id="too many"),
    ],
)
def test_what_no_parameter_can_be_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidParameterValue):
        parse_form(body)
