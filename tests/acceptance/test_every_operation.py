"""A walk through every operation of EC2 that there is here, by unmodified botocore (BEY-15).

What it covers is generated: operations and their members are those of botocore's model, and what a
listing can be filtered by is what its records tell. Only what does not apply is written down.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from services.gateway.model import load_model
from services.gateway.routes import rpcs_by_action
from tests.acceptance.installation import Installation, installation
from tests.acceptance.walk import brought, cloud, delegated, listings, space, tagging, watching
from tests.acceptance.walk.not_applicable import (
    EMPTY_LISTINGS,
    FILTER_NAMES,
    NO_FILTERS,
    REASONS,
    reason_of,
)
from tests.acceptance.walk.recorder import Asked, members_of
from tests.acceptance.walk.walker import Walker
from tests.registries import Registries
from tests.registries.internet_registry import InternetRegistry
from tests.registries.signing import rsa_key

pytestmark = pytest.mark.acceptance

MODEL = load_model("ec2")
IPAM_OPERATIONS = sorted(name for name in MODEL.operation_names if "Ipam" in name)
RPCS = rpcs_by_action()
SERVED = sorted(RPCS)
LISTINGS = [name for name in SERVED if listings.is_listing(MODEL.operation_model(name))]
FILTERED = [
    name
    for name in LISTINGS
    if "Ipam" in name and listings.has_filters(MODEL.operation_model(name))
]


@pytest.fixture(scope="module")
def registries() -> Iterator[Registries]:
    with Registries() as running:
        yield running


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InternetRegistry]:
    """Certifies what it is asked for."""
    with InternetRegistry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="module")
def cadastre(
    registries: Registries, registry: InternetRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    settings = {
        **delegated.tell_of_routes(tmp_path_factory.mktemp("routes")),
        "CADASTRE_RPKI_PARENT_HOSTS": json.dumps([registry.host]),
        "CADASTRE_RDAP_URL": registries.rdap_url,
        "CADASTRE_DNS_SERVERS": f'["{registries.dns_server}"]',
        "CADASTRE_VERIFICATION_RETRY_SECONDS": "0.2",
        "CADASTRE_DISCOVERY_COVERAGE_INTERVAL_SECONDS": "0.5",
    }
    with installation(tmp_path_factory.mktemp("data"), **settings) as running:
        yield running


@pytest.fixture(scope="module")
def walk(cadastre: Installation, registries: Registries, registry: InternetRegistry) -> Walker:
    """Half-way: everything is made, and nothing is deleted yet."""
    walk, owner = Walker(cadastre), brought.Owner(registries, rsa_key())
    owner.record()
    space.delegate(walk)
    space.make_ipam(walk)
    space.make_scope(walk)
    space.make_pools(walk)
    space.allocate(walk)
    cloud.make_networks(walk)
    cloud.use_addresses(walk)
    cloud.transfer_address(walk)
    cloud.keep_prefix_list(walk)
    cloud.tag_and_untag(walk)
    cloud.describe_the_rest(walk)
    watching.discover(walk)
    space.plan_the_vpc(walk)
    space.make_ipv6_pool(walk)
    watching.see_through_another(walk)
    watching.follow_by_prefix_list(walk)
    watching.have_a_policy(walk)
    brought.have_tokens(walk)
    brought.bring_a_range(walk, owner)
    brought.give_it_out(walk)
    brought.move_a_range(walk, owner)
    brought.bring_alone(walk, owner)
    delegated.watch_routes(walk)
    delegated.delegate_rpki(walk, registry)
    delegated.register_routing_policy(walk)
    cloud.describe_tags(walk)
    return walk


@pytest.fixture(scope="module")
def walked(walk: Walker) -> Walker:
    """At the end: everything is deleted."""
    delegated.end_delegation(walk)
    brought.take_it_back(walk)
    watching.have_no_policy(walk)
    watching.follow_no_more(walk)
    watching.look_away(walk)
    cloud.clear_away(walk)
    space.withdraw(walk)
    return walk


def test_botocore_has_the_79_operations() -> None:
    assert len(IPAM_OPERATIONS) == 79
    assert set(IPAM_OPERATIONS) <= set(SERVED)


@pytest.mark.parametrize("name", LISTINGS)
def test_pages_have_all_records_once_and_in_order(walk: Walker, name: str) -> None:
    operation, asked = MODEL.operation_model(name), _fullest(walk, name)
    records = listings.records(asked, operation)
    assert bool(records) is (name not in EMPTY_LISTINGS)
    assert _lasting(listings.in_pages(asked, operation)) == _lasting(records)


@pytest.mark.parametrize("name", FILTERED)
def test_every_member_of_one_word_filters(walk: Walker, name: str) -> None:
    operation, asked = MODEL.operation_model(name), _fullest(walk, name)
    records, words = listings.records(asked, operation), FILTER_NAMES.get(name, {})
    for member, value in listings.filterable(operation, records):
        if member in NO_FILTERS.get(name, ()):
            continue
        word = words.get(member, listings.kebab(member))
        found = listings.filtered(asked, operation, word, value)
        assert _lasting(found) == _lasting(listings.having(records, member, value)), word
        assert listings.filtered(asked, operation, word, "no-such-value") == [], word


def test_everything_that_can_have_tags_is_walked(walk: Walker) -> None:
    prefixes = {prefix for rpc in RPCS["CreateTags"] for prefix in tagging.prefixes_of(rpc)}
    made = {tagging.Tagged.of(walk, name).resource_id for name in tagging.KINDS}
    assert {one.rpartition("-")[0] + "-" for one in made} == prefixes


@pytest.mark.parametrize("resource_type", tagging.KINDS)
def test_tags_are_seen_set_changed_and_removed(walk: Walker, resource_type: str) -> None:
    it = tagging.Tagged.of(walk, resource_type)
    before = it.shown()
    assert "Name" in before or not it.can_be_created
    assert it.listed() == before
    tagging.change_tags(it, before)
    tagging.refuse_tags(it, before)


@pytest.mark.parametrize("name", tagging.creating(MODEL, SERVED))
def test_tags_for_another_type_than_what_is_created_are_refused(walk: Walker, name: str) -> None:
    tagging.refuse_other_type(MODEL, walk.recorder.calls[name][-1], name)


@pytest.mark.parametrize("name", SERVED)
def test_every_operation_is_walked_and_every_member_that_applies_filled(
    walked: Walker, name: str
) -> None:
    assert walked.recorder.calls[name]
    members = members_of(MODEL, name, RPCS[name][0].descriptor.output_type)
    missing = members - walked.recorder.filled(name)
    unexplained = sorted(member for member in missing if not reason_of(name, member))
    assert ", ".join(unexplained) == ""


def test_what_is_said_not_to_apply_is_empty_indeed(walked: Walker) -> None:
    missing = {
        f"{name}.{member}"
        for name in SERVED
        for member in members_of(MODEL, name, RPCS[name][0].descriptor.output_type)
        - walked.recorder.filled(name)
    }
    assert [
        pattern.pattern for pattern in REASONS if not any(map(pattern.fullmatch, missing))
    ] == []


def _fullest(walk: Walker, name: str) -> Asked:
    """Of the calls so far, the one that had most records."""
    member = listings.records_member(MODEL.operation_model(name))
    return max(walk.recorder.calls[name], key=lambda asked: len(asked.answer[member]))


def _lasting(records: Sequence[Any]) -> list[Any]:
    """Without what moves while time passes."""
    return [
        {name: value for name, value in record.items() if name != "SampleTime"}
        if isinstance(record, Mapping)
        else record
        for record in records
    ]
