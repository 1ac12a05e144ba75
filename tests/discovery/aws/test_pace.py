from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.discovery.aws.pace import TokenBucket

moments = st.lists(st.floats(0, 50), min_size=1, max_size=60).map(sorted)


def test_one_seconds_worth_goes_at_once_and_the_rest_at_the_rate() -> None:
    bucket = TokenBucket(4)
    assert [bucket.take(100.0) for _ in range(7)] == [0, 0, 0, 0, 0.25, 0.5, 0.75]


def test_less_than_one_a_second_still_goes_one_at_a_time() -> None:
    bucket = TokenBucket(0.5)
    assert [bucket.take(100.0), bucket.take(100.0), bucket.take(101.0)] == [0, 2, 3]


def test_what_was_not_taken_is_not_saved_up_for_ever() -> None:
    bucket = TokenBucket(2)
    bucket.take(0.0)
    assert [bucket.take(1e6) for _ in range(3)] == [0, 0, 0.5]


@given(moments, st.sampled_from([0.5, 1, 3, 20]))
def test_no_span_of_time_has_more_than_the_rate_and_one_burst(
    asked_at: list[float], per_second: float
) -> None:
    bucket = TokenBucket(per_second)
    due = [now + bucket.take(now) for now in asked_at]
    assert all(earlier <= later + 1e-6 for earlier, later in pairwise(due))
    for first in range(len(due)):
        for last in range(first, len(due)):
            most = max(1.0, per_second) + per_second * (due[last] - due[first])
            assert last - first + 1 <= most + 1e-6
