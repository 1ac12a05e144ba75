"""When another certificate is asked for (RFC 6492)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.control_plane.delegated_rpki.authority import Place, new_key
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.keys import KeyMaker, key_identifier
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.delegated_rpki.up_down import ResourceClass
from services.control_plane.internet_registries.authorities import (
    KeptAuthority,
    certificate_of,
    certified_by,
    may_stay,
    without_key,
)
from tests.control_plane.delegated_rpki.child import HELD, PLACE, Child
from tests.registries.internet_registry import InternetRegistry

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def certified(
    tmp_path_factory: pytest.TempPathFactory, make_key: KeyMaker
) -> tuple[bytes, KeptAuthority, ResourceClass]:
    """A key, its authority, and what the registry lists then; certificates last 365 days."""
    folder: Path = tmp_path_factory.mktemp("registry")
    with InternetRegistry(folder, make_key=make_key) as registry:
        child, key = Child(registry, BpkiIdentity.new("child", NOW), make_key), new_key()
        _, authority = child.issued(key)
        [listed] = child.listed()
    kept = KeptAuthority(b"", authority.certificate, authority.certificate_uri, PLACE)
    return key, kept, listed


@pytest.mark.parametrize(
    ("days_gone", "offered_until_day", "stays"),
    [(0, 365, True), (30, 395, True), (40, 405, False), (40, 365, True), (0, 300, False),
     (366, 731, False), (366, 365, False)],
    ids=["new", "a-month-gained", "much-gained", "nothing-gained", "to-be-shortened", "ended",
         "ended-and-not-renewed"],
)  # fmt: skip
def test_a_certificate_is_renewed_when_a_tenth_of_what_is_left_is_gained(
    certified: tuple[bytes, KeptAuthority, ResourceClass],
    days_gone: int,
    offered_until_day: int,
    stays: bool,
) -> None:
    _, kept, listed = certified
    begun = listed.not_after - timedelta(days=365)
    offer = replace(listed, not_after=begun + timedelta(days=offered_until_day))
    assert may_stay(kept, PLACE, offer, begun + timedelta(days=days_gone)) is stays


def test_other_resources_and_another_place_take_another_certificate(
    certified: tuple[bytes, KeptAuthority, ResourceClass],
) -> None:
    _, kept, listed = certified
    assert may_stay(kept, PLACE, listed, NOW)
    assert not may_stay(kept, PLACE, replace(listed, resources=Resources()), NOW)
    assert not may_stay(kept, Place("rsync://elsewhere.example.net/repo/"), listed, NOW)


def test_the_certificate_of_a_key_is_found_among_others(
    certified: tuple[bytes, KeptAuthority, ResourceClass],
) -> None:
    key, kept, listed = certified
    found = certificate_of(key_identifier(key), listed)
    assert found
    assert found.certificate == kept.certificate
    assert certificate_of(b"another key's", listed) is None
    [issued] = listed.certificates
    broken = replace(listed, certificates=(replace(issued, certificate=b"no certificate"),))
    assert certificate_of(key_identifier(key), broken) is None


def test_classes_count_together_and_get_keys_if_they_have_anything(
    certified: tuple[bytes, KeptAuthority, ResourceClass],
) -> None:
    _, kept, listed = certified
    assert certified_by([kept, kept]) == HELD
    assert certified_by([]) == Resources()
    empty = replace(listed, class_name="empty", resources=Resources())
    assert without_key([listed, empty], []) == ["all"]
    assert without_key([listed], ["all"]) == []
