"""Which protocol a request speaks. All of AWS's services share one endpoint here."""

from services.gateway.answers import WireProtocol
from services.gateway.others import OtherJsonService, OtherQueryService

_FORM = "application/x-www-form-urlencoded"


class Protocols:
    """The protocols of AWS's services, by the service a request is signed for."""

    def __init__(self, *, ec2: WireProtocol, sts: WireProtocol) -> None:
        self._ec2 = ec2
        self._by_service = {"ec2": ec2, "sts": sts}

    def of(self, service: str, content_type: str) -> WireProtocol:
        """The protocol to answer in, as good as it can be guessed: ``service`` may be empty."""
        if service in self._by_service:
            return self._by_service[service]
        if not content_type.startswith(_FORM):
            return OtherJsonService(service)
        return OtherQueryService(service) if service else self._ec2
