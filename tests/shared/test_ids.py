import pytest

from shared import ids
from shared.errors import MalformedId


@pytest.mark.parametrize("kind", ids.KINDS, ids=lambda kind: kind.prefix)
def test_new_ids_have_the_form_that_is_checked(kind: ids.IdKind) -> None:
    new = kind.new()
    assert kind.check(new) == new
    assert len(new) == len(kind.prefix) + kind.digits


def test_ids_in_order_begin_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for milliseconds in (1, 0x18F_0000_0000, 0xFFFF_FFFF_FFFF):
        monkeypatch.setattr("time.time_ns", lambda now=milliseconds: now * 1_000_000)
        made += [ids.IPAM_POOL_ALLOCATION.new() for _ in range(3)]
    assert [new.removeprefix("ipam-pool-alloc-")[:12] for new in made[::3]] == [
        "000000000001",
        "018f00000000",
        "ffffffffffff",
    ]
    assert made[0] < made[3] < made[6]
    assert len(set(made)) == len(made)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ipam-",
        "ipam-pool-0123456789abcdef0",
        "IPAM-0123456789abcdef0",
        "ipam-0123456789abcdefg",
        "ipam-0123456789abcdef0\n",
    ],
)
def test_ids_of_another_form_are_malformed(value: str) -> None:
    with pytest.raises(MalformedId) as refusal:
        ids.IPAM.check(value)
    assert refusal.value.reason == "InvalidIpamId.Malformed"


def test_unknown_ids_carry_the_reason_terraform_looks_for() -> None:
    assert ids.IPAM_POOL.unknown("ipam-pool-1").reason == "InvalidIpamPoolId.NotFound"


def test_arns_have_no_region() -> None:
    assert ids.arn("123456789012", "ipam", "ipam-0de") == "arn:aws:ec2::123456789012:ipam/ipam-0de"
