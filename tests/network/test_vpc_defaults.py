"""What is in a VPC's network ACL, route table and security group, as EC2 has it."""

import pytest

from services.network.resource import CidrAssociation
from services.network.vpc import Tenancy, Vpc
from services.network.vpc_defaults import (
    DefaultKind,
    VpcDefault,
    acl_association_id,
    acl_entries,
    check_no_names,
    defaults_of,
    group_rules,
    local_routes,
)
from shared.cidr import Cidr
from shared.errors import CadastreError
from shared.ids import NETWORK_ACL_ASSOCIATION, ROUTE_TABLE_ASSOCIATION, SECURITY_GROUP_RULE


def vpc_with(*cidrs: str) -> Vpc:
    return Vpc(
        vpc_id="vpc-0123456789abcdef0",
        owner_id="123456789012",
        region="us-west-2",
        instance_tenancy=Tenancy.DEFAULT,
        tags={},
        associations=tuple(
            CidrAssociation(f"vpc-cidr-assoc-{number}", Cidr.parse(cidr))
            for number, cidr in enumerate(cidrs)
        ),
    )


IPV4_ONLY = vpc_with("10.0.0.0/16", "10.1.0.0/24")
DUAL_STACK = vpc_with("10.0.0.0/16", "fd80::/56", "100.64.0.0/24", "fd80:1::/56")
FAMILIES = pytest.mark.parametrize(
    ("vpc", "anywhere"),
    [
        pytest.param(IPV4_ONLY, ["0.0.0.0/0"], id="IPv4 alone"),
        pytest.param(DUAL_STACK, ["0.0.0.0/0", "::/0"], id="both families"),
    ],
)


def default(vpc: Vpc, kind: DefaultKind) -> VpcDefault:
    [found] = [one for one in defaults_of(vpc) if one.kind is kind]
    return found


def test_a_vpc_gets_one_of_each_kind_with_ids_of_their_own() -> None:
    first, second = defaults_of(IPV4_ONLY), defaults_of(IPV4_ONLY)
    assert [one.kind for one in first] == list(DefaultKind)
    for one in first:
        assert one.kind.ids.check(one.resource_id) == one.resource_id
        assert (one.vpc_id, one.owner_id, one.region) == (
            IPV4_ONLY.vpc_id,
            IPV4_ONLY.owner_id,
            IPV4_ONLY.region,
        )
    assert {one.resource_id for one in first}.isdisjoint(one.resource_id for one in second)
    group = default(IPV4_ONLY, DefaultKind.SECURITY_GROUP)
    assert group.arn == f"arn:aws:ec2:us-west-2:123456789012:security-group/{group.resource_id}"


@FAMILIES
def test_a_network_acl_lets_everything_through(vpc: Vpc, anywhere: list[str]) -> None:
    entries = acl_entries(vpc)
    numbers = {"0.0.0.0/0": (100, 32767), "::/0": (101, 32768)}
    expected = {
        (numbers[cidr][index], cidr, is_egress, index == 0)
        for cidr in anywhere
        for is_egress in (True, False)
        for index in (0, 1)
    }
    told = [(one.rule_number, str(one.cidr), one.is_egress, one.is_allowed) for one in entries]
    assert set(told) == expected
    assert len(told) == len(expected)
    # By direction, then in the order in which they decide.
    assert told == sorted(told, key=lambda one: (not one[2], one[0]))


def test_a_route_table_has_every_block_of_the_vpc() -> None:
    assert list(map(str, local_routes(DUAL_STACK))) == [
        "10.0.0.0/16",
        "100.64.0.0/24",
        "fd80::/56",
        "fd80:1::/56",
    ]


@FAMILIES
def test_a_security_group_lets_itself_in_and_everything_out(vpc: Vpc, anywhere: list[str]) -> None:
    group = default(vpc, DefaultKind.SECURITY_GROUP)
    [ingress, *egress] = group_rules(group, vpc)
    assert (ingress.is_egress, ingress.cidr) == (False, None)
    assert [(rule.is_egress, str(rule.cidr)) for rule in egress] == [(True, c) for c in anywhere]


def test_what_has_no_row_of_its_own_has_the_same_id_each_time() -> None:
    group, other = (default(DUAL_STACK, DefaultKind.SECURITY_GROUP) for _ in range(2))
    rules = [rule.rule_id for rule in group_rules(group, DUAL_STACK)]
    assert rules == [rule.rule_id for rule in group_rules(group, DUAL_STACK)]
    # Another block changes none of those that are there already.
    assert rules[:2] == [rule.rule_id for rule in group_rules(group, IPV4_ONLY)]
    assert len({*rules, *(rule.rule_id for rule in group_rules(other, DUAL_STACK))}) == 6
    assert all(SECURITY_GROUP_RULE.check(rule_id) for rule_id in rules)

    table = default(DUAL_STACK, DefaultKind.ROUTE_TABLE)
    assert ROUTE_TABLE_ASSOCIATION.check(table.main_association_id) == table.main_association_id
    assert NETWORK_ACL_ASSOCIATION.check(acl_association_id("subnet-1"))
    assert acl_association_id("subnet-1") == acl_association_id("subnet-1")
    assert acl_association_id("subnet-1") != acl_association_id("subnet-2")


def test_groups_are_named_in_a_default_vpc_alone_which_nobody_has() -> None:
    check_no_names([])
    with pytest.raises(CadastreError, match="'default'") as refusal:
        check_no_names(["default"])
    assert refusal.value.reason == "InvalidGroup.NotFound"
