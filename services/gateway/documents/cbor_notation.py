"""Documents in CBOR, as far as Smithy's RPC v2 has it: its only tag is 1, which marks times."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from cbor2 import CBORDecodeError, CBORDecoder, CBORTag, dumps
from google.protobuf.timestamp_pb2 import Timestamp

from services.gateway.documents.notation import Notation, Scalar
from services.gateway.errors import Unserializable
from services.gateway.values import seconds_to_timestamp, to_float

MEDIA_TYPE = "application/cbor"
PROTOCOL_HEADER, PROTOCOL = "smithy-protocol", "rpc-v2-cbor"

# No request of AWS's models comes near it.
_MAX_DEPTH = 32
_TIME_TAG = 1

_Decode: TypeAlias = Callable[[Any, bool], Any]


@dataclass(frozen=True, slots=True)
class SecondsSince1970:
    """What a time is in a document that was read."""

    seconds: float

    def __str__(self) -> str:
        return str(self.seconds)


def parse_document(body: bytes) -> dict[str, Any]:
    """The members of the map in ``body``; nothing at all is a map without members.

    Raises:
        Unserializable: no CBOR, more than one item, nested too deeply, no map, a member that is
            given twice, or a tag other than that of times.
    """
    if not body:
        return {}
    stream = io.BytesIO(body)
    decoder = CBORDecoder(
        stream,
        max_depth=_MAX_DEPTH,
        semantic_decoders=_TAGS,
        allow_duplicate_keys=False,
        strict_hashable_types=True,
    )
    try:
        document = decoder.decode()
    except CBORDecodeError as error:
        raise Unserializable(f"The request body is not a CBOR document: {error}") from None
    if stream.tell() < len(body):
        raise Unserializable("The request body has more than one CBOR item")
    if not isinstance(document, dict):
        raise Unserializable("The request body must be a CBOR map")
    return document


class _Tags(dict[int, _Decode]):
    """Without it, a few bytes of references could stand for more than memory holds."""

    def __missing__(self, tag: int) -> _Decode:
        raise ValueError(tag)


def _time(seconds: Any, immutable: bool) -> SecondsSince1970:  # noqa: ARG001 the decoder's
    if type(seconds) not in (int, float):
        raise ValueError(seconds)
    return SecondsSince1970(seconds)


_TAGS = _Tags({_TIME_TAG: _time})


def _to_timestamp(time: SecondsSince1970) -> datetime:
    return seconds_to_timestamp(time.seconds)


def _render_double(value: float) -> float:
    return value


def _render_timestamp(value: Timestamp) -> CBORTag:
    """To the millisecond."""
    return CBORTag(_TIME_TAG, value.ToMilliseconds() / 1000)


CBOR = Notation(
    parse=parse_document,
    write=dumps,
    double=Scalar("a number", (int, float), to_float),
    timestamp=Scalar("a time, which has tag 1", (SecondsSince1970,), _to_timestamp),
    render_double=_render_double,
    render_timestamp=_render_timestamp,
    headers={PROTOCOL_HEADER: PROTOCOL},
    has_full_error_types=True,
)
