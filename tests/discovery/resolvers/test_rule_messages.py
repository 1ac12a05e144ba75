"""Which rules can be, and that they are told and kept as they were given."""

from typing import Any

import pytest

from cadastre.discovery.v1 import monitoring_service_pb2
from cadastre.discovery.v1 import prefix_list_resolver_service_pb2 as pb
from services.discovery.servicer.resolver_rules import rule_to_proto, rules_from_proto
from services.discovery.store.resolvers.rules import rule_from_json, rule_to_json
from shared.errors import CadastreError
from tests.discovery.monitored import HOME, POOL, PRIVATE
from tests.discovery.prefix_lists import (
    NOT_EQUALS,
    SUBNET_OF,
    about_vpcs,
    condition,
    rule,
    static,
)

_TAG = monitoring_service_pb2.RequestIpamResourceTag
_COMBINATION, _MISSING = "InvalidParameterCombination", "MissingParameter"
_VALUE = "InvalidParameterValue"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(rule("static"), _MISSING, id="a static CIDR that is none"),
        pytest.param(rule("static", static_cidr="10.0.0.1/8"), _VALUE, id="host bits"),
        pytest.param(
            rule("static", static_cidr="10.0.0.0/8", ipam_scope_id=PRIVATE),
            _COMBINATION,
            id="a static CIDR of a scope",
        ),
        pytest.param(
            rule("static", static_cidr="10.0.0.0/8", conditions=[condition(cidr="10.0.0.0/8")]),
            _COMBINATION,
            id="a static CIDR with conditions",
        ),
        pytest.param(rule("pool"), _MISSING, id="pools of no scope"),
        pytest.param(
            rule("pool", ipam_scope_id=PRIVATE, resource_type=1),
            _COMBINATION,
            id="pools of a resource type",
        ),
        pytest.param(
            rule("pool", ipam_scope_id=PRIVATE, conditions=[condition(resource_region=HOME)]),
            _COMBINATION,
            id="pools by region",
        ),
        pytest.param(rule("resource", ipam_scope_id=PRIVATE), _MISSING, id="resources of no type"),
        pytest.param(rule("resource", resource_type=1), _MISSING, id="resources of no scope"),
        pytest.param(
            about_vpcs(condition(ipam_pool_id=POOL)), _COMBINATION, id="resources by pool"
        ),
        pytest.param(about_vpcs(condition()), _COMBINATION, id="a condition about nothing"),
        pytest.param(
            about_vpcs(condition(cidr="10.0.0.0/8", resource_region=HOME)),
            _COMBINATION,
            id="a condition about two properties",
        ),
        pytest.param(
            about_vpcs(condition(SUBNET_OF, resource_region=HOME)),
            _COMBINATION,
            id="a region that lies in another",
        ),
        pytest.param(about_vpcs(condition(cidr="10.0.0.0")), _VALUE, id="no CIDR"),
        pytest.param(about_vpcs(condition(resource_owner="1234")), _VALUE, id="no account"),
        pytest.param(about_vpcs(condition(resource_tag=_TAG())), _MISSING, id="an empty tag"),
    ],
)
def test_a_rule_that_can_not_be_is_refused(given: Any, reason: str) -> None:
    with pytest.raises(CadastreError) as refused:
        rules_from_proto([given])
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "given",
    [
        static("10.0.0.0/8"),
        rule("pool", ipam_scope_id=PRIVATE),
        rule(
            "pool",
            ipam_scope_id=PRIVATE,
            conditions=[
                condition(NOT_EQUALS, ipam_pool_id=POOL),
                condition(SUBNET_OF, cidr="2001:db8::/32"),
            ],
        ),
        about_vpcs(
            condition(resource_id="vpc-1"),
            condition(resource_owner="123456789012"),
            condition(NOT_EQUALS, resource_region=HOME),
            condition(resource_tag=_TAG(key="env", value="prod")),
            condition(resource_tag=_TAG(key="env")),
            condition(resource_tag=_TAG(value="")),
            condition(cidr="10.0.0.0/8"),
        ),
    ],
    ids=["static", "pools", "some pools", "some VPCs"],
)
def test_a_rule_is_told_and_kept_as_it_was_given(given: Any) -> None:
    [known] = rules_from_proto([given])
    kept = rule_from_json(rule_to_json(known))
    told = rule_to_proto(kept)
    assert kept == known
    # The two messages differ in how they call their conditions and tags.
    assert told.SerializeToString() == given.SerializeToString()
    assert pb.IpamPrefixListResolverRuleRequest.FromString(told.SerializeToString()) == given
