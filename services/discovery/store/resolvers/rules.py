"""Rules as JSON."""

from collections.abc import Sequence
from typing import Any

from services.discovery.resolvers.rule import (
    Condition,
    Operation,
    PoolCidrRule,
    Property,
    ResourceCidrRule,
    Rule,
    StaticCidrRule,
    TagPattern,
)
from shared.cidr import Cidr


def rule_to_json(rule: Rule) -> dict[str, Any]:
    if isinstance(rule, StaticCidrRule):
        return {"static_cidr": str(rule.cidr)}
    members: dict[str, Any] = {
        "scope_id": rule.scope_id,
        "conditions": [_condition_to_json(condition) for condition in rule.conditions],
    }
    if isinstance(rule, ResourceCidrRule):
        members["resource_type"] = rule.resource_type
    return members


def rule_from_json(members: dict[str, Any]) -> Rule:
    if "static_cidr" in members:
        return StaticCidrRule(Cidr.parse(members["static_cidr"]))
    conditions = tuple(_condition_from_json(condition) for condition in members["conditions"])
    if "resource_type" in members:
        return ResourceCidrRule(members["scope_id"], members["resource_type"], conditions)
    return PoolCidrRule(members["scope_id"], conditions)


def _condition_to_json(condition: Condition) -> Sequence[Any]:
    wanted = condition.wanted
    told = list(wanted) if isinstance(wanted, TagPattern) else str(wanted)
    return [condition.operation.value, condition.about.value, told]


def _condition_from_json(members: Sequence[Any]) -> Condition:
    operation, about, told = Operation(members[0]), Property(members[1]), members[2]
    match about:
        case Property.RESOURCE_TAG:
            return Condition(operation, about, TagPattern(*told))
        case Property.CIDR:
            return Condition(operation, about, Cidr.parse(told))
        case _:
            return Condition(operation, about, told)
