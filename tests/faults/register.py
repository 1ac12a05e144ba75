"""Is there an order of calls that explains what their clients saw of one address?

An address is a register: free, or held by somebody. Each call takes effect at one moment between
its beginning and its answer; a history is linearizable when such moments can be found for all
(Herlihy and Wing). What is held for a time goes by itself when that is over: whoever asks later
does not find it, and whoever asked before may find either. The search is Wing and Gong's, with
Lowe's economy: it follows the history in time, keeps every state that the answers so far allow, and
remembers each only once.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.faults.history import NEVER

ANYBODY = "*"
"""Seen: held, whoever it is."""
LEEWAY_SECONDS = 0.1
"""A time at which something expires may be told too early by so much."""


class Kind(Enum):
    TAKE = "take"
    GIVE = "give"
    SEE = "see"


@dataclass(frozen=True, slots=True)
class AllBut:
    """All holders there may be, except these."""

    exceptions: Container[str]

    def __contains__(self, holder: object) -> bool:
        return holder not in self.exceptions


@dataclass(frozen=True, slots=True)
class Operation:
    """``holder`` is who takes or gives it, or who was seen holding it; None: nobody was.

    One that is never answered may have taken effect at any time since, or not at all.
    """

    kind: Kind
    holder: str | None
    invoked: float
    answered: float
    ignores: Container[str] = field(default=frozenset(), repr=False)
    """Who is nobody to it: whom a list does not show, or whose hold an allocation settles."""
    expires_at: float = NEVER
    """When what it takes goes by itself."""


@dataclass(frozen=True, slots=True)
class _State:
    """Who holds it and until when, and which of the operations under way have taken effect."""

    holder: str | None
    done: frozenset[int]
    expires_at: float = NEVER


def first_unexplained(operations: Sequence[Operation]) -> Operation | None:
    """The operation whose answer no order explains, given all that were answered before.

    None: the history is linearizable.
    """
    pending: set[int] = set()
    states = {_State(None, frozenset())}
    for now, is_answer, number in _in_time(operations):
        if not is_answer:
            pending.add(number)
            continue
        states = {
            _State(state.holder, state.done - {number}, state.expires_at)
            for state in _reachable(states, pending, operations, now)
            if number in state.done
        }
        pending.remove(number)
        if not states:
            return operations[number]
    return None


def _in_time(operations: Iterable[Operation]) -> list[tuple[float, bool, int]]:
    """Beginnings and answers; of those at one moment the beginnings first, as none excludes one."""
    events = []
    for number, operation in enumerate(operations):
        events.append((operation.invoked, False, number))
        if operation.answered < NEVER:
            events.append((operation.answered, True, number))
    return sorted(events)


def _reachable(
    states: Iterable[_State], pending: set[int], operations: Sequence[Operation], now: float
) -> set[_State]:
    """The states themselves, and all that some of the pending operations lead to, or time does."""
    found: set[_State] = set()
    left = [_having_seen(state, pending, operations) for state in states]
    while left:
        state = left.pop()
        if state not in found:
            found.add(state)
            left += [
                _having_seen(following, pending, operations)
                for following in _one_change_on(state, pending, operations, now)
            ]
    return found


def _having_seen(state: _State, pending: set[int], operations: Sequence[Operation]) -> _State:
    """Let who looks see what is there: it changes nothing, so it is never too early for it."""
    seen = {
        number
        for number in pending - state.done
        if operations[number].kind is Kind.SEE and _shows(state, operations[number])
    }
    return _State(state.holder, state.done | seen, state.expires_at) if seen else state


def _one_change_on(
    state: _State, pending: set[int], operations: Sequence[Operation], now: float
) -> Iterator[_State]:
    if state.expires_at <= now:
        yield _State(None, state.done)
    for number in pending - state.done:
        operation = operations[number]
        done = state.done | {number}
        if operation.kind is Kind.TAKE and _is_free(state, operation):
            yield _State(operation.holder, done, operation.expires_at)
        if operation.kind is Kind.GIVE and _is_held_by(operation.holder, state, operation):
            yield _State(None, done)


def _shows(state: _State, look: Operation) -> bool:
    if look.holder is None:
        return _is_free(state, look)
    if look.holder == ANYBODY:
        return not _is_free(state, look)
    return _is_held_by(look.holder, state, look)


def _is_free(state: _State, operation: Operation) -> bool:
    """To the one who asks."""
    is_over = state.expires_at + LEEWAY_SECONDS <= operation.invoked
    return state.holder is None or is_over or state.holder in operation.ignores


def _is_held_by(holder: str | None, state: _State, operation: Operation) -> bool:
    return state.holder == holder and not _is_free(state, operation)
