import pytest
from sqlalchemy import Connection

from shared.persistence.steps import Step, Steps
from tests.shared.persistence.books import Books, note, outbox


@pytest.fixture
def steps(books: Books) -> Steps:
    return Steps(books.database, outbox)


def add(books: Books, steps: Steps, *subjects: str) -> list[int]:
    with books.database.write() as connection:
        return [steps.add(connection, kind="k", subject=s, payload={}) for s in subjects]


def claim(
    steps: Steps, *, now: float, until: float = 0.0, renewed: tuple[int, ...] = (), limit: int = 9
) -> list[int]:
    claimed = steps.claim(now=now, until=until, renewed=renewed, limit=limit)
    return [step.id for step in claimed]


def step(number: int, *, attempts: int = 0) -> Step:
    return Step(number, "k", "s", {}, attempts)


def test_only_the_first_step_of_each_subject_is_claimed(books: Books, steps: Steps) -> None:
    a1, b1, _a2, c1 = add(books, steps, "a", "b", "a", "c")
    assert claim(steps, now=1, until=10) == [a1, b1, c1]


def test_the_oldest_are_claimed_when_there_are_many(books: Books, steps: Steps) -> None:
    first, second, third = add(books, steps, "a", "b", "c")
    assert claim(steps, now=1, until=10, limit=2) == [first, second]
    assert claim(steps, now=1, until=10, limit=2) == [third]


def test_a_claim_lasts_until_its_lease_runs_out(books: Books, steps: Steps) -> None:
    ids = add(books, steps, "a")
    assert claim(steps, now=1, until=10) == ids
    assert claim(steps, now=9, until=99) == []
    assert claim(steps, now=10, until=20) == ids


def test_a_renewed_claim_lasts_longer_and_is_not_given_twice(books: Books, steps: Steps) -> None:
    (number,) = add(books, steps, "a")
    assert claim(steps, now=1, until=10) == [number]
    assert claim(steps, now=11, until=20, renewed=(number,)) == []
    assert claim(steps, now=19) == []


def test_a_released_claim_can_be_had_at_once(books: Books, steps: Steps) -> None:
    ids = add(books, steps, "a", "b")
    claim(steps, now=1, until=10)
    steps.release([ids[0]])
    assert claim(steps, now=1, until=10) == [ids[0]]


def test_a_postponed_step_waits_for_its_time_and_holds_up_its_subject(
    books: Books, steps: Steps
) -> None:
    first, second = add(books, steps, "s", "s")
    claim(steps, now=1, until=10)
    steps.postpone(step(first), due_at=5)
    assert claim(steps, now=4) == []
    assert steps.claim(now=5, until=10, renewed=(), limit=9) == [step(first, attempts=1)]
    steps.end(step(first), lambda _: None)
    assert claim(steps, now=5) == [second]


def test_what_was_just_postponed_is_not_renewed(books: Books, steps: Steps) -> None:
    (number,) = add(books, steps, "s")
    claim(steps, now=1, until=10)
    steps.postpone(step(number), due_at=2)
    claim(steps, now=1, until=10, renewed=(number,))
    assert claim(steps, now=2, until=10) == [number]


def test_the_only_process_may_take_everything_back(books: Books, steps: Steps) -> None:
    ids = add(books, steps, "s", "t")
    claim(steps, now=1, until=10)
    steps.postpone(step(ids[0]), due_at=9)
    steps.release_all()
    assert claim(steps, now=1, until=10) == ids


def test_a_step_ends_once_whoever_else_did_it(books: Books, steps: Steps) -> None:
    (number,) = add(books, steps, "s")
    for _ in range(2):
        steps.end(step(number), lambda connection: note(connection, "once"))
    assert books.texts == ["once"]
    assert not steps.is_open("s")


def test_a_step_whose_change_fails_stays(books: Books, steps: Steps) -> None:
    (number,) = add(books, steps, "s")

    def fail(connection: Connection) -> None:
        note(connection, "undone")
        raise LookupError

    with pytest.raises(LookupError):
        steps.end(step(number), fail)
    assert books.texts == []
    assert steps.is_open("s")


def test_numbers_are_never_used_twice(books: Books, steps: Steps) -> None:
    (first,) = add(books, steps, "s")
    steps.end(step(first), lambda _: None)
    assert add(books, steps, "s") > [first]
