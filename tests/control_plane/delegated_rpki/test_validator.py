"""A real validator finds exactly what is meant, from the registry's trust anchor down."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from services.control_plane.delegated_rpki.keys import KeyMaker
from services.control_plane.delegated_rpki.publication import Publication, publish
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.roa import Roa
from shared.cidr import Cidr
from tests.control_plane.delegated_rpki.child import Child
from tests.registries.internet_registry import InternetRegistry
from tests.registries.rpki_validator import (
    Points,
    Validated,
    Vrp,
    judgement,
    needs_rpki_client,
    validate,
)

pytestmark = needs_rpki_client

VRPS: list[Vrp] = [
    ("10.1.0.0/16", 64496, 24),
    ("10.1.0.0/16", 16509, 16),
    ("10.2.128.0/17", 0, 17),
    ("192.0.2.130/32", 4_294_967_295, 32),
    ("2001:db8::/36", 64496, 48),
    ("2001:db8:8000::/33", 64497, 33),
]


def roas(vrps: list[Vrp]) -> list[Roa]:
    return [Roa(Cidr.parse(prefix), asn, length) for prefix, asn, length in vrps]


class Published:
    """What a child publishes, and what becomes of it."""

    def __init__(self, registry: InternetRegistry, child: Child, key: bytes) -> None:
        self.registry, self.child, self.key = registry, child, key
        self.authority = child.certified(key)
        self.last: Publication | None = None

    def publish(self, vrps: list[Vrp], at: datetime | None = None) -> Publication:
        # With a key for each object, as in earnest.
        now = at or datetime.now(UTC)
        self.last = publish(self.authority, roas(vrps), self.last, now)
        return self.last

    def validated(self, objects: Mapping[str, bytes] | None = None) -> Validated:
        return validate(self.registry, self._points(objects))

    def judgement(self, file_name: str, objects: Mapping[str, bytes] | None = None) -> str:
        uri = self.authority.place.uri_of(file_name)
        return judgement(self.registry, self._points(objects), uri)

    def _points(self, objects: Mapping[str, bytes] | None) -> Points:
        assert self.last
        objects = self.last.objects if objects is None else objects
        return {self.authority.place.repository_uri: objects}


@pytest.fixture
def published(registry: InternetRegistry, child: Child, key: bytes) -> Published:
    return Published(registry, child, key)


def test_all_roas_are_valid_and_say_what_is_meant(published: Published) -> None:
    published.publish(VRPS)
    found = published.validated()
    assert (found.vrps, found.roas, found.faults) == (frozenset(VRPS), 6, 0), found.said


def test_after_a_change_what_went_is_gone_and_the_rest_is_valid(published: Published) -> None:
    published.publish(VRPS[:3])
    changed: list[Vrp] = [("10.1.0.0/16", 64496, 20), *VRPS[1:2], *VRPS[4:5]]
    published.publish(changed)
    found = published.validated()
    assert (found.vrps, found.faults) == (frozenset(changed), 0), found.said


def test_without_roas_there_are_crl_and_manifest(published: Published) -> None:
    published.publish([])
    found = published.validated()
    assert (found.vrps, found.faults) == (frozenset(), 0), found.said
    assert published.last
    assert len(published.last.objects) == 2


def test_a_roa_that_is_revoked_can_not_be_put_back(published: Published) -> None:
    """Not even by who can change files and keeps the manifest from being asked for it."""
    before = published.publish(VRPS[:2])
    after = published.publish(VRPS[1:2])
    assert published.validated({**before.objects, **after.objects}).vrps == {VRPS[1]}
    mixed = {**before.objects, **after.objects, after.manifest_name: before.manifest}
    for name in (after.manifest_name, before.roas[roas(VRPS)[0]].file_name):
        assert "revoked" in published.judgement(name, mixed)
    assert published.judgement(after.roas[roas(VRPS)[1]].file_name, mixed) == "OK"


@pytest.mark.parametrize("what", ["roa", "crl", "mft"])
def test_changed_objects_are_seen_to_be(published: Published, what: str) -> None:
    """The validator does look: what it lets pass is no accident."""
    objects = dict(published.publish(VRPS[:1]).objects)
    names = {name.rpartition(".")[2]: name for name in objects}
    judged = names["roa" if what == "crl" else what]
    assert published.judgement(judged, objects) == "OK"
    changed = objects[names[what]]
    objects[names[what]] = changed[:-1] + bytes([changed[-1] ^ 1])
    assert published.judgement(judged, objects) != "OK"


def test_a_day_later_nothing_counts_that_was_not_published_again(published: Published) -> None:
    old = published.publish(VRPS[:1], at=datetime.now(UTC) - timedelta(hours=24, seconds=1))
    for name in (old.manifest_name, roas(VRPS)[0].file_name):
        assert "expired" in published.judgement(name)
    new = published.publish(VRPS[:1])
    assert new.roas == old.roas
    assert published.validated().vrps == {VRPS[0]}


def test_after_the_registry_withdrew_the_rest_is_valid(published: Published) -> None:
    published.publish(VRPS[:5:4])
    published.child.entitle(Resources.parse(ipv6="2001:db8::/32"))
    # What is for addresses that the certificate has no longer is not valid, whoever signed it.
    assert published.validated().vrps == {VRPS[4]}
    published.authority = published.child.certified(published.key)
    published.publish(VRPS[4:5])
    found = published.validated()
    assert (found.vrps, found.faults) == (frozenset(VRPS[4:5]), 0), found.said


def test_keys_can_be_rolled_over(
    published: Published, registry: InternetRegistry, other_key: bytes, make_key: KeyMaker
) -> None:
    """For a while both publish at the same place (RFC 6489); then the first one's are revoked."""
    old = published.publish(VRPS[:1])
    new_authority = published.child.certified(other_key)
    new = publish(new_authority, roas(VRPS[1:2]), None, datetime.now(UTC), make_key=make_key)
    both = {**old.objects, **new.objects}
    assert published.validated(both).vrps == {VRPS[0], VRPS[1]}
    published.child.revoke(published.authority.key_identifier)
    found = published.validated(both)
    assert (found.vrps, found.faults) == (frozenset(VRPS[1:2]), 0), found.said
