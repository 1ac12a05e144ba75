"""Which protocol a request speaks. All of AWS's services share one endpoint here."""

from collections.abc import Mapping
from enum import Enum, auto

from services.gateway.answers import WireProtocol
from services.gateway.documents import cbor_notation
from services.gateway.documents.cbor_notation import CBOR
from services.gateway.documents.json_notation import JSON
from services.gateway.others import OtherDocumentService, OtherQueryService

_FORM = "application/x-www-form-urlencoded"
_JSON_MEDIA_TYPE = "application/x-amz-json-1.1"


class Writing(Enum):
    """What a request is written in."""

    CBOR = auto()
    FORM = auto()
    JSON = auto()

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> "Writing":
        """As good as it can be guessed."""
        content_type = headers.get("content-type", "")
        if (
            headers.get(cbor_notation.PROTOCOL_HEADER) == cbor_notation.PROTOCOL
            or content_type == cbor_notation.MEDIA_TYPE
        ):
            return cls.CBOR
        return cls.FORM if content_type.startswith(_FORM) else cls.JSON


class Protocols:
    """The protocols of AWS's services, by the service a request is signed for."""

    def __init__(
        self,
        by_service: Mapping[str, WireProtocol | Mapping[Writing, WireProtocol]],
        of_forms: WireProtocol,
    ) -> None:
        """A service may have one for each writing. ``of_forms`` answers unsigned forms."""
        self._by_service, self._of_forms = by_service, of_forms

    def of(self, service: str, headers: Mapping[str, str]) -> WireProtocol:
        """The protocol to answer in; ``service`` may be empty."""
        writing = Writing.of(headers)
        found = self._by_service.get(service)
        if isinstance(found, Mapping):
            return found[writing]
        return found or self._of_another(service, writing)

    def _of_another(self, service: str, writing: Writing) -> WireProtocol:
        if writing is Writing.CBOR:
            return OtherDocumentService(service, cbor_notation.MEDIA_TYPE, CBOR)
        if writing is Writing.JSON:
            return OtherDocumentService(service, _JSON_MEDIA_TYPE, JSON)
        return OtherQueryService(service) if service else self._of_forms
