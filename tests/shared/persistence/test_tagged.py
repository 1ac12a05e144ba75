"""Tags of rows, one by one, on both databases."""

import random
from collections.abc import AsyncIterator, Sequence

import pytest
import sqlalchemy as sa

from cadastre.common.tags.v1 import tag_service_pb2 as pb
from cadastre.common.v1 import types_pb2
from shared.caller import Caller
from shared.errors import InvalidNextToken, InvalidParameterValue
from shared.paging import paginate
from shared.persistence.database import Database
from shared.persistence.tagged import ResourceTag, Tagged, TaggedTables, TagsAfter, Wanted
from shared.rpc.tag_servicer import passing, wanted_by

_metadata = sa.MetaData()


def _table(name: str) -> sa.Table:
    return sa.Table(
        name,
        _metadata,
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("resource_id", sa.String(64), nullable=False),
        sa.Column("owner_id", sa.String(64), nullable=False),
        sa.Column("region", sa.String(64), nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
    )


vpcs, pools = _table("vpcs"), _table("pools")
ME = Caller("111122223333", "us-east-1", "me")
ELSEWHERE, OTHER = Caller(ME.account_id, "us-west-2", "me"), Caller("4", ME.region, "you")
KEYS = ["Name", "name", "a b", "ключ", "\U0001f600", "50%_/\\", "'\"", "x" * 128]
VALUES = ["", "Name", "a", "A*", "%", "ключ\U0001f600", "\n", '{"a": "b"}']
KINDS = [Tagged.of("vpc", vpcs.c.resource_id), Tagged.of("pool", pools.c.resource_id)]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    with database.write() as connection:
        _metadata.create_all(connection)
    yield database
    database.close()


def _fill(database: Database, rng: random.Random) -> list[ResourceTag]:
    """Resources of two types and several owners; what is mine, in order."""
    mine = []
    with database.write() as connection:
        for kind, table in (("vpc", vpcs), ("pool", pools)):
            for sequence in range(1, rng.randint(1, 40)):
                owner = rng.choice([ME, ELSEWHERE, OTHER])
                tags = {key: rng.choice(VALUES) for key in rng.sample(KEYS, rng.randint(0, 4))}
                connection.execute(
                    table.insert().values(
                        sequence=sequence,
                        resource_id=f"{kind}-{sequence}",
                        owner_id=owner.account_id,
                        region=owner.region,
                        tags=tags,
                    )
                )
                if owner is ME:
                    mine += [
                        ResourceTag(kind, f"{kind}-{sequence}", key, tags[key])
                        for key in sorted(tags)
                    ]
    return mine


@pytest.mark.parametrize("seed", range(3))
async def test_pages_have_every_tag_of_the_callers_once_and_in_order(
    database: Database, seed: int
) -> None:
    rng = random.Random(seed)
    mine = _fill(database, rng)
    tables = TaggedTables(database, KINDS)
    found: list[ResourceTag] = []
    request = pb.DescribeTagsRequest(max_results=rng.randint(1, 9))

    def page(tags: TagsAfter) -> tuple[list[ResourceTag], str | None]:
        return paginate(request, lambda after: tags(after, wanted=Wanted()))

    while True:
        records, token = await tables.ask(ME, page)
        found += records
        if token is None:
            break
        request.next_token = token
    assert found == mine


async def test_only_what_is_asked_for_is_read(database: Database) -> None:
    mine = _fill(database, random.Random(7))
    ids = {mine[0].resource_id, mine[-1].resource_id, "vpc-none"}
    wanted = Wanted(ids, lambda resource_type: resource_type == "vpc")
    found = await _tags(database, wanted)
    assert found == [tag for tag in mine if tag.resource_id in ids and tag.resource_type == "vpc"]


@pytest.mark.parametrize("seed", range(3))
async def test_no_tag_that_passes_is_left_unread(database: Database, seed: int) -> None:
    rng = random.Random(seed)
    mine = _fill(database, rng)
    for _ in range(40):
        filters = [_filter(rng) for _ in range(rng.randint(1, 2))]
        passes = passing(filters)
        found = [tag for tag in await _tags(database, wanted_by(filters)) if passes(_record(tag))]
        assert found == [tag for tag in mine if passes(_record(tag))], filters


async def test_a_rare_tag_is_found_without_reading_the_others(database: Database) -> None:
    mine = _fill(database, random.Random(3))
    rare = mine[len(mine) // 2]
    for filters in (
        [types_pb2.Filter(name=f"tag:{rare.key}", values=[_quoted(rare.value)])],
        [types_pb2.Filter(name="key", values=[_quoted(rare.key), "none"])],
        [types_pb2.Filter(name="key", values=[f"{_quoted(rare.key)[:-1]}*"])],
    ):
        read = await _tags(database, wanted_by(filters))
        assert rare in read
        assert len(read) < len(mine)


async def test_a_place_that_no_page_ended_at_is_refused(database: Database) -> None:
    tables = TaggedTables(database, KINDS)
    for key in ("", "0", "x 1 00", "0 x 00", "0 1 0", "0 1 ff", f"0 {10**19} 00", "-1 1 00"):
        with pytest.raises(InvalidNextToken):
            await tables.ask(ME, lambda tags, key=key: list(tags(key, wanted=Wanted())))  # type: ignore[misc]


async def _tags(database: Database, wanted: Wanted) -> Sequence[ResourceTag]:
    tables = TaggedTables(database, KINDS)
    return await tables.ask(ME, lambda tags: [tag for _, tag in tags(None, wanted=wanted)])


def _filter(rng: random.Random) -> types_pb2.Filter:
    """Of what there is, with wildcards in it or taken as it is."""
    name = rng.choice(["key", "value", "tag:", "resource-id", "resource-type"])
    texts = {"resource-id": ["vpc-3", "pool-3", "none"], "resource-type": ["vpc", "pool", "x"]}
    values = rng.sample(texts.get(name, [*KEYS, *VALUES]), rng.randint(0, 3))
    if name == "tag:":
        name += rng.choice(KEYS)
    return types_pb2.Filter(name=name, values=[_varied(rng, value) for value in values])


def _varied(rng: random.Random, text: str) -> str:
    how, at = rng.randint(0, 3), rng.randint(0, len(text))
    if how == 0:
        return text
    if how == 1:
        return _quoted(text)
    wild = rng.choice("*?")
    return f"{_quoted(text[:at])}{wild}{_quoted(text[at + 1 :])}" if how == 2 else f"{text[:at]}*"


def _quoted(text: str) -> str:
    return "".join(f"\\{character}" if character in "*?\\" else character for character in text)


def _record(tag: ResourceTag) -> pb.TagDescription:
    return pb.TagDescription(
        key=tag.key,
        resource_id=tag.resource_id,
        resource_type=tag.resource_type,
        value=tag.value,
    )


@pytest.mark.parametrize(
    ("name", "values", "passes"),
    [
        ("key", ["Name"], True),
        ("key", ["name"], False),
        ("value", ["wal*"], True),
        ("value", ["other"], False),
        ("resource-type", ["ipam", "vpc"], True),
        ("resource-id", ["vpc-1"], True),
        ("resource-id", ["vpc-2"], False),
        ("tag:Name", ["walked"], True),
        ("tag:Name", ["other"], False),
        ("tag:Other", ["walked"], False),
    ],
)
def test_filters(name: str, values: list[str], passes: bool) -> None:
    tag = pb.TagDescription(key="Name", resource_id="vpc-1", resource_type="vpc", value="walked")
    assert passing([types_pb2.Filter(name=name, values=values)])(tag) is passes


def test_a_filter_that_tags_are_not_found_by_is_refused() -> None:
    with pytest.raises(InvalidParameterValue, match="resource-id"):
        passing([types_pb2.Filter(name="tag-key", values=["x"])])
