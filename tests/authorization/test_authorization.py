"""Who may do what: every RPC, by every kind of caller (ORG-2 to ORG-10, POOL-5, IPAM-4, BEY-12).

The table is in ``*_rows.py``. An RPC that is in none of its rows fails the first test.
"""

import asyncio

import pytest

from tests.authorization.recording import Record, internal_rpcs, open_rpcs, recorded
from tests.authorization.table import ROWS, WITH_EFFECT, WITHOUT_EFFECT

UNPROVED = (
    "no token",
    "no bearer",
    "no token of ours",
    "expired",
    "signed with another key",
    "changed after signing",
    "not signed",
)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    with pytest.MonkeyPatch.context() as patch:
        # Nobody out there is asked who has what.
        patch.setenv("CADASTRE_RDAP_URL", "http://127.0.0.1:9")
        patch.setenv("CADASTRE_DNS_SERVERS", '["127.0.0.1:9"]')
        return asyncio.run(recorded(tmp_path_factory.mktemp("data")))


ABOUT_THE_CALLER_ALONE = {"cadastre.discovery.v1.SnapshotService/PushSnapshot"}
"""Name nothing of anybody: what they are about follows from the caller."""


def test_every_rpc_of_every_contract_is_in_the_table() -> None:
    in_table = {f"cadastre.{row.path}" for row in ROWS.values()}
    assert in_table | ABOUT_THE_CALLER_ALONE == open_rpcs()
    assert len(ROWS) == len(WITHOUT_EFFECT) + len(WITH_EFFECT)


@pytest.mark.parametrize("name", ROWS)
def test_each_caller_is_answered_as_the_table_says(record: Record, name: str) -> None:
    asked = record.of(name)
    expected = {
        (whose, caller): outcome
        for whose in ROWS[name].whose
        for caller, outcome in ROWS[name].expected_about(whose).items()
    }
    assert {(one.whose, one.caller): one.outcome for one in asked} == expected


@pytest.mark.parametrize("name", ROWS)
def test_no_answer_tells_what_its_caller_is_not_to_know(  # BEY-12
    record: Record, name: str
) -> None:
    told = {
        (one.caller, what)
        for one in record.of(name)
        for what, callers in record.known_by.items()
        # What a caller names itself, a refusal may repeat.
        if one.caller not in ROWS[name].knowing(callers)
        and what not in one.request
        and what in one.answer.text
    }
    assert told == set()


def test_neither_dry_runs_nor_refused_calls_change_anything(record: Record) -> None:
    assert record.after == record.before


@pytest.mark.parametrize("wrong", UNPROVED)
def test_who_proves_nothing_may_do_nothing(record: Record, wrong: str) -> None:  # ORG-10
    told = {(answer.code, answer.reason) for answer in record.unsigned[wrong].values()}
    assert told == {("UNAUTHENTICATED", "AuthFailure")}


@pytest.mark.parametrize("rpc", sorted(internal_rpcs()))
def test_what_is_for_services_is_no_accounts_to_call(record: Record, rpc: str) -> None:
    told = {(answer.code, answer.reason) for answer in record.internal[rpc].values()}
    assert told == {("PERMISSION_DENIED", "UnauthorizedOperation")}
