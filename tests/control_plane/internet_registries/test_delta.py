"""Deltas: each as a whole or not at all, in the order they were accepted in."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.internet_registries.delta import (
    Change,
    Delta,
    DeltaState,
    Registrations,
    Settlement,
    Withdrawal,
    as_settled,
    replayed,
    settle,
    with_delta,
)
from services.control_plane.internet_registries.registration import (
    Registration,
    RegistrationState,
    RoutingPolicy,
    roas_of,
    staged,
)
from services.control_plane.internet_registries.registration_errors import (
    RegistrationAlreadyExists,
    UnknownRegistration,
)
from shared.cidr import Cidr
from shared.errors import CadastreError, InvalidParameterValue

ONE, OTHER = Cidr.parse("192.0.2.0/24"), Cidr.parse("198.51.100.0/24")
NOW = datetime(2030, 6, 15, 12, tzinfo=UTC)


def policy(cidr: Cidr, asn: int = 7) -> RoutingPolicy:
    return RoutingPolicy.of(cidr, [asn])


def delta(
    name: str, *add: RoutingPolicy, delete: tuple[Cidr, ...] = (), is_staged: bool = False
) -> Delta:
    withdrawals = tuple(Withdrawal(cidr=cidr) for cidr in delete)
    return Delta(
        delta_id=name,
        association_id="association",
        change=Change(add=add, delete=withdrawals),
        made_at=NOW,
        is_staged=is_staged,
    )


def after(*deltas: Delta, known: Registrations | None = None) -> Registrations:
    registrations: Registrations = known or {}
    for one in deltas:
        registrations = with_delta(registrations, one)
    return registrations


def certified(*cidrs: Cidr) -> frozenset[Cidr]:
    return frozenset(cidrs)


def settled(known: Registrations, *deltas: Delta, by: frozenset[Cidr] | None = None) -> Settlement:
    everything = certified(ONE, OTHER) if by is None else by
    return settle(known, deltas, lambda cidr: cidr in everything)


def states(registrations: Registrations) -> dict[Cidr, str]:
    return {cidr: str(one.state) for cidr, one in registrations.items()}


def outcomes(settlement: Settlement) -> dict[str, tuple[str, str | None]]:
    return {one.delta_id: (str(one.state), one.state_message) for one in settlement.deltas}


def test_what_is_registered_is_created_then_updated_then_gone() -> None:
    first = delta("1", policy(ONE))
    registrations = after(first)
    assert states(registrations) == {ONE: "create-in-progress"}
    published = settled(registrations, first).registrations
    assert states(published) == {ONE: "create-complete"}

    second = delta("2", policy(ONE, 8), delete=(ONE,))
    registrations = after(second, known=published)
    assert states(registrations) == {ONE: "update-in-progress"}
    published = settled(registrations, second).registrations
    assert states(published) == {ONE: "update-complete"}
    assert published[ONE].policy.asns == (8,)

    third = delta("3", delete=(ONE,))
    registrations = after(third, known=published)
    assert states(registrations) == {ONE: "delete-in-progress"}
    assert roas_of(registrations.values()) == frozenset()
    assert settled(registrations, third).registrations == {}


def test_a_delta_does_nothing_when_a_part_of_it_can_not_be_done() -> None:
    known = after(delta("1", policy(ONE)))
    with pytest.raises(RegistrationAlreadyExists):
        with_delta(known, delta("2", policy(OTHER), policy(ONE)))
    with pytest.raises(UnknownRegistration):
        with_delta(known, delta("2", delete=(ONE, OTHER)))
    assert states(known) == {ONE: "create-in-progress"}


def test_what_is_going_can_be_registered_anew_but_not_withdrawn_again() -> None:
    known = settled({}, delta("1", policy(ONE))).registrations
    going = after(delta("2", delete=(ONE,)), known=known)
    with pytest.raises(UnknownRegistration):
        with_delta(going, delta("3", delete=(ONE,)))
    again = with_delta(going, delta("3", policy(ONE, 9)))
    assert states(again) == {ONE: "update-in-progress"}
    assert as_settled(again) == known


@pytest.mark.parametrize(
    "wrong",
    [
        Withdrawal(cidr=ONE, asns=(7, 8)),
        Withdrawal(cidr=ONE, permits_more_specific=True),
        Withdrawal(cidr=ONE, max_length=25),
        Withdrawal(cidr=ONE, description="another"),
    ],
)
def test_what_is_said_of_what_is_to_go_has_to_be_so(wrong: Withdrawal) -> None:
    known = after(delta("1", policy(ONE)))
    change = Change(delete=(wrong,))
    with pytest.raises(InvalidParameterValue, match=r"192\.0\.2\.0/24"):
        with_delta(known, Delta(delta_id="2", association_id="a", change=change, made_at=NOW))
    right = Change(delete=(Withdrawal.of(known[ONE].policy),))
    with_delta(known, Delta(delta_id="2", association_id="a", change=right, made_at=NOW))


def test_a_delta_of_what_is_not_certified_any_more_fails_as_a_whole() -> None:
    first, second = delta("1", policy(ONE), policy(OTHER)), delta("2", policy(ONE, 9))
    settlement = settled(after(first), first, second, by=certified(ONE))
    assert outcomes(settlement) == {
        "1": ("failed", "the internet registry does not certify 198.51.100.0/24"),
        "2": ("published", None),
    }
    assert states(settlement.registrations) == {ONE: "create-complete"}
    assert settlement.registrations[ONE].policy.asns == (9,)


def test_what_builds_on_a_delta_that_fails_fails_with_it() -> None:
    first, second = delta("1", policy(ONE), policy(OTHER)), delta("2", delete=(ONE,))
    settlement = settled(after(first, second), first, second, by=certified(ONE))
    assert [one.state for one in settlement.deltas] == [DeltaState.FAILED, DeltaState.FAILED]
    assert settlement.registrations == {}


def test_registrations_go_back_to_what_they_were_when_their_change_fails() -> None:
    before = settled({}, delta("1", policy(ONE))).registrations
    change = delta("2", policy(ONE, 9), policy(OTHER), delete=(ONE,))
    settlement = settled(after(change, known=before), change, by=certified(ONE))
    assert settlement.registrations == before


def test_what_the_registry_stops_to_certify_is_active_again_when_it_does_again() -> None:
    known = settled({}, delta("1", policy(ONE))).registrations
    lost = settled(known, by=certified()).registrations
    assert states(lost) == {ONE: "activate-failed"}
    assert states(settled(lost, by=certified(ONE)).registrations) == {ONE: "create-complete"}


def test_what_is_staged_is_active_as_far_as_the_registry_certifies_it() -> None:
    registrations: Registrations = {OTHER: staged(policy(OTHER), None)}
    first = delta("1", policy(ONE), is_staged=True)
    registrations = after(first, known=registrations)
    assert states(registrations) == {OTHER: "pending-activate", ONE: "pending-activate"}
    settlement = settled(registrations, first, by=certified(OTHER))
    assert states(settlement.registrations) == {OTHER: "create-complete", ONE: "activate-failed"}
    assert outcomes(settlement) == {
        "1": ("failed", "the internet registry does not certify 192.0.2.0/24")
    }


def test_what_is_staged_goes_and_is_replaced_at_once() -> None:
    staging = [
        delta("1", policy(ONE), policy(OTHER), is_staged=True),
        delta("2", policy(ONE, 9), delete=(ONE, OTHER), is_staged=True),
    ]
    registrations = after(*staging)
    assert states(registrations) == {ONE: "pending-activate"}
    settlement = settled(registrations, *staging, by=certified(ONE))
    assert [one.state for one in settlement.deltas] == [DeltaState.PUBLISHED] * 2
    assert settlement.registrations[ONE].policy.asns == (9,)


def test_deltas_accepted_meanwhile_stay_in_progress() -> None:
    first, second = delta("1", policy(ONE)), delta("2", policy(OTHER))
    settlement = settled(after(first), first)
    current = replayed(settlement.registrations, [second])
    assert states(current) == {ONE: "create-complete", OTHER: "create-in-progress"}


_CIDRS = [Cidr.parse(f"10.0.{i}.0/24") for i in range(3)]
_changes = st.builds(
    lambda add, gone: Change(
        add=tuple(policy(cidr, asn) for cidr, asn in add.items()),
        delete=tuple(Withdrawal(cidr=cidr) for cidr in sorted(gone)),
    ),
    st.dictionaries(st.sampled_from(_CIDRS), st.integers(1, 3), max_size=2),
    st.sets(st.sampled_from(_CIDRS), max_size=2),
)


@given(st.lists(st.tuples(_changes, st.booleans()), max_size=8), st.sets(st.sampled_from(_CIDRS)))
def test_deltas_are_applied_as_by_who_applies_them_one_by_one(
    steps: list[tuple[Change, bool]], uncertified: set[Cidr]
) -> None:
    """Whenever it is published in between; beside an oracle that knows policies alone."""
    registrations: Registrations = {}
    pending: list[Delta] = []
    accepted: dict[Cidr, tuple[int, ...]] = {}
    for number, (change, publishes) in enumerate(steps):
        wanted = _applied(accepted, change)
        one = Delta(delta_id=str(number), association_id="association", change=change, made_at=NOW)
        try:
            registrations = with_delta(registrations, one)
        except CadastreError:
            assert wanted is None
            continue
        assert wanted is not None
        accepted = wanted
        pending.append(one)
        assert _asns(registrations) == accepted
        if publishes:
            settlement = settle(registrations, pending, lambda cidr: cidr not in uncertified)
            registrations, accepted = (
                settlement.registrations,
                _oracle(as_settled(registrations), pending, uncertified),
            )
            assert _asns(registrations) == accepted
            assert not any("progress" in one.state for one in registrations.values())
            assert all(
                (one.state is RegistrationState.ACTIVATE_FAILED) == (cidr in uncertified)
                for cidr, one in registrations.items()
            )
            pending = []


def _asns(registrations: Registrations) -> dict[Cidr, tuple[int, ...]]:
    return {cidr: one.policy.asns for cidr, one in registrations.items() if not one.is_going}


def _oracle(
    before: dict[Cidr, Registration], deltas: list[Delta], uncertified: set[Cidr]
) -> dict[Cidr, tuple[int, ...]]:
    current = {cidr: one.policy.asns for cidr, one in before.items()}
    for one in deltas:
        wanted = _applied(current, one.change)
        if wanted is not None and not any(p.cidr in uncertified for p in one.change.add):
            current = wanted
    return current


def _applied(
    current: dict[Cidr, tuple[int, ...]], change: Change
) -> dict[Cidr, tuple[int, ...]] | None:
    gone = {withdrawal.cidr for withdrawal in change.delete}
    left = {cidr: asns for cidr, asns in current.items() if cidr not in gone}
    if gone - current.keys() or any(one.cidr in left for one in change.add):
        return None
    return {**left, **{one.cidr: one.asns for one in change.add}}
