"""The rules of what is brought along, without any I/O."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.byoip import transfer
from services.control_plane.byoip.asn_association import AsnAssociation, AssociationState
from services.control_plane.byoip.byoasn import parse_asn
from services.control_plane.byoip.byoip_cidr import (
    BroughtAlone,
    ByoipCidr,
    ByoipCidrState,
    Origin,
    advertising,
    associating,
    check_usable,
    disassociating,
    kept,
    may_be_forgotten,
    of_pool,
    settled,
    withdrawing,
)
from services.control_plane.byoip.errors import InvalidAsn, NotAssociated, TooSoon
from services.control_plane.byoip.public_cidr import PublicCidr, nearest_top
from services.control_plane.byoip.rpki import Rpki
from services.control_plane.byoip.token import new_name, new_value
from services.control_plane.pool import AwsService, PublicIpSource
from services.control_plane.verification.claim import SignedMessage
from services.control_plane.verification.roas import Roa, RoaTable
from shared.cidr import Cidr
from shared.errors import CadastreError, IncorrectState, OperationNotPermitted
from tests.control_plane.byoip_world import NOON
from tests.control_plane.records import a_pool

ASN, OTHER = 12_345, 54_321
STATES = list(ByoipCidrState)


def a_public_cidr(**members: Any) -> PublicCidr:
    return PublicCidr(
        **{
            "ipam_pool_cidr_id": "ipam-pool-cidr-1",
            "cidr": Cidr.parse("130.137.245.0/24"),
            "ipam_pool_id": "ipam-pool-1",
            "ipam_id": "ipam-1",
            "owner_id": "123456789012",
            "locale": "us-west-2",
            "aws_service": AwsService.EC2,
            "public_ip_source": PublicIpSource.BYOIP,
            "publicly_advertisable": False,
            **members,
        }
    )


def a_cidr(*asns: int, **members: Any) -> ByoipCidr:
    """A pool's, with these ASNs."""
    cidr = of_pool(a_public_cidr(), "byoip-cidr-1")
    for asn in asns:
        cidr = associating(cidr, asn, None)
    return replace(settled(cidr), **members)


def a_range(**members: Any) -> ByoipCidr:
    holder = BroughtAlone(
        proof=SignedMessage("m", "s"),
        requested_at=NOON,
        description=None,
        publicly_advertisable=True,
        pool_id="ipv4pool-ec2-1",
    )
    return a_cidr(**{"holder": holder, **members})


# IANA's registry of special-purpose AS numbers and the blocks that it never gave out (ASN-1).
SPECIAL = [
    (0, 0, False),
    (23_456, 23_456, False),
    (64_496, 64_511, True),
    (64_512, 65_534, True),
    (65_535, 65_535, False),
    (65_536, 65_551, True),
    (65_552, 131_071, False),
    (4_200_000_000, 4_294_967_294, True),
    (4_294_967_295, 4_294_967_295, False),
]
EDGES = [edge + step for first, last, _ in SPECIAL for edge in (first, last) for step in (-1, 0, 1)]


@given(
    st.one_of(st.sampled_from([n for n in EDGES if n >= 0]), st.integers(0, 2**32 + 1)),
    st.booleans(),
)
def test_an_asn_is_public_or_of_a_laboratory(number: int, lab: bool) -> None:  # ASN-1
    kinds = [is_lab for first, last, is_lab in SPECIAL if first <= number <= last]
    is_allowed = number < 2**32 and (not kinds or (lab and kinds == [True]))
    if is_allowed:
        assert parse_asn(str(number), reserved_allowed=lab) == number
    else:
        with pytest.raises(InvalidAsn):
            parse_asn(str(number), reserved_allowed=lab)


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "AS1", "01", " 1", "1e3", "\u0661", "0x1"])
def test_an_asn_is_written_in_decimal_digits(text: str) -> None:  # ASN-1
    with pytest.raises(InvalidAsn):
        parse_asn(text, reserved_allowed=True)


def test_names_and_values_of_tokens_have_their_form() -> None:  # BYOIP-2
    rng = random.Random(0)
    assert {len(new_name(rng)) for _ in range(1000)} == {8}
    assert new_value(rng)[14] == "4"


@given(st.lists(st.tuples(st.sampled_from(["own", "amazon", "out"]), st.integers(0, 90))))
def test_an_own_asn_takes_over_at_most_once_an_hour(moves: list[tuple[str, int]]) -> None:  # ASN-3
    cidr, now, taken = a_cidr(ASN), NOON, list[Any]()
    for move, minutes in moves:
        now += timedelta(minutes=minutes)
        origin_before = cidr.origin_asn
        if move == "out":
            cidr = settled(withdrawing(cidr)) if cidr.is_advertised else cidr
            continue
        is_own = move == "own"
        is_free = not taken or now - taken[-1] >= timedelta(hours=1)
        takes_over = is_own and origin_before is None
        if takes_over and not is_free:
            with pytest.raises(TooSoon) as refusal:
                advertising(cidr, ASN, None, now)
            possible = taken[-1] + timedelta(hours=1)
            assert refusal.value.metadata["possible_from"] == f"{possible:%Y-%m-%dT%H:%M:%SZ}"
            continue
        cidr = settled(advertising(cidr, ASN if is_own else Origin.AMAZON, None, now))
        taken += [now] if takes_over else []
        assert (cidr.origin_asn == ASN) is is_own


def test_from_one_own_asn_to_another_is_no_matter_of_time() -> None:  # ASN-3
    cidr = advertising(a_cidr(ASN, OTHER), ASN, None, NOON)
    assert advertising(cidr, OTHER, None, NOON).origin_asn == OTHER
    assert advertising(cidr, Origin.AS_IT_IS, None, NOON).origin_asn == ASN


def test_only_what_is_associated_and_stays_may_originate() -> None:  # ASN-2, ASN-3
    for cidr in (a_cidr(), disassociating(a_cidr(ASN), ASN)):
        with pytest.raises(NotAssociated):
            advertising(cidr, ASN, None, NOON)


def test_what_is_settled_waits_for_nothing() -> None:
    cidr = associating(disassociating(a_cidr(ASN), ASN), OTHER, None)
    after = settled(advertising(cidr, Origin.AMAZON, None, NOON))
    assert after.state is ByoipCidrState.ADVERTISED
    assert [(one.asn, one.state) for one in after.asn_associations] == [
        (OTHER, AssociationState.ASSOCIATED)
    ]
    assert settled(withdrawing(after)).state is ByoipCidrState.PROVISIONED
    assert settled(after) == after


def test_a_refused_removal_or_transfer_leaves_no_association_on_its_way() -> None:  # ASN-2, BEY-4
    leaving = disassociating(settled(associating(a_range(), ASN, None)), ASN)
    after = kept(associating(leaving, OTHER, "w"), ByoipCidrState.FAILED_TRANSFER, "no")
    assert (after.state, after.status_message) == (ByoipCidrState.FAILED_TRANSFER, "no")
    assert after.asn_associations == (AsnAssociation(OTHER, AssociationState.ASSOCIATED, "w"),)


@pytest.mark.parametrize(
    ("cidr", "reason"),
    [
        (a_cidr(), None),
        (disassociating(a_cidr(ASN), ASN), None),
        (a_cidr(ASN), "AS12345 is associated with it; disassociate it first"),
        (a_cidr(ASN, OTHER), "AS12345, AS54321 are associated with it; disassociate them first"),
        (advertising(a_cidr(ASN), ASN, None, NOON), "it is advertised; withdraw it first"),
    ],
)
def test_a_pin_says_what_to_do(cidr: ByoipCidr, reason: str | None) -> None:  # ASN-2
    assert cidr.reason_to_stay == reason


@pytest.mark.parametrize(
    ("cidr", "minutes", "is_forgotten"),
    [
        (a_cidr(), 0, True),
        (a_cidr(own_origin_since=NOON), 59, False),
        (a_cidr(own_origin_since=NOON), 60, True),
        (a_cidr(ASN, own_origin_since=NOON), 60, False),
        (a_cidr(is_advertised=True), 60, False),
        (a_range(), 60, False),
    ],
)
def test_a_pools_cidr_is_kept_while_there_is_something_to_tell(
    cidr: ByoipCidr, minutes: int, is_forgotten: bool
) -> None:
    assert may_be_forgotten(cidr, NOON + timedelta(minutes=minutes)) is is_forgotten


@pytest.mark.parametrize("state", STATES, ids=str)
def test_what_is_not_provisioned_can_not_be_used(state: ByoipCidrState) -> None:  # BYOIP-4, BYOIP-6
    usable = {
        "provisioned",
        "provisioned-not-publicly-advertisable",
        "pending-advertising",
        "advertised",
        "pending-withdrawal",
        "failed-deprovision",
        "failed-transfer",
    }
    cidr = a_range(state=state)
    if state in usable:
        check_usable(cidr)
        assert transfer.moving(cidr, "ipam-pool-1").state is ByoipCidrState.PENDING_TRANSFER
    else:
        with pytest.raises(IncorrectState, match=f"'{state}'"):
            check_usable(cidr)


def test_what_moves_is_the_pools_with_all_that_it_had() -> None:  # BYOIP-6
    before = transfer.moving(a_range(is_advertised=True, origin_asn=ASN), "ipam-pool-1")
    pool = a_pool()
    after = transfer.arrived(before, pool, "ipam-pool-cidr-1")
    assert (after.state, after.origin_asn, after.owner_id) == (
        ByoipCidrState.ADVERTISED,
        ASN,
        pool.owner_id,
    )
    left = transfer.moved(before)
    assert (left.state, left.is_advertised, left.asn_associations) == (
        ByoipCidrState.COMPLETE_TRANSFER,
        False,
        (),
    )
    with pytest.raises(TypeError):
        _ = after.alone


@given(st.data())
def test_of_nested_pools_the_highest_for_ec2_has_the_cidr(data: st.DataObject) -> None:  # BYOIP-4
    cidrs = [Cidr.parse(f"130.137.{n}.0/24") for n in range(3)]
    found = [
        a_public_cidr(
            ipam_pool_id=f"p{number}",
            cidr=data.draw(st.sampled_from(cidrs)),
            aws_service=data.draw(st.sampled_from([AwsService.EC2, None])),
        )
        for number in range(data.draw(st.integers(0, 8)))
    ]
    depths = {f"p{number}": 8 - number for number in range(8) if number != 3}
    told = nearest_top(found, depths)
    assert [one.cidr for one in told] == sorted(
        {one.cidr for one in found if one.ipam_pool_id != "p3"}
    )
    for one in told:
        rivals = [r for r in found if r.cidr == one.cidr and r.ipam_pool_id in depths]
        for_ec2 = [r for r in rivals if r.aws_service] or rivals
        assert depths[one.ipam_pool_id] == min(depths[r.ipam_pool_id] for r in for_ec2)


def rpki(*roas: tuple[int, str, int], refuses: bool = True) -> Rpki:
    return Rpki(
        RoaTable(Roa(asn, Cidr.parse(prefix), longest) for asn, prefix, longest in roas),
        refuses=refuses,
    )


@pytest.mark.parametrize(
    ("known", "cidr", "is_allowed"),
    [
        (Rpki(None, refuses=True), "198.51.100.0/24", True),
        (Rpki(None, refuses=True), "198.51.100.0/25", False),
        (Rpki(None, refuses=True), "2605:9cc0:409::/48", True),
        (Rpki(None, refuses=True), "2605:9cc0:409::/49", False),
        (rpki((3, "203.0.113.0/24", 24)), "198.51.100.0/24", True),
        (rpki((3, "198.51.100.0/23", 23)), "198.51.100.0/24", False),
        (rpki((3, "198.51.100.0/23", 25)), "198.51.100.0/25", False),
        (rpki((3, "198.51.100.0/23", 23), (4, "198.51.100.0/24", 24)), "198.51.100.0/24", True),
        (rpki((0, "198.51.100.0/24", 32)), "198.51.100.0/24", True),
    ],
)
def test_no_route_is_more_specific_than_its_roas_allow(  # BYOIP-5
    known: Rpki, cidr: str, is_allowed: bool
) -> None:
    if is_allowed:
        known.check_length(Cidr.parse(cidr))
    else:
        with pytest.raises(OperationNotPermitted):
            known.check_length(Cidr.parse(cidr))


@pytest.mark.parametrize(
    ("roas", "asn", "why"),
    [
        ([], ASN, None),
        ([(ASN, "198.51.100.0/24", 24)], ASN, None),
        ([(OTHER, "198.51.100.0/24", 24)], ASN, "none allows AS12345"),
        ([(ASN, "198.51.100.0/23", 23)], ASN, "raise their maximum length"),
        ([(16_509, "198.51.100.0/24", 24)], None, None),
        ([(14_618, "198.51.100.0/24", 24)], None, None),
        ([(0, "198.51.100.0/24", 24)], None, "none allows AS16509 and AS14618"),
        ([(ASN, "198.51.100.0/24", 24)], None, "none allows AS16509 and AS14618"),
    ],
)
def test_invalid_routes_are_refused_or_warned_of(  # BYOIP-5
    roas: list[tuple[int, str, int]], asn: int | None, why: str | None
) -> None:
    cidr = Cidr.parse("198.51.100.0/24")
    warning = rpki(*roas, refuses=False).warning(cidr, asn)
    if why is None:
        assert warning is None
        assert rpki(*roas).warning(cidr, asn) is None
    else:
        assert warning is not None
        assert why in warning
        with pytest.raises(CadastreError, match=why):
            rpki(*roas).warning(cidr, asn)


def test_what_a_pools_owner_did_meanwhile_outlives_the_end_of_a_move() -> None:  # BYOIP-6
    there = a_cidr(2, is_advertised=True, origin_asn=2, version=7)
    both = transfer.joined(there, a_cidr(1, 2))
    assert (both.is_advertised, both.origin_asn, both.version) == (True, 2, 8)
    assert [one.asn for one in both.asn_associations] == [2, 1]
