"""AS numbers out of ranges: the same as if all were listed and filtered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import internet_registry_service_pb2 as pb
from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.internet_registries.asns import asn_of_key, eligible, numbers
from shared.errors import InvalidNextToken
from shared.filters import FilterSet

EVERYTHING = ((0, (1 << 32) - 1),)

ranges = st.lists(
    st.tuples(st.integers(0, 1200), st.integers(0, 40)).map(lambda r: (r[0], r[0] + r[1])),
    max_size=6,
).map(lambda found: Resources.of_ranges(asns=found).asn_ranges)
patterns = st.lists(st.text("0123*?\\", min_size=1, max_size=5), max_size=3)


def listed(held: tuple[tuple[int, int], ...], first: int, within: object = EVERYTHING) -> list[int]:
    def ranges_from(number: int) -> list[tuple[int, int]]:
        return [part for part in held if part[1] >= number]

    return list(numbers(first, within, ranges_from))  # type: ignore[arg-type]


@given(held=ranges, first=st.integers(0, 1300), filters=st.lists(patterns, max_size=2))
def test_what_is_eligible_is_all_that_passes(
    held: tuple[tuple[int, int], ...], first: int, filters: list[list[str]]
) -> None:  # BEY-6
    wanted = FilterSet(
        [types_pb2.Filter(name="asn", values=values) for values in filters],
        pb.IpamInternetRegistryAssociationAsn.DESCRIPTOR,
    )

    def passes(number: int) -> bool:
        return wanted.matches(pb.IpamInternetRegistryAssociationAsn(asn=str(number)))

    everything = [n for begin, end in held for n in range(begin, end + 1) if n >= first]
    within = eligible([("asn", values) for values in filters])
    found = listed(held, first, within)
    assert found == sorted(set(found))
    assert [n for n in found if passes(n)] == [n for n in everything if passes(n)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("64496", [(64496, 64496)]),
        ("6449?", [(64490, 64499)]),
        ("0", [(0, 0)]),
        ("064496", []),
        ("42949672961", []),
        ("4294967296", []),
        ("429496729?", [(4294967290, 4294967295)]),
        ("64496*", [(64496, 64496), (644960, 644969), (6449600, 6449699), (64496000, 64496999),
                    (644960000, 644969999)]),
        ("*", [(0, 4294967295)]),
        ("red", []),
    ],
)  # fmt: skip
def test_patterns_tell_where_numbers_may_be(pattern: str, expected: list[tuple[int, int]]) -> None:
    assert list(eligible([("asn", [pattern])])) == expected


def test_the_narrowest_filter_counts_and_others_dont_matter() -> None:
    assert eligible([("colour", ["1"])]) == EVERYTHING
    assert eligible([("asn", ["*"]), ("asn", ["7"])]) == ((7, 7),)


@pytest.mark.parametrize("key", ["", "-1", "x", "٣", "99999999999"])
def test_what_is_no_number_is_no_page(key: str) -> None:
    with pytest.raises(InvalidNextToken):
        asn_of_key(key)
    assert asn_of_key("64496") == 64496
