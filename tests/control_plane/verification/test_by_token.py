"""What TXT records prove."""

import pytest

from services.control_plane.verification.by_token import NoAnswer, TxtAnswer, token_verdict
from services.control_plane.verification.reverse_zones import record_names
from services.control_plane.verification.verdict import Proven, Unproven
from shared.cidr import Cidr

VALUE = "a34597c3-5317-4238-9ce7-50da5b6e6dc8"


@pytest.mark.parametrize("values", [[VALUE], ["v=spf1 -all", VALUE]])
def test_every_record_that_tells_the_value_proves_the_range(values: list[str]) -> None:  # BYOIP-2
    names = record_names("86950620", Cidr.parse("198.18.12.0/22"))
    assert token_verdict(VALUE, dict.fromkeys(names, values)) == Proven()


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"a": [VALUE], "b": []}, "TXT records missing: b"),
        ({"a": [], "b": []}, "TXT records missing: a, b"),
        (
            {"a": [VALUE], "b": ["other", "else"], "c": ["third"]},
            "TXT records without the token's value: b, c (the first has 'other')",
        ),
        (
            {"a": [VALUE.upper()]},
            f"TXT records without the token's value: a (the first has '{VALUE.upper()[:32]}...')",
        ),
        (
            {"a": ["\x1b[2Jé"]},
            "TXT records without the token's value: a (the first has '\\x1b[2J\\xe9')",
        ),
        (
            {"a": [VALUE], "b": NoAnswer("no DNS server answers in time")},
            "TXT records that could not be looked up: b (no DNS server answers in time)",
        ),
        (
            {"a": [], "b": ["x"], "c": NoAnswer("why")},
            "TXT records missing: a; TXT records without the token's value: b (the first has 'x');"
            " TXT records that could not be looked up: c (why)",
        ),
    ],
)
def test_what_is_missing_is_named(answers: dict[str, TxtAnswer], reason: str) -> None:  # BYOIP-2
    assert token_verdict(VALUE, answers) == Unproven(reason)


def test_a_reason_has_a_limit_however_many_records_are_wrong() -> None:
    names = record_names("86950620", Cidr.parse("198.128.0.0/9"))
    fates: list[TxtAnswer] = [[], ["\U0001f600" * 1000], NoAnswer("no DNS server answers in time")]
    verdict = token_verdict(VALUE, {name: fates[i % 3] for i, name in enumerate(names)})
    assert isinstance(verdict, Unproven)
    assert len(verdict.reason) < 2048
    assert "and 33 more" in verdict.reason
