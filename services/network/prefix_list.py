"""Customer-managed prefix lists: sets of CIDRs with a name, in versions."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from services.network.errors import (
    InvalidPrefixListModification,
    OtherResolverTarget,
    PrefixListMaxEntriesExceeded,
    PrefixListVersionMismatch,
    ResolverTargetAttached,
)
from services.network.prefix_list_change import Change, Entry, EntryChange
from shared.cidr import AddressFamily, Cidr
from shared.errors import (
    IncorrectState,
    InvalidParameterCombination,
    InvalidParameterValue,
)
from shared.tags import Tags

VERSIONS_KEPT = 1000

_FAMILIES = {"IPv4": AddressFamily.IPV4, "IPv6": AddressFamily.IPV6}
_FAMILY_NAMES = {family: name for name, family in _FAMILIES.items()}


class PrefixListState(enum.StrEnum):
    """What is told of a list between two requests."""

    CREATE_COMPLETE = "create-complete"
    MODIFY_COMPLETE = "modify-complete"
    RESTORE_COMPLETE = "restore-complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixList:
    """Without its entries, which are those of its newest ``version``."""

    prefix_list_id: str
    owner_id: str
    region: str
    name: str
    family: AddressFamily
    max_entries: int
    tags: Tags
    version: int = 1
    state: PrefixListState = PrefixListState.CREATE_COMPLETE
    state_message: str | None = None
    resolver_target_id: str | None = None
    """The target of a prefix list resolver that has it."""
    is_synchronised: bool = False
    """It is given what its target says, and its entries can't be changed otherwise."""

    @property
    def arn(self) -> str:
        return f"arn:aws:ec2:{self.region}:{self.owner_id}:prefix-list/{self.prefix_list_id}"

    @property
    def held_by_resolver(self) -> ResolverTargetAttached:
        """Why accounts can't change the entries of a list that is synchronised."""
        return ResolverTargetAttached(
            self.prefix_list_id,
            self.resolver_target_id,
            "disable its synchronisation before you modify its entries",
        )

    def checked(self, entries: Iterable[Entry]) -> tuple[Entry, ...]:
        """``entries`` in order, when the list can have them all, each once.

        Raises:
            InvalidParameterValue: one is of the other family.
            PrefixListMaxEntriesExceeded: they are too many.
        """
        found = tuple(sorted(entries, key=lambda entry: entry.cidr))
        for entry in found:
            if entry.cidr.family is not self.family:
                raise InvalidParameterValue(
                    f"Value ({entry.cidr}) for parameter cidr is invalid: the prefix list"
                    f" '{self.name}' is of {family_name(self.family)}",
                    parameter="cidr",
                    value=entry.cidr,
                    prefix_list_name=self.name,
                    address_family=family_name(self.family),
                )
        self._check_size(len(found), self.max_entries)
        return found

    def changed(self, change: Change, *, size: int) -> "PrefixList":
        """The list, of ``size`` entries, after a change of anything but these.

        Raises:
            PrefixListVersionMismatch: it has another version.
            IncorrectState: its resolver changes its entries, or none could.
            PrefixListMaxEntriesExceeded: it has more entries than it is to have at most.
        """
        if change.current_version is not None:
            self._check_version(change.current_version)
        result = replace(
            self,
            name=self.name if change.name is None else change.name,
            max_entries=self.max_entries if change.max_entries is None else change.max_entries,
            is_synchronised=self._is_synchronised_after(change),
            state=PrefixListState.MODIFY_COMPLETE,
        )
        if change.entries and result.is_synchronised:
            raise result.held_by_resolver
        self._check_size(size, result.max_entries)
        return result

    def entries_after(self, change: EntryChange, before: Iterable[Entry]) -> tuple[Entry, ...]:
        """What it has after a change of ``before``, in order.

        Raises:
            InvalidPrefixListModification: an entry is not there, or there already.
            InvalidParameterValue, PrefixListMaxEntriesExceeded: it can't have them.
        """
        known = {entry.cidr: entry for entry in before}
        for cidr in change.removed:
            if known.pop(cidr, None) is None:
                raise InvalidPrefixListModification(
                    self.prefix_list_id, cidr, "does not exist; leave it out"
                )
        for entry in change.added:
            if entry.cidr in known:
                raise InvalidPrefixListModification(
                    self.prefix_list_id, entry.cidr, "already exists; remove it first"
                )
        return self.checked([*known.values(), *change.added])

    def next_version(self) -> "PrefixList":
        """With other entries."""
        return replace(self, version=self.version + 1, state=PrefixListState.MODIFY_COMPLETE)

    def restored(self, current_version: int) -> "PrefixList":
        """With the entries of an earlier version.

        Raises:
            PrefixListVersionMismatch: it has another version.
            ResolverTargetAttached: its resolver changes its entries.
        """
        self._check_version(current_version)
        if self.is_synchronised:
            raise self.held_by_resolver
        return replace(self, version=self.version + 1, state=PrefixListState.RESTORE_COMPLETE)

    def check_deletable(self) -> None:
        """No target has it.

        Raises:
            ResolverTargetAttached: one has.
        """
        if self.resolver_target_id:
            raise ResolverTargetAttached(
                self.prefix_list_id, self.resolver_target_id, "delete the target first"
            )

    def attached(self, target_id: str, family: AddressFamily) -> "PrefixList":
        """As a target's own, and synchronised; itself, when it is the target's already.

        Raises:
            OtherResolverTarget: it is another's.
            InvalidParameterCombination: it is of the other family.
        """
        if self.resolver_target_id == target_id:
            return self
        if self.resolver_target_id:
            raise OtherResolverTarget(self.prefix_list_id, self.resolver_target_id)
        if self.family is not family:
            raise InvalidParameterCombination(
                f"'{self.prefix_list_id}' is of {family_name(self.family)}, but the resolver of"
                f" {family_name(family)}; use a prefix list of the resolver's address family",
                prefix_list_id=self.prefix_list_id,
                address_family=family_name(self.family),
                resolver_address_family=family_name(family),
            )
        return replace(self, resolver_target_id=target_id, is_synchronised=True)

    def detached(self, target_id: str) -> "PrefixList":
        """As nobody's; itself, when it isn't the target's."""
        if self.resolver_target_id != target_id:
            return self
        return replace(self, resolver_target_id=None, is_synchronised=False, state_message=None)

    def check_given_by(self, target_id: str) -> None:
        """The target may say what is in it.

        Raises:
            IncorrectState: the target has not got it, or synchronisation is off.
        """
        if self.resolver_target_id != target_id:
            raise IncorrectState(
                f"'{self.prefix_list_id}' is not the target's '{target_id}'; attach it first",
                prefix_list_id=self.prefix_list_id,
                ipam_prefix_list_resolver_target_id=target_id,
            )
        if not self.is_synchronised:
            raise IncorrectState(
                f"Synchronisation of '{self.prefix_list_id}' is disabled; enable it with"
                " ModifyManagedPrefixList",
                prefix_list_id=self.prefix_list_id,
            )

    def given(self, resolver_version: int) -> "PrefixList":
        """Now that its entries are those of its resolver's version."""
        message = f"Synchronised with version {resolver_version} of its prefix list resolver"
        return replace(self, state=PrefixListState.MODIFY_COMPLETE, state_message=message)

    def _is_synchronised_after(self, change: Change) -> bool:
        if change.is_synchronised is None:
            return self.is_synchronised
        if change.is_synchronised and not self.resolver_target_id:
            raise IncorrectState(
                f"'{self.prefix_list_id}' has no prefix list resolver to be synchronised with;"
                " create a target for it first",
                prefix_list_id=self.prefix_list_id,
            )
        return change.is_synchronised

    def _check_version(self, wanted: int) -> None:
        if wanted != self.version:
            raise PrefixListVersionMismatch(self.prefix_list_id, wanted, self.version)

    def _check_size(self, size: int, max_entries: int) -> None:
        if size > max_entries:
            raise PrefixListMaxEntriesExceeded(self.name, size, max_entries)


def replaced(before: Sequence[Entry], cidrs: Iterable[Cidr]) -> list[Entry]:
    """Entries of these CIDRs; those that were there keep their description."""
    known = {entry.cidr: entry for entry in before}
    return [known.get(cidr, Entry(cidr)) for cidr in dict.fromkeys(cidrs)]


def family_of(name: str) -> AddressFamily:
    """What ``IPv4`` or ``IPv6`` means.

    Raises:
        InvalidParameterValue: it is neither.
    """
    if name not in _FAMILIES:
        raise InvalidParameterValue(
            f"Value ({name}) for parameter addressFamily is invalid; use one of"
            f" {', '.join(_FAMILIES)}",
            parameter="addressFamily",
            value=name,
        )
    return _FAMILIES[name]


def family_name(family: AddressFamily) -> str:
    """AWS's word for it where prefix lists are concerned: ``IPv4``."""
    return _FAMILY_NAMES[family]
