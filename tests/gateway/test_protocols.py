"""Which protocol a request speaks, by its head."""

import pytest
from starlette.datastructures import Headers

from services.gateway.protocols import Writing

FORM, JSON = "application/x-www-form-urlencoded", "application/x-amz-json-1.0"
CBOR = "application/cbor"


@pytest.mark.parametrize(
    ("headers", "writing"),
    [
        ({"Content-Type": FORM}, Writing.FORM),
        ({"Content-Type": f"{FORM}; charset=utf-8"}, Writing.FORM),
        ({"Content-Type": JSON, "X-Amz-Target": "A.B"}, Writing.JSON),
        ({"Content-Type": CBOR}, Writing.CBOR),
        ({"Content-Type": CBOR, "Smithy-Protocol": "rpc-v2-cbor"}, Writing.CBOR),
        # What has no body has no type of it.
        ({"Smithy-Protocol": "rpc-v2-cbor"}, Writing.CBOR),
        ({"Content-Type": JSON, "Smithy-Protocol": "rpc-v3"}, Writing.JSON),
        ({}, Writing.JSON),
    ],
    ids=str,
)
def test_the_head_says_what_a_request_is_written_in(
    headers: dict[str, str], writing: Writing
) -> None:
    assert Writing.of(Headers(headers)) is writing
