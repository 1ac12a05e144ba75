"""Which protocol a request speaks. All of AWS's services share one endpoint here."""

from collections.abc import Mapping

from services.gateway.answers import WireProtocol
from services.gateway.others import OtherJsonService, OtherQueryService

_FORM = "application/x-www-form-urlencoded"


class Protocols:
    """The protocols of AWS's services, by the service a request is signed for."""

    def __init__(self, by_service: Mapping[str, WireProtocol]) -> None:
        """``ec2`` must be there: it answers forms that don't say whom they are for."""
        self._by_service = by_service

    def of(self, service: str, content_type: str) -> WireProtocol:
        """The protocol to answer in, as good as it can be guessed: ``service`` may be empty."""
        if service in self._by_service:
            return self._by_service[service]
        if not content_type.startswith(_FORM):
            return OtherJsonService(service)
        return OtherQueryService(service) if service else self._by_service["ec2"]
