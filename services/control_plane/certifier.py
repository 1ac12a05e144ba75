"""Talking with a registry about what it certifies for an association."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from services.control_plane.delegated_rpki import keys as rpki_keys
from services.control_plane.delegated_rpki.authority import Authority, Place, certificate_request
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.errors import (
    CertificateNotUsable,
    MessageMalformed,
    MessageNotTrusted,
    ParentResponseRefused,
    RefusedByParent,
)
from services.control_plane.delegated_rpki.out_of_band import ParentContact
from services.control_plane.delegated_rpki.up_down import IssuedCertificate, ResourceClass
from services.control_plane.internet_registries.authorities import (
    KeptAuthority,
    certificate_of,
    may_stay,
    without_key,
)
from services.control_plane.registries.up_down import ParentUnreachable, UpDownClient
from services.control_plane.service.internet_registries import secrets
from services.control_plane.service.internet_registries.settling import Certification, Held
from shared.encryption_keys import EncryptionKeys

PARENT_FAILURES = (
    ParentUnreachable,
    RefusedByParent,
    MessageNotTrusted,
    ParentResponseRefused,
)
"""What a conversation fails by; all but the first two don't pass by themselves."""


_MOST_CHARACTERS = 500
"""Of what a registry says that an account is told."""
_MOST_CHARACTERS_OF_CLASS = 255
_NOTHING_TO_REVOKE = {1301, 1302}
"""The parent has no such resource class, or no certificate of the key in it."""


def may_pass(failure: Exception) -> bool:
    """The same conversation may succeed later."""
    if isinstance(failure, RefusedByParent):
        return failure.may_pass
    return isinstance(failure, ParentUnreachable)


def reason_of(failure: Exception) -> str:
    """What an account is told of a failure, and what would help."""
    match failure:
        case ParentUnreachable() | ParentResponseRefused():
            return failure.message
        case MessageNotTrusted():
            return (
                f"the registry's answer can't be trusted: {failure}; compare the parent response"
                " with what the registry shows now"
            )
        case CertificateNotUsable():
            return f"the registry issued a certificate that can't be used: {failure}; ask it why"
        case _:
            said = str(failure)
            shown = said if len(said) <= _MOST_CHARACTERS else f"{said[:_MOST_CHARACTERS]}…"
            return f"{shown}; ask the registry whether it knows the child request"


@dataclass(frozen=True, slots=True)
class Publishing:
    """Where the authorities of this installation publish."""

    repository_uri: str
    notification_uri: str | None

    def place_of(self, association_id: str, key_identifier: bytes) -> Place:
        """Each key's objects are in a directory of their own (RFC 6481)."""
        return Place(
            f"{self.repository_uri}{association_id}/{key_identifier.hex()}/", self.notification_uri
        )


class Certifier:
    """Opens conversations."""

    def __init__(
        self,
        client: UpDownClient,
        keys: EncryptionKeys,
        publishing: Publishing,
        clock: Callable[[], datetime],
    ) -> None:
        self._client, self._keys = client, keys
        self._publishing, self._clock = publishing, clock

    def about(self, held: Held) -> "Conversation | None":
        """A conversation about an association; None: nobody knows yet whom to speak to."""
        parent = held.delegation.parent
        if parent is None:
            return None
        return Conversation(
            self._client, self._keys, self._publishing, self._clock, held=held, parent=parent
        )


class Conversation:
    """One after another, questions to one parent. Each raises:

    ParentUnreachable, RefusedByParent, MessageNotTrusted, ParentResponseRefused: see
        `UpDownClient`.
    """

    def __init__(
        self,
        client: UpDownClient,
        keys: EncryptionKeys,
        publishing: Publishing,
        clock: Callable[[], datetime],
        *,
        held: Held,
        parent: ParentContact,
    ) -> None:
        self._client, self._keys = client, keys
        self._publishing, self._clock = publishing, clock
        self._held, self._parent = held, parent
        self._identity = secrets.identity_of(held.delegation, keys)
        self._heard_at = held.delegation.heard_at

    async def look(self) -> Sequence[ResourceClass]:
        """What the parent certifies, or would certify."""
        listed = await self._client.list_classes(*self._ends, self._heard_at)
        if any(len(one.class_name) > _MOST_CHARACTERS_OF_CLASS for one in listed.classes):
            raise MessageMalformed(
                f"it names a resource class by more than {_MOST_CHARACTERS_OF_CLASS} characters"
            )
        self._heard_at = listed.signed_at
        return listed.classes

    async def new_keys(self, listed: Sequence[ResourceClass]) -> Mapping[str, bytes]:
        """Keys for the resource classes that have none, encrypted; to be kept before they are used.

        Otherwise a crash would leave certificates of keys that nobody has.
        """
        missing = without_key(listed, self._held.keys)
        return {name: await asyncio.to_thread(self._new_key, name) for name in missing}

    def go_on_with(self, held: Held) -> None:
        """Speak of the same association as it is now, with the keys that were kept meanwhile."""
        self._held = held

    async def certify(self, listed: Sequence[ResourceClass]) -> Certification:
        """Have all certified that the parent would certify, as far as there are keys.

        What it refuses of one resource class keeps no other from being certified.
        """
        authorities: dict[str, KeptAuthority | None] = {}
        failures: list[Exception] = []
        for one in listed:
            if one.class_name in self._held.keys:
                authorities[one.class_name], failure = await self._certified(one)
                failures += [failure] if failure else []
        return Certification(
            heard_at=self._heard_at or self._clock(),
            authorities=authorities,
            failures=[reason_of(failure) for failure in failures],
            failures_may_pass=any(map(may_pass, failures)),
        )

    async def revoke(self) -> None:
        """Have the parent revoke whatever it has issued; what it doesn't know is none."""
        for class_name in self._held.keys:
            key = await asyncio.to_thread(self._key_of, class_name)
            identifier = rpki_keys.key_identifier(key)
            try:
                self._heard_at = await self._client.revoke(
                    *self._ends, class_name, identifier, self._heard_at
                )
            except RefusedByParent as refusal:
                if refusal.code not in _NOTHING_TO_REVOKE:
                    raise

    async def _certified(self, one: ResourceClass) -> tuple[KeptAuthority | None, Exception | None]:
        """The authority of a resource class, and why it is not as the parent would have it."""
        key = await asyncio.to_thread(self._key_of, one.class_name)
        place = self._publishing.place_of(self._association_id, rpki_keys.key_identifier(key))
        standing = await asyncio.to_thread(self._standing, one, key, place)
        if standing and may_stay(standing, place, one, self._clock()):
            return standing, None
        try:
            return await self._issued(one, key, place), None
        except (RefusedByParent, CertificateNotUsable) as failure:
            return standing, failure

    def _standing(self, one: ResourceClass, key: bytes, place: Place) -> KeptAuthority | None:
        """The authority by the certificate that the parent lists, where it was to publish then."""
        listed = certificate_of(rpki_keys.key_identifier(key), one)
        known = self._held.authorities.get(one.class_name)
        for candidate in (place, known.place) if known else (place,):
            if listed:
                with suppress(CertificateNotUsable):
                    return self._checked(one, listed, key, candidate)
        return None

    async def _issued(self, one: ResourceClass, key: bytes, place: Place) -> KeptAuthority:
        request = await asyncio.to_thread(certificate_request, key, place)
        answer = await self._client.issue(*self._ends, one.class_name, request, self._heard_at)
        self._heard_at = answer.signed_at
        [issued] = answer.resource_class.certificates
        return await asyncio.to_thread(self._checked, answer.resource_class, issued, key, place)

    def _checked(
        self, one: ResourceClass, issued: IssuedCertificate, key: bytes, place: Place
    ) -> KeptAuthority:
        """The authority by a certificate.

        Raises:
            CertificateNotUsable: it is not for the key and the place, or not the parent's.
        """
        authority = Authority(key, issued.certificate, issued.rsync_url, place)
        authority.check(one.issuer, self._clock())
        encrypted = self._held.keys[one.class_name]
        return KeptAuthority(encrypted, issued.certificate, issued.rsync_url, place)

    def _new_key(self, class_name: str) -> bytes:
        key = rpki_keys.new_key()
        return secrets.encrypted_key(self._association_id, class_name, key, self._keys)

    def _key_of(self, class_name: str) -> bytes:
        encrypted = self._held.keys[class_name]
        return secrets.key_of(self._association_id, class_name, encrypted, self._keys)

    @property
    def _association_id(self) -> str:
        return self._held.association.ipam_internet_registry_association_id

    @property
    def _ends(self) -> tuple[str, ParentContact, BpkiIdentity]:
        """Who speaks to whom."""
        return self._held.association.rir, self._parent, self._identity
