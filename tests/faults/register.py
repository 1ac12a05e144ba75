"""Is there an order of calls that explains what their clients saw of one address?

An address is a register: free, or held by somebody. Each call takes effect at one moment between
its beginning and its answer; a history is linearizable when such moments can be found for all
(Herlihy and Wing). The search is Wing and Gong's, with Lowe's economy: it follows the history in
time, keeps every state that the answers so far allow, and remembers each only once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from tests.faults.history import NEVER

ANYBODY = "*"
"""Seen: held, whoever it is."""


class Kind(Enum):
    TAKE = "take"
    GIVE = "give"
    SEE = "see"


@dataclass(frozen=True, slots=True)
class Operation:
    """``holder`` is who takes or gives it, or who was seen holding it; None: nobody was.

    One that is never answered may have taken effect at any time since, or not at all.
    """

    kind: Kind
    holder: str | None
    invoked: float
    answered: float


@dataclass(frozen=True, slots=True)
class _State:
    """Who holds it, and which of the operations under way have taken effect."""

    holder: str | None
    done: frozenset[int]


def first_unexplained(operations: Sequence[Operation]) -> Operation | None:
    """The operation whose answer no order explains, given all that were answered before.

    None: the history is linearizable.
    """
    pending: set[int] = set()
    states = {_State(None, frozenset())}
    for _, is_answer, number in _in_time(operations):
        if not is_answer:
            pending.add(number)
            continue
        states = {
            _State(state.holder, state.done - {number})
            for state in _reachable(states, pending, operations)
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
    states: Iterable[_State], pending: set[int], operations: Sequence[Operation]
) -> set[_State]:
    """The states themselves, and all that some of the pending operations lead to."""
    found: set[_State] = set()
    left = [_having_seen(state, pending, operations) for state in states]
    while left:
        state = left.pop()
        if state not in found:
            found.add(state)
            left += [
                _having_seen(following, pending, operations)
                for following in _one_change_on(state, pending, operations)
            ]
    return found


def _having_seen(state: _State, pending: set[int], operations: Sequence[Operation]) -> _State:
    """Let who looks see what is there: it changes nothing, so it is never too early for it."""
    seen = {
        number
        for number in pending - state.done
        if operations[number].kind is Kind.SEE and _shows(state.holder, operations[number].holder)
    }
    return _State(state.holder, state.done | seen) if seen else state


def _one_change_on(
    state: _State, pending: set[int], operations: Sequence[Operation]
) -> Iterator[_State]:
    for number in pending - state.done:
        operation = operations[number]
        if operation.kind is Kind.TAKE and state.holder is None:
            yield _State(operation.holder, state.done | {number})
        if operation.kind is Kind.GIVE and state.holder == operation.holder:
            yield _State(None, state.done | {number})


def _shows(holder: str | None, seen: str | None) -> bool:
    return holder == seen or (seen == ANYBODY and holder is not None)
