"""All that an authority publishes at a time: ROAs, a CRL and a manifest."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509

from services.control_plane.delegated_rpki import manifest, roa
from services.control_plane.delegated_rpki.authority import Authority, crl_name, manifest_name
from services.control_plane.delegated_rpki.clock_skew import CLOCK_SKEW
from services.control_plane.delegated_rpki.crl import signed_crl
from services.control_plane.delegated_rpki.errors import RoasNotCovered
from services.control_plane.delegated_rpki.keys import KeyMaker, new_rsa_key
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.roa import Roa
from services.control_plane.delegated_rpki.signed_object import Unsigned, signed_object

__all__ = ["Publication", "Roa", "SignedRoa", "publish", "renew_at"]

ROAS_COUNT_FOR = timedelta(days=365)
"""Signing takes time and makes validators fetch: seldom, then."""
ROAS_RENEWED_BEFORE = timedelta(weeks=4)
"""Time for people to mend what keeps from renewing them."""
PUBLICATIONS_COUNT_FOR = timedelta(hours=24)
"""How long what is revoked or added can be withheld from a validator unseen."""
PUBLICATIONS_RENEWED_BEFORE = timedelta(hours=8)
"""Two thirds of the time go by first; in the last third an outage is survived."""

_SERIAL_BITS = 63
_A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class SignedRoa:
    """A ROA as it is published."""

    file_name: str
    serial: int
    """Of its certificate; fits into 63 bits."""
    not_before: datetime
    not_after: datetime
    der: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """All that has to be kept to publish the next one."""

    signed_for: str
    """What of the authority the objects tell: see `Authority.mark`."""
    number: int
    """Of the manifest and the CRL; grows with each publication, and fits into 63 bits."""
    roas: Mapping[Roa, SignedRoa]
    revoked: Mapping[int, tuple[datetime, datetime]]
    """Serial numbers of certificates that don't count any more: since when, and their end."""
    manifest_serial: int
    """Of the manifest's certificate."""
    manifest_name: str
    manifest: bytes = field(repr=False)
    crl_name: str
    crl: bytes = field(repr=False)
    this_update: datetime
    next_update: datetime
    """The end of manifest and CRL: afterwards nothing counts of what is published."""

    @property
    def objects(self) -> Mapping[str, bytes]:
        """What is to be at the place, and nothing else, by file name."""
        return {
            self.manifest_name: self.manifest,
            self.crl_name: self.crl,
            **{signed.file_name: signed.der for signed in self.roas.values()},
        }


def publish(
    authority: Authority,
    wanted: Collection[Roa],
    before: Publication | None,
    now: datetime,
    *,
    make_key: KeyMaker = new_rsa_key,
) -> Publication:
    """What is to be published after ``before``: exactly the ROAs that are wanted.

    Those that are there stay as they are until they are due for renewal; those that go, or are
    replaced, are revoked. Manifest and CRL are always new. After a change of what ROAs tell of the
    authority (`Authority.mark`) all are signed anew.

    Costs 60 ms for each ROA that is to be signed, 6 s for a hundred, nearly all of it for its key,
    and 70 ms besides: for a thread, while others run.

    Raises:
        RoasNotCovered: some are not the authority's to sign.
    """
    _check_covered(wanted, authority.resources)
    now = now.replace(microsecond=0)
    if before and before.manifest_name != manifest_name(authority.key_identifier):
        # Another key's certificates are none of this one's to revoke.
        before = None
    serials = _new_serials(before)
    kept = _kept(authority, frozenset(wanted), before, now)
    added = {
        wish: _signed(wish, authority, next(serials), now, make_key)
        for wish in sorted(frozenset(wanted) - kept.keys())
    }
    return _issued(authority, {**kept, **added}, before, next(serials), now, make_key)


def renew_at(publication: Publication, authority: Authority) -> datetime:
    """When the next one is due at the latest, though nothing else be wanted.

    It is due already when it is another authority's, or has ROAs for what is not covered any more.
    """
    if publication.signed_for != authority.mark or not all(
        authority.resources.covers(wish.cidr) for wish in publication.roas
    ):
        return publication.this_update
    ends = [signed.not_after - ROAS_RENEWED_BEFORE for signed in publication.roas.values()]
    return min([publication.next_update - PUBLICATIONS_RENEWED_BEFORE, *ends])


def _check_covered(wanted: Collection[Roa], resources: Resources) -> None:
    missing = sorted({wish.cidr for wish in wanted if not resources.covers(wish.cidr)})
    if missing:
        raise RoasNotCovered(missing)


def _kept(
    authority: Authority, wanted: Collection[Roa], before: Publication | None, now: datetime
) -> dict[Roa, SignedRoa]:
    if before is None or before.signed_for != authority.mark:
        return {}
    return {
        wish: signed
        for wish, signed in before.roas.items()
        if wish in wanted and now < signed.not_after - ROAS_RENEWED_BEFORE
    }


def _signed(
    wish: Roa, authority: Authority, serial: int, now: datetime, make_key: KeyMaker
) -> SignedRoa:
    unsigned = Unsigned(
        content_type=roa.CONTENT_TYPE,
        content=wish.content,
        file_name=wish.file_name,
        serial=serial,
        resources=Resources.of([wish.cidr]),
        not_before=now - CLOCK_SKEW,
        not_after=now + ROAS_COUNT_FOR,
    )
    der = signed_object(unsigned, authority, now, make_key)
    return SignedRoa(wish.file_name, serial, unsigned.not_before, unsigned.not_after, der)


def _issued(
    authority: Authority,
    roas: Mapping[Roa, SignedRoa],
    before: Publication | None,
    serial: int,
    now: datetime,
    make_key: KeyMaker,
) -> Publication:
    revoked = _revoked(before, {signed.serial for signed in roas.values()}, now)
    number, this_update = _next(before, now)
    next_update = now + PUBLICATIONS_COUNT_FOR
    since = {number: moment for number, (moment, _) in revoked.items()}
    crl = signed_crl(authority, number, this_update, next_update, since)
    crl_file = crl_name(authority.key_identifier)
    files = {crl_file: crl, **{signed.file_name: signed.der for signed in roas.values()}}
    unsigned = Unsigned(
        content_type=manifest.CONTENT_TYPE,
        content=manifest.manifest_content(number, this_update, next_update, files),
        file_name=manifest_name(authority.key_identifier),
        serial=serial,
        resources=None,
        not_before=this_update,
        not_after=next_update,
    )
    return Publication(
        signed_for=authority.mark,
        number=number,
        roas=roas,
        revoked=revoked,
        manifest_serial=serial,
        manifest_name=unsigned.file_name,
        manifest=signed_object(unsigned, authority, now, make_key),
        crl_name=crl_file,
        crl=crl,
        this_update=this_update,
        next_update=next_update,
    )


def _revoked(
    before: Publication | None, in_use: Collection[int], now: datetime
) -> dict[int, tuple[datetime, datetime]]:
    """What doesn't count any more, as long as it would count otherwise."""
    if before is None:
        return {}
    gone = {
        signed.serial: (now, signed.not_after)
        for signed in before.roas.values()
        if signed.serial not in in_use
    }
    # The manifest before must not be shown in place of this one (RFC 9286, section 5.1).
    gone[before.manifest_serial] = (now, before.next_update)
    return {
        serial: (since, end)
        for serial, (since, end) in {**gone, **before.revoked}.items()
        if end > now
    }


def _next(before: Publication | None, now: datetime) -> tuple[int, datetime]:
    """A number and a moment, each after the one before (RFC 9286, section 4.2.1)."""
    # Of the time, for validators don't go back to lower ones when a database has been.
    number, this_update = int(now.timestamp()), now - CLOCK_SKEW
    if before is None:
        return number, this_update
    return max(number, before.number + 1), max(this_update, before.this_update + _A_SECOND)


def _new_serials(before: Publication | None) -> Iterator[int]:
    """Numbers that no certificate of the authority's has."""
    taken = set(_serials_of(before)) if before else set()
    while True:
        serial = x509.random_serial_number() % (1 << _SERIAL_BITS)
        if serial and serial not in taken:
            taken.add(serial)
            yield serial


def _serials_of(publication: Publication) -> Iterable[int]:
    yield publication.manifest_serial
    yield from publication.revoked
    yield from (signed.serial for signed in publication.roas.values())
