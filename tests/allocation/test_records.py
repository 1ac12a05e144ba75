"""What is kept as text is read as what it was."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.allocation.allocation import Allocation, ResourceType
from services.allocation.placement import Placement, Strategy
from services.allocation.pool_cidr import CidrState, PoolCidr
from services.allocation.set_aside import SetAside, SetAsideReason
from services.allocation.store.records import (
    placement_from_json,
    placement_to_json,
    record_from_json,
    record_to_text,
)
from shared.cidr import Cidr

TEXTS = st.text(max_size=20)
MOMENTS = st.datetimes(timezones=st.just(UTC))
CIDRS = st.sampled_from([Cidr.parse("10.0.0.0/24"), Cidr.parse("2600::/56")])
RECORDS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        Allocation,
        st.just("ipam-pool-alloc-1"),
        st.just("ipam-pool-1"),
        CIDRS,
        st.sampled_from(ResourceType),
        TEXTS,
        MOMENTS,
        resource_id=st.none() | TEXTS,
        resource_region=st.none() | TEXTS,
        description=st.none() | TEXTS,
        tags=st.dictionaries(TEXTS, TEXTS, max_size=3),
        allocated_by=st.none() | TEXTS,
        client_token=st.none() | TEXTS,
    ),
    st.builds(
        PoolCidr,
        TEXTS,
        TEXTS,
        CIDRS,
        st.sampled_from(CidrState),
        st.none() | TEXTS,
        st.none() | st.tuples(TEXTS, TEXTS),
    ),
    st.builds(
        SetAside, TEXTS, TEXTS, CIDRS, st.sampled_from(SetAsideReason), TEXTS, MOMENTS, MOMENTS
    ),
)


@given(RECORDS)
def test_a_record_survives_as_text(record: Any) -> None:
    assert record_from_json(json.loads(record_to_text(record))) == record


@given(
    st.builds(
        Placement,
        st.sampled_from(Strategy),
        st.lists(CIDRS, max_size=2).map(tuple),
        st.booleans(),
        st.none() | st.integers(0, 172_800).map(lambda seconds: timedelta(seconds=seconds)),
    )
)
def test_a_placement_survives_as_json(placement: Placement) -> None:
    stored = json.loads(json.dumps(placement_to_json(placement)))
    assert placement_from_json(stored) == placement


def test_a_moment_keeps_its_microseconds() -> None:
    made = datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC)
    cidr = Cidr.parse("10.0.0.0/24")
    allocation = Allocation("a", "b", cidr, ResourceType.CUSTOM, "c", made)
    assert record_from_json(json.loads(record_to_text(allocation))) == allocation
