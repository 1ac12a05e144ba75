"""A child of the local registry, which asks it without HTTP."""

from datetime import UTC, datetime

from services.control_plane.delegated_rpki import up_down
from services.control_plane.delegated_rpki.authority import Authority, Place, certificate_request
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.cms import signed_message, verified_message
from services.control_plane.delegated_rpki.keys import KeyMaker
from services.control_plane.delegated_rpki.out_of_band import ParentContact, child_request_xml
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.up_down import ResourceClass
from tests.registries.internet_registry import InternetRegistry, ParentResponse

PLACE = Place("rsync://rpki.example.net/repo/child/all/")
HELD = Resources.parse(
    asns="64496-64511", ipv4="10.0.0.0/8,192.0.2.0-192.0.2.130", ipv6="2001:db8::/32"
)


def contact_of(response: ParentResponse, now: datetime | None = None) -> ParentContact:
    """What `EnableIpamInternetRegistryAssociation` makes of its members."""
    return ParentContact.of(
        rpki_version=response.rpki_version,
        service_uri=response.service_uri,
        child_handle=response.child_handle,
        parent_handle=response.parent_handle,
        parent_bpki_ta=response.parent_bpki_ta,
        now=now or datetime.now(UTC),
    )


class Child:
    """Holds `HELD`, as far as the registry is told nothing else."""

    def __init__(
        self, registry: InternetRegistry, identity: BpkiIdentity, make_key: KeyMaker
    ) -> None:
        self._registry, self._identity, self._make_key = registry, identity, make_key
        self.parent = contact_of(registry.admit(child_request_xml(identity, "child"), HELD))

    def entitle(self, resources: Resources) -> None:
        """The child may have these from now on."""
        self._registry.entitle(self.parent.child_handle, resources)

    def listed(self) -> tuple[ResourceClass, ...]:
        """What the child may have, and has."""
        return up_down.listed(self._ask(up_down.list_request(self.parent)), self.parent)

    def issued(self, key: bytes, place: Place = PLACE) -> tuple[ResourceClass, Authority]:
        """The class with the certificate of the key, and who has both."""
        request = up_down.issue_request(self.parent, "all", certificate_request(key, place))
        issued = up_down.issued(self._ask(request), self.parent, "all")
        (certificate,) = issued.certificates
        return issued, Authority(key, certificate.certificate, certificate.rsync_url, place)

    def certified(self, key: bytes) -> Authority:
        """Who has the key and its certificate."""
        issued, authority = self.issued(key)
        authority.check(issued.issuer, datetime.now(UTC))
        return authority

    def revoke(self, key_identifier: bytes) -> None:
        """Have all certificates of the key revoked."""
        answer = self._ask(up_down.revoke_request(self.parent, "all", key_identifier))
        up_down.check_revoked(answer, self.parent, "all", key_identifier)

    def _ask(self, request: bytes) -> bytes:
        now = datetime.now(UTC)
        message = signed_message(request, self._identity, now, make_key=self._make_key)
        answer = self._registry.answer(message)
        assert answer is not None
        status, body = answer
        assert status == 200, body
        return verified_message(body, self.parent.bpki_ta, now).xml
