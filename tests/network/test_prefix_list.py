"""Rules of prefix lists."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from services.network.prefix_list import PrefixList, PrefixListState, family_of, replaced
from services.network.prefix_list_change import Change, Entry, EntryChange, check_name
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError

TARGET, OTHER_TARGET = "ipam-plrt-0000000000000000a", "ipam-plrt-0000000000000000b"
LIST = PrefixList(
    prefix_list_id="pl-0123456789abcdef0",
    owner_id="123456789012",
    region="us-east-1",
    name="offices",
    family=AddressFamily.IPV4,
    max_entries=3,
    tags={},
)
ATTACHED = LIST.attached(TARGET, AddressFamily.IPV4)


def entries(*cidrs: str) -> tuple[Entry, ...]:
    return tuple(Entry(Cidr.parse(cidr)) for cidr in cidrs)


def cidrs(*texts: str) -> tuple[Cidr, ...]:
    return tuple(map(Cidr.parse, texts))


def adding(*texts: str) -> EntryChange:
    return EntryChange(added=entries(*texts))


def removing(*texts: str) -> EntryChange:
    return EntryChange(removed=cidrs(*texts))


def test_what_is_removed_makes_room_for_what_is_added() -> None:
    before = entries("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    change = EntryChange(added=entries("10.1.0.0/16"), removed=cidrs("172.16.0.0/12"))
    # Entries may overlap.
    assert LIST.entries_after(change, before) == entries(
        "10.0.0.0/8", "10.1.0.0/16", "192.168.0.0/16"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(adding("10.0.0.0/8"), "InvalidPrefixListModification", id="there already"),
        pytest.param(removing("10.0.0.0/16"), "InvalidPrefixListModification", id="not there"),
        pytest.param(adding("fd00::/8"), "InvalidParameterValue", id="of the other family"),
        pytest.param(
            adding("10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"),
            "PrefixListMaxEntriesExceeded",
            id="one too many",
        ),
    ],
)
def test_entries_that_a_list_can_not_have_are_refused(change: EntryChange, reason: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        LIST.entries_after(change, entries("10.0.0.0/8"))
    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda: EntryChange(added=entries("10.0.0.0/8"), removed=cidrs("10.0.0.0/8")),
            id="added and removed",
        ),
        pytest.param(lambda: adding("10.0.0.0/8", "10.0.0.0/8"), id="added twice"),
        pytest.param(lambda: removing("10.0.0.0/8", "10.0.0.0/8"), id="removed twice"),
        pytest.param(lambda: Change(name="com.amazonaws.us-east-1.s3"), id="a name of AWS's own"),
    ],
)
def test_changes_that_make_no_sense_are_refused(change: Callable[[], object]) -> None:
    with pytest.raises(CadastreError) as refusal:
        change()
    assert refusal.value.reason == "InvalidParameterValue"


def test_size_and_entries_do_not_change_at_once() -> None:
    assert not Change(max_entries=5).entries
    with pytest.raises(CadastreError, match="change its size first") as refusal:
        Change(max_entries=5, entries=adding("10.0.0.0/8"))
    assert refusal.value.reason == "InvalidParameterCombination"


def test_a_change_is_of_the_version_it_names() -> None:
    second = LIST.next_version()
    assert second.version == 2
    renamed = second.changed(Change(current_version=2, name="sites"), size=0)
    assert renamed == replace(second, name="sites", state=PrefixListState.MODIFY_COMPLETE)
    with pytest.raises(CadastreError, match="has version 2, not 1") as refusal:
        second.changed(Change(current_version=1, name="sites"), size=0)
    assert refusal.value.reason == "PrefixListVersionMismatch"


def test_a_list_is_never_smaller_than_what_is_in_it() -> None:
    assert LIST.changed(Change(max_entries=2), size=2).max_entries == 2
    with pytest.raises(CadastreError) as refusal:
        LIST.changed(Change(max_entries=1), size=2)
    assert refusal.value.reason == "PrefixListMaxEntriesExceeded"


@pytest.mark.parametrize(
    ("change", "is_allowed"),
    [
        pytest.param(Change(entries=adding("10.0.0.0/8")), False, id="entries"),
        pytest.param(Change(name="sites", max_entries=9), True, id="name and size"),
        pytest.param(
            Change(entries=adding("10.0.0.0/8"), is_synchronised=False), True, id="switched off"
        ),
    ],
)
def test_while_a_list_is_synchronised_its_entries_are_its_resolvers(
    change: Change, is_allowed: bool
) -> None:
    if is_allowed:
        assert ATTACHED.changed(change, size=0).resolver_target_id == TARGET
        return
    with pytest.raises(CadastreError, match=TARGET) as refusal:
        ATTACHED.changed(change, size=0)
    assert refusal.value.reason == "IncorrectState"


def test_there_is_nothing_to_be_synchronised_with_without_a_target() -> None:
    assert not LIST.changed(Change(is_synchronised=False), size=0).is_synchronised
    with pytest.raises(CadastreError, match="create a target") as refusal:
        LIST.changed(Change(is_synchronised=True), size=0)
    assert refusal.value.reason == "IncorrectState"


def test_a_list_is_one_targets_at_a_time() -> None:
    assert ATTACHED.is_synchronised
    switched_off = replace(ATTACHED, is_synchronised=False)
    assert switched_off.attached(TARGET, AddressFamily.IPV4) == switched_off
    with pytest.raises(CadastreError, match=TARGET) as refusal:
        ATTACHED.attached(OTHER_TARGET, AddressFamily.IPV4)
    assert refusal.value.reason == "IncorrectState"
    assert ATTACHED.detached(OTHER_TARGET) == ATTACHED
    assert ATTACHED.given(7).detached(TARGET) == replace(
        LIST, state=PrefixListState.MODIFY_COMPLETE
    )


def test_a_target_has_lists_of_its_resolvers_family_alone() -> None:
    with pytest.raises(CadastreError, match="is of IPv4, but the resolver of IPv6") as refusal:
        LIST.attached(TARGET, AddressFamily.IPV6)
    assert refusal.value.reason == "InvalidParameterCombination"


@pytest.mark.parametrize(
    "prefix_list",
    [
        pytest.param(LIST, id="nobody's"),
        pytest.param(LIST.attached(OTHER_TARGET, AddressFamily.IPV4), id="another's"),
        pytest.param(replace(ATTACHED, is_synchronised=False), id="switched off"),
    ],
)
def test_only_its_target_gives_a_synchronised_list_entries(prefix_list: PrefixList) -> None:
    ATTACHED.check_given_by(TARGET)
    with pytest.raises(CadastreError) as refusal:
        prefix_list.check_given_by(TARGET)
    assert refusal.value.reason == "IncorrectState"


def test_entries_that_stay_keep_their_description() -> None:
    known = Entry(Cidr.parse("10.0.0.0/8"), "offices")
    before = [known, *entries("10.1.0.0/16")]
    wanted = cidrs("10.2.0.0/16", "10.0.0.0/8", "10.2.0.0/16")
    assert replaced(before, wanted) == [*entries("10.2.0.0/16"), known]


def test_names_and_families_are_awss() -> None:
    assert check_name("my com.amazonaws") == "my com.amazonaws"
    assert [family_of("IPv4"), family_of("IPv6")] == list(AddressFamily)
    with pytest.raises(CadastreError, match="use one of IPv4, IPv6"):
        family_of("ipv4")
