"""An account that can't be read in full is not read at all, and nobody else suffers."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from werkzeug.wrappers import Response

from services.discovery.aws.source import AwsSource
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed
from tests.discovery.aws.conftest import ALICE, BOB
from tests.discovery.aws.moto_front import Asked, MotoFront, ec2_answer, ec2_error, sts_error

PARIS = "eu-west-3"
SourceWith = Callable[..., AwsSource]


def of_alice(answer: Callable[[Asked], Response]) -> Callable[[Asked], Response | None]:
    return lambda asked: answer(asked) if asked.account_id == ALICE else None


async def failure_of(source: AwsSource) -> SnapshotFailed:
    """What Alice's snapshot fails with, while Bob's, read beside it, does not."""
    both = [AccountRegion(one, PARIS) for one in (ALICE, BOB)]
    alices, bobs = await asyncio.gather(*map(source.snapshot, both), return_exceptions=True)
    assert isinstance(bobs, Snapshot), bobs
    assert isinstance(alices, SnapshotFailed), alices
    assert "secret" not in alices.message
    return alices


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("UnauthorizedOperation", FailureCode.UNAUTHORIZED),
        ("AccessDenied", FailureCode.UNAUTHORIZED),
        ("AuthFailure", FailureCode.UNAUTHORIZED),
        ("ExpiredToken", FailureCode.UNAUTHORIZED),
        ("RequestExpired", FailureCode.UNAUTHORIZED),
        ("Throttling", FailureCode.THROTTLING),
        ("RequestLimitExceeded", FailureCode.THROTTLING),
        ("InternalError", FailureCode.OTHER),
        ("Unheard.Of", FailureCode.OTHER),
    ],
)
async def test_an_error_of_aws_says_why(
    aws: MotoFront, source: AwsSource, word: str, code: FailureCode
) -> None:
    aws.answer("DescribeSubnets", of_alice(lambda _: ec2_error(word)))
    failure = await failure_of(source)
    assert failure.code is code
    assert failure.message == f"DescribeSubnets was refused: {word}"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(sts_error("AccessDenied"), FailureCode.ASSUME_ROLE, id="no such role"),
        pytest.param(sts_error("ExpiredToken"), FailureCode.ASSUME_ROLE, id="ours have expired"),
        pytest.param(sts_error("Throttling", 400), FailureCode.THROTTLING, id="throttled"),
        pytest.param(sts_error("Odd", 500), FailureCode.OTHER, id="faulty"),
        pytest.param(Response("<html/>"), FailureCode.OTHER, id="garbage"),
    ],
)
async def test_a_role_that_cannot_be_assumed_says_why(
    aws: MotoFront, source: AwsSource, answer: Response, code: FailureCode
) -> None:
    aws.answer("AssumeRole", lambda asked: answer if ALICE in asked.role_arn else None)
    failure = await failure_of(source)
    assert failure.code is code
    assert failure.message.startswith("AssumeRole ")
    assert aws.actions()["DescribeVpcs"] == 1


def role_answer(account_id: str, expires_in: timedelta) -> Response:
    expiration = (datetime.now(UTC) + expires_in).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Response(
        f"<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><Arn>arn:aws:sts::{account_id}:"
        "assumed-role/CadastreDiscovery/s</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIAX"
        "</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>secret"
        f"</SessionToken><Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult>"
        "</AssumeRoleResponse>",
        content_type="text/xml",
    )


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        pytest.param(
            role_answer(ALICE, timedelta(seconds=-9)), FailureCode.OTHER, id="expired when it comes"
        ),
        pytest.param(
            role_answer(BOB, timedelta(hours=1)), FailureCode.ASSUME_ROLE, id="of another account"
        ),
    ],
)
async def test_credentials_that_are_no_good_are_not_used(
    aws: MotoFront, source: AwsSource, answer: Response, code: FailureCode
) -> None:
    aws.answer("AssumeRole", lambda asked: answer if ALICE in asked.role_arn else None)
    assert (await failure_of(source)).code is code
    assert aws.actions()["DescribeVpcs"] == 1


async def test_without_credentials_of_our_own_no_role_is_assumed(
    source: AwsSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(SnapshotFailed) as failure:
        await source.snapshot(AccountRegion(ALICE, PARIS))
    assert failure.value.code is FailureCode.ASSUME_ROLE


async def test_credentials_are_renewed_before_they_expire(
    aws: MotoFront, source: AwsSource
) -> None:
    # Soon enough for boto3 to want new ones each time it signs.
    aws.answer("AssumeRole", lambda _: role_answer(ALICE, timedelta(minutes=5)))
    await source.snapshot(AccountRegion(ALICE, PARIS))
    assert aws.actions()["AssumeRole"] > 1


async def test_a_role_that_is_taken_away_while_reading_says_so(
    aws: MotoFront, source: AwsSource
) -> None:
    def until_reading(asked: Asked) -> Response:
        if aws.actions()["DescribeSubnets"]:
            return sts_error("AccessDenied")
        return role_answer(ALICE, timedelta(minutes=5))

    aws.answer("AssumeRole", until_reading)
    with pytest.raises(SnapshotFailed, match="AssumeRole was refused") as failure:
        await source.snapshot(AccountRegion(ALICE, PARIS))
    assert failure.value.code is FailureCode.ASSUME_ROLE


async def test_an_unauthorized_account_gets_new_credentials_at_the_next_attempt(
    aws: MotoFront, source: AwsSource
) -> None:
    refused: list[str] = []

    def revoked(asked: Asked) -> Response | None:
        if asked.token in (refused or [asked.token]):
            refused.append(asked.token)
            return ec2_error("ExpiredToken")
        return None

    aws.answer("DescribeSubnets", revoked)
    with pytest.raises(SnapshotFailed):
        await source.snapshot(AccountRegion(ALICE, PARIS))
    await source.snapshot(AccountRegion(ALICE, PARIS))
    assert len(set(refused)) == 1


def half(asked: Asked) -> Response:
    whole = ec2_answer(asked.action, "<subnetSet/>").get_data()
    headers = {"Content-Length": str(len(whole))}
    return Response(whole[: len(whole) // 2], headers=headers, content_type="text/xml")


def bad_cidr(cidr: str) -> Callable[[Asked], Response]:
    item = (
        f"<item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><ownerId>{ALICE}</ownerId>"
        f"<cidrBlock>{cidr}</cidrBlock></item>"
    )
    return lambda asked: ec2_answer(asked.action, f"<subnetSet>{item}</subnetSet>")


def always(content: str, status: int = 200) -> Callable[[Asked], Response]:
    return lambda _: Response(content, status, content_type="text/xml")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(always("busy"), "ResponseParserError", id="no XML"),
        pytest.param(always("<html><body/></html>"), "without Subnets", id="another's XML"),
        pytest.param(always("<html>busy</html>", 502), "no error code|502", id="a proxy's error"),
        pytest.param(always(""), "", id="nothing"),
        pytest.param(always("<DescribeSubnetsResponse><subn"), "ParserError", id="cut off"),
        pytest.param(half, "failed", id="half a body"),
        pytest.param(
            lambda asked: ec2_answer(asked.action, "<subnetSet/><nextToken>again</nextToken>"),
            "PaginationError",
            id="pages without end",
        ),
        pytest.param(bad_cidr("10.0.0.0/33"), "'10.0.0.0/33', which is no CIDR", id="a bad CIDR"),
        pytest.param(bad_cidr("10.0.0.1/24"), "'10.0.0.1/24', which is no CIDR", id="host bits"),
        pytest.param(bad_cidr(""), "without CidrBlock", id="no CIDR"),
        pytest.param(
            lambda asked: ec2_answer(
                asked.action,
                "<subnetSet><item><availableIpAddressCount>many</availableIpAddressCount></item>"
                "</subnetSet>",
            ),
            "ValueError",
            id="no number",
        ),
    ],
)
async def test_garbage_fails_the_snapshot(
    aws: MotoFront, source: AwsSource, answer: Callable[[Asked], Response], reason: str
) -> None:
    aws.answer("DescribeSubnets", of_alice(answer))
    failure = await failure_of(source)
    assert failure.code is FailureCode.OTHER
    assert any(one in failure.message for one in reason.split("|")), failure.message


async def test_the_second_page_failing_fails_it_all(aws: MotoFront, source: AwsSource) -> None:
    aws.page_limit = 2

    def second(asked: Asked) -> Response | None:
        mine = [one for one in aws.asked if one == asked]
        return ec2_error("RequestLimitExceeded") if len(mine) == 2 else None

    aws.answer(
        "DescribeSubnets", lambda asked: second(asked) if asked.account_id == ALICE else None
    )
    assert (await failure_of(source)).code is FailureCode.THROTTLING


async def test_an_answer_that_does_not_come_fails_in_time(
    aws: MotoFront, source_with: SourceWith
) -> None:
    def hang(asked: Asked) -> Response:
        aws.going_down.wait()
        return ec2_error("InternalError")

    aws.answer("DescribeSubnets", hang)
    with pytest.raises(SnapshotFailed) as failure:
        await source_with(request_timeout_seconds=3).snapshot(AccountRegion(ALICE, PARIS))
    assert failure.value.code is FailureCode.OTHER
    assert failure.value.message == "DescribeSubnets failed: ReadTimeoutError"


async def test_an_account_that_takes_too_long_fails_in_time_and_is_asked_no_more(
    aws: MotoFront, source_with: SourceWith
) -> None:
    """Others wait for it: IPAMs are evaluated when all have been read."""
    go_on = Event()

    def hang(asked: Asked) -> Response:
        go_on.wait()
        return ec2_answer(asked.action, "<subnetSet/>")

    denied = sts_error("AccessDenied")
    aws.answer("DescribeSubnets", of_alice(hang))
    aws.answer("AssumeRole", lambda asked: denied if BOB in asked.role_arn else None)
    source = source_with(snapshot_seconds=3, attempts_at_once=1)
    with pytest.raises(SnapshotFailed) as failure:
        await source.snapshot(AccountRegion(ALICE, PARIS))
    assert failure.value.code is FailureCode.OTHER
    assert failure.value.message == "AWS did not tell everything within 3 seconds"
    go_on.set()
    # In the same thread, which is free again.
    with pytest.raises(SnapshotFailed, match="AssumeRole was refused"):
        await source.snapshot(AccountRegion(BOB, PARIS))
    assert aws.actions()["DescribeVpcs"] == 0


@pytest.mark.parametrize(
    "accelerators",
    [["none"], "none", [7], [None], {"of": "another"}, [{"AcceleratorArn": 7}], 7],
    ids=str,
)
async def test_an_answer_of_other_types_fails_the_snapshot(
    aws: MotoFront, source: AwsSource, accelerators: Any
) -> None:
    for action, told in {
        "ListByoipCidrs": {"ByoipCidrs": []},
        "ListAccelerators": {"Accelerators": accelerators},
    }.items():
        answer = Response(json.dumps(told), content_type="application/json")
        aws.answer(action, lambda _, answer=answer: answer)  # type: ignore[misc]
    with pytest.raises(SnapshotFailed, match="Accelerator") as failure:
        await source.snapshot(AccountRegion(ALICE, "us-west-2"))
    assert failure.value.code is FailureCode.OTHER


async def test_throttling_that_passes_fails_nothing(
    aws: MotoFront, source_with: SourceWith
) -> None:
    def at_first(_: Asked) -> Any:
        return ec2_error("RequestLimitExceeded", 503) if aws.actions()["DescribeVpcs"] < 2 else None

    aws.answer("DescribeVpcs", at_first)
    await source_with(request_attempts=2).snapshot(AccountRegion(ALICE, PARIS))
    assert aws.actions()["DescribeVpcs"] == 2


@pytest.mark.parametrize("region", ["nowhere", "eu-west-3.example.com/", ""])
async def test_a_region_that_there_is_not_fails(source: AwsSource, region: str) -> None:
    with pytest.raises(SnapshotFailed) as failure:
        await source.snapshot(AccountRegion(ALICE, region))
    assert failure.value.code is FailureCode.OTHER
