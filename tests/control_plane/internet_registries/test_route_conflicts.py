"""Which announced routes a change of ROAs harms (RFC 6811)."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.internet_registries.route_conflicts import (
    RoaChange,
    conflicts,
    seen,
)
from services.control_plane.routes.route import AnnouncedRoute
from services.control_plane.verification.roas import Roa, RoaTable, RoaValidity
from shared.cidr import Cidr

NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)


def route(prefix: str, asn: int) -> AnnouncedRoute:
    return AnnouncedRoute(Cidr.parse(prefix), asn, NOW)


def roa(prefix: str, asn: int, max_length: int | None = None) -> Roa:
    cidr = Cidr.parse(prefix)
    return Roa(asn, cidr, max_length or cidr.prefix_length)


A24, A25 = route("192.0.2.0/24", 7), route("192.0.2.128/25", 7)


@pytest.mark.parametrize(
    ("before", "after", "others", "harmed"),
    [
        pytest.param([], [roa("192.0.2.0/24", 7, 25)], [], [], id="valid"),
        pytest.param(
            [],
            [roa("192.0.2.0/24", 8)],
            [],
            [
                "192.0.2.0/24 by AS7 is unknown and would be invalid",
                "192.0.2.128/25 by AS7 is unknown and would be invalid",
            ],
            id="another's",
        ),
        pytest.param(
            [],
            [roa("192.0.2.0/24", 7)],
            [],
            ["192.0.2.128/25 by AS7 is unknown and would be invalid"],
            id="too long",
        ),
        pytest.param(
            [roa("192.0.2.0/24", 7, 25)],
            [],
            [],
            [
                "192.0.2.0/24 by AS7 is valid and would be unknown",
                "192.0.2.128/25 by AS7 is valid and would be unknown",
            ],
            id="withdrawn",
        ),
        pytest.param(
            [roa("192.0.2.0/24", 7, 25)],
            [],
            [roa("192.0.0.0/16", 7, 25)],
            [],
            id="others' is left",
        ),
        pytest.param(
            [roa("192.0.2.0/24", 7, 25)],
            [],
            [roa("192.0.2.0/24", 7, 25)],
            [
                "192.0.2.0/24 by AS7 is valid and would be unknown",
                "192.0.2.128/25 by AS7 is valid and would be unknown",
            ],
            id="validators still tell the own one",
        ),
        pytest.param([roa("192.0.2.0/24", 8)], [], [], [], id="better"),
        pytest.param([roa("192.0.2.0/24", 8)], [roa("192.0.2.0/24", 9)], [], [], id="as bad"),
    ],
)
def test_routes_that_get_worse_are_told(
    before: list[Roa], after: list[Roa], others: list[Roa], harmed: list[str]
) -> None:
    routes = seen([A24, A25], RoaTable(others) if others else None)
    change = RoaChange(before, before, after)
    assert [str(one) for one in conflicts(change, routes)] == harmed


_PREFIXES = [Cidr.parse("10.0.0.0/8").supernet(8)]
for _ in range(3):
    _PREFIXES += [half for prefix in _PREFIXES[-(1 << _) :] for half in prefix.halves]
_prefixes = st.sampled_from(_PREFIXES)
_roas = st.lists(
    st.builds(
        lambda prefix, asn, more: Roa(asn, prefix, prefix.prefix_length + more),
        _prefixes,
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    max_size=4,
)
_ranks = {RoaValidity.VALID: 2, RoaValidity.NOT_FOUND: 1}


@given(_roas, _roas, _roas, st.lists(st.tuples(_prefixes, st.integers(1, 2)), max_size=6))
def test_it_is_told_as_by_who_looks_at_all_roas_of_all_moments(
    others: list[Roa], before: list[Roa], after: list[Roa], announced: list[tuple[Cidr, int]]
) -> None:
    routes = [AnnouncedRoute(prefix, asn, NOW) for prefix, asn in announced]
    foreign = [one for one in others if one not in before]
    was, will_be = RoaTable([*foreign, *before]), RoaTable([*foreign, *after])
    harmed = [
        one
        for one in routes
        if _ranks.get(will_be.validity(one.prefix, one.asn), 0)
        < _ranks.get(was.validity(one.prefix, one.asn), 0)
    ]
    change = RoaChange(before, before, after)
    assert [one.route for one in conflicts(change, seen(routes, RoaTable(others)))] == harmed
