from datetime import UTC, datetime

import pytest

from cadastre.common.v1.types_pb2 import Filter, Tag
from cadastre.control.v1.ipam_pool_pb2 import IPAM_POOL_STATE_CREATE_COMPLETE, IpamPool
from cadastre.network.v1.instance_service_pb2 import Instance, Reservation
from cadastre.network.v1.vpc_pb2 import Vpc
from shared.errors import InvalidParameterValue
from shared.filters import FilterSet, exact_values, literal_pieces

POOL = IpamPool(
    ipam_pool_id="ipam-pool-1",
    description="a*b",
    state=IPAM_POOL_STATE_CREATE_COMPLETE,
    auto_import=False,
    pool_depth=2,
    tags=[Tag(key="team", value="net"), Tag(key="env", value="")],
)


@pytest.mark.parametrize(
    ("name", "values", "passes"),
    [
        ("ipam-pool-id", ["ipam-pool-1"], True),
        ("ipam-pool-id", ["ipam-pool-2", "ipam-pool-1"], True),
        ("ipam-pool-id", ["ipam-pool"], False),
        ("ipam-pool-id", ["ipam-pool-*"], True),
        ("ipam-pool-id", ["ipam-pool-?"], True),
        ("ipam-pool-id", ["ipam.pool-1"], False),
        ("ipam-pool-id", [], False),
        ("description", [r"a\*b"], True),
        ("description", [r"a\?b"], False),
        ("state", ["create-complete"], True),
        ("state", ["CREATE-COMPLETE"], False),
        ("auto-import", ["false"], True),
        ("auto-import", ["False"], False),
        ("pool-depth", ["2"], True),
        ("locale", ["*"], False),
        ("tag:team", ["net"], True),
        ("tag:env", [""], True),
        ("tag:missing", ["*"], False),
        ("tag-key", ["team"], True),
        ("tag-key", ["net"], False),
    ],
)
def test_a_record_passes_when_one_value_matches(
    name: str, values: list[str], passes: bool
) -> None:  # BEY-6
    filters = FilterSet([Filter(name=name, values=values)], IpamPool.DESCRIPTOR)
    assert filters.matches(POOL) is passes


@pytest.mark.parametrize(
    ("name", "value", "passes"),
    [
        ("tag:team", "net", True),
        ("tag:team", "*x", False),
        ("tag:env", "net", False),
        ("tag-key", "team", True),
        ("tag-key", "env", False),
        ("instance-id", "i-1", True),
    ],
)
def test_tags_may_be_elsewhere_in_a_record(name: str, value: str, passes: bool) -> None:  # BEY-6
    record = Reservation(
        instances=[Instance(instance_id="i-1", tags=[Tag(key="team", value="net")])]
    )
    filters = FilterSet(
        [Filter(name=name, values=[value])],
        Reservation.DESCRIPTOR,
        {"instance-id": "instances.instance_id"},
        tags="instances.tags",
    )
    assert filters.matches(record) is passes


@pytest.mark.parametrize(
    ("value", "passes"),
    [
        ("2026-01-02T03:04:05.678Z", True),
        ("2026-01-02T*", True),
        ("2026-01-02T03:04:05Z", False),
        ("2026-01-02T03:04:05.678901Z", False),
    ],
)
def test_moments_are_compared_as_ec2_writes_them(value: str, passes: bool) -> None:  # BEY-6
    record = Instance()
    record.launch_time.FromDatetime(datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC))
    filters = FilterSet(
        [Filter(name="launch-time", values=[value])],
        Instance.DESCRIPTOR,
        {"launch-time": "launch_time"},
    )
    assert filters.matches(record) is passes
    assert not filters.matches(Instance())


def test_several_filters_must_all_pass() -> None:
    fits, fails = Filter(name="pool-depth", values=["2"]), Filter(name="pool-depth", values=["3"])
    assert FilterSet([fits, fits], IpamPool.DESCRIPTOR).matches(POOL)
    assert not FilterSet([fits, fails], IpamPool.DESCRIPTOR).matches(POOL)


@pytest.mark.parametrize("name", ["nonsense", "tags", "source-resource", "IpamPoolId", "tag"])
def test_unknown_filters_are_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(InvalidParameterValue, match="ipam-pool-id"):
        FilterSet([Filter(name=name, values=["x"])], IpamPool.DESCRIPTOR)


def test_aliases_reach_into_nested_lists() -> None:
    vpc = Vpc()
    vpc.cidr_block_association_set.add(cidr_block="10.0.0.0/16")
    vpc.cidr_block_association_set.add(cidr_block="10.1.0.0/16")
    aliases = {"cidr-block-association.cidr-block": "cidr_block_association_set.cidr_block"}
    wanted = Filter(name="cidr-block-association.cidr-block", values=["10.1.*"])
    assert FilterSet([wanted], Vpc.DESCRIPTOR, aliases).matches(vpc)
    assert not FilterSet([wanted], Vpc.DESCRIPTOR, aliases).matches(Vpc())


@pytest.mark.parametrize(
    ("value", "pieces"),
    [
        ("", [""]),
        ("vpc", ["vpc"]),
        ("*", ["", ""]),
        ("a*b?", ["a", "b", ""]),
        (r"a\*b\\?\c", ["a*b\\", "c"]),
        ("\n\\", ["\n\\"]),
    ],
)
def test_pieces_are_what_stands_between_wildcards(value: str, pieces: list[str]) -> None:
    assert literal_pieces(value) == pieces


@pytest.mark.parametrize(
    ("values", "exact"),
    [
        (["ipam-pool-1"], ["ipam-pool-1"]),
        (["a", r"b\*"], ["a", "b*"]),
        (["a", "b*"], None),
        (["?"], None),
        ([], []),
    ],
)
def test_whole_values_are_told_where_there_are_no_wildcards(
    values: list[str], exact: list[str] | None
) -> None:
    filters = [Filter(name="description", values=["x"]), Filter(name="ipam-pool-id", values=values)]
    assert exact_values(filters, "ipam-pool-id") == exact
    assert exact_values(filters, "locale") is None
