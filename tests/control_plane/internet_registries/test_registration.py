"""Routing policy registrations: what may be registered, and the ROAs of it (RFC 9582)."""

from typing import Any

import pytest

from services.control_plane.delegated_rpki.publication import Roa
from services.control_plane.internet_registries.registration import RoutingPolicy, parse_asn
from shared.cidr import Cidr
from shared.errors import CadastreError, InvalidParameterCombination, InvalidParameterValue

V4, V6 = Cidr.parse("192.0.2.0/24"), Cidr.parse("2001:db8::/32")


@pytest.mark.parametrize(
    ("cidr", "asns", "members", "reason", "says"),
    [
        (V4, [], {}, InvalidParameterValue, "name at least one ASN"),
        (V4, [7, 8, 7], {}, InvalidParameterValue, "(7) for parameter asns"),
        (V4, [0, 7], {}, InvalidParameterValue, "name it alone"),
        (V4, range(1, 102), {}, InvalidParameterValue, "101 values"),
        (V4, [7], {"max_length": 23}, InvalidParameterValue, "use 24-32"),
        (V4, [7], {"max_length": 33}, InvalidParameterValue, "use 24-32"),
        (V6, [7], {"max_length": 49}, InvalidParameterValue, "use 32-48"),
        (V4, [7], {"max_length": 25}, InvalidParameterCombination, "permitMoreSpecific"),
        (Cidr.parse("2001:db8::/49"), [7], {}, InvalidParameterValue, "longer than /48"),
    ],
)
def test_what_can_not_be_registered_is_refused(
    cidr: Cidr, asns: Any, members: dict[str, Any], reason: type[CadastreError], says: str
) -> None:
    with pytest.raises(reason) as refused:
        RoutingPolicy.of(cidr, asns, **members)
    assert says in refused.value.message


def test_asns_are_in_ascending_order_and_each_has_a_roa() -> None:
    policy = RoutingPolicy.of(V4, [64500, 64496], permits_more_specific=True, max_length=26)
    assert policy.asns == (64496, 64500)
    assert policy.roas == {Roa(V4, 64496, 26), Roa(V4, 64500, 26)}


def test_a_roa_is_strict_unless_more_is_permitted_and_said() -> None:
    permissive = RoutingPolicy.of(V4, [7], permits_more_specific=True)
    assert permissive.roas == {Roa(V4, 7, 24)} == RoutingPolicy.of(V4, [7]).roas


def test_nobody_may_originate_by_asn_0_alone() -> None:
    assert RoutingPolicy.of(V4, [0]).roas == {Roa(V4, 0, 24)}


@pytest.mark.parametrize(
    "text", ["", "AS7", "-1", "007", "4294967296", "1.5", "\u0667", "9" * 5000]
)
def test_what_is_no_asn_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterValue):
        parse_asn(text)


@pytest.mark.parametrize("text", ["0", "64496", "4294967295"])
def test_asns_are_read(text: str) -> None:
    assert str(parse_asn(text)) == text
