"""Rules of prefix list resolvers, from and to messages."""

import re
from collections.abc import Sequence
from typing import Any

from cadastre.common.v1 import types_pb2
from cadastre.discovery.v1 import monitoring_service_pb2
from cadastre.discovery.v1 import prefix_list_resolver_service_pb2 as pb
from services.discovery.resolvers.rule import (
    OF_POOLS,
    OF_RESOURCES,
    Condition,
    Operation,
    PoolCidrRule,
    Property,
    ResourceCidrRule,
    Rule,
    StaticCidrRule,
    TagPattern,
)
from services.discovery.servicer.words import number_of, word_of
from shared.cidr import Cidr
from shared.errors import (
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
)

_STATIC = pb.IPAM_PREFIX_LIST_RESOLVER_RULE_TYPE_STATIC_CIDR
_POOLS = pb.IPAM_PREFIX_LIST_RESOLVER_RULE_TYPE_IPAM_POOL_CIDR
_RESOURCES = pb.IPAM_PREFIX_LIST_RESOLVER_RULE_TYPE_IPAM_RESOURCE_CIDR
_MEMBERS = {
    _STATIC: {"static_cidr"},
    _POOLS: {"ipam_scope_id", "conditions"},
    _RESOURCES: {"ipam_scope_id", "resource_type", "conditions"},
}
"""What a rule of a type may have besides."""
_FIELDS = {
    "ipam_pool_id": Property.IPAM_POOL_ID,
    "resource_id": Property.RESOURCE_ID,
    "resource_owner": Property.RESOURCE_OWNER,
    "resource_region": Property.RESOURCE_REGION,
    "resource_tag": Property.RESOURCE_TAG,
    "cidr": Property.CIDR,
}
_NAMES = {about: name for name, about in _FIELDS.items()}
_ACCOUNT_ID = re.compile(r"\d{12}", re.ASCII)


def rules_from_proto(
    rules: Sequence[pb.IpamPrefixListResolverRuleRequest],
) -> tuple[Rule, ...]:
    """What a request wants selected.

    Raises:
        MissingParameter: a rule lacks what its type needs.
        InvalidParameterCombination: it has what its type can't have, or a condition does.
        InvalidParameterValue: something in it is malformed.
    """
    return tuple(_rule(rule) for rule in rules)


def rule_to_proto(rule: Rule) -> pb.IpamPrefixListResolverRule:
    if isinstance(rule, StaticCidrRule):
        return pb.IpamPrefixListResolverRule(rule_type=_STATIC, static_cidr=str(rule.cidr))
    told = pb.IpamPrefixListResolverRule(
        rule_type=_POOLS,
        ipam_scope_id=rule.scope_id,
        conditions=map(_condition_to_proto, rule.conditions),
    )
    if isinstance(rule, ResourceCidrRule):
        told.rule_type = _RESOURCES
        told.resource_type = number_of(monitoring_service_pb2.IpamResourceType, rule.resource_type)
    return told


def _rule(rule: pb.IpamPrefixListResolverRuleRequest) -> Rule:
    given = {field.name for field, _ in rule.ListFields()} - {"rule_type"}
    kind = word_of(pb.IpamPrefixListResolverRuleType, rule.rule_type)
    for name in sorted(given - _MEMBERS[rule.rule_type]):
        raise InvalidParameterCombination(
            f"{_shown(rule, name)} can't be given in a rule of type {kind}; leave it out",
            parameter=_shown(rule, name),
            rule_type=kind,
        )
    for name in sorted(_MEMBERS[rule.rule_type] - given - {"conditions"}):
        raise MissingParameter(_shown(rule, name))
    if rule.rule_type == _STATIC:
        return StaticCidrRule(Cidr.parse(rule.static_cidr, parameter="staticCidr"))
    conditions = tuple(_condition(condition, rule.rule_type) for condition in rule.conditions)
    if rule.rule_type == _POOLS:
        return PoolCidrRule(rule.ipam_scope_id, conditions)
    resource_type = word_of(monitoring_service_pb2.IpamResourceType, rule.resource_type)
    return ResourceCidrRule(rule.ipam_scope_id, resource_type or "", conditions)


def _condition(
    condition: pb.IpamPrefixListResolverRuleConditionRequest,
    rule_type: pb.IpamPrefixListResolverRuleType.ValueType,
) -> Condition:
    about = _property(condition, rule_type)
    operation = Operation(
        word_of(pb.IpamPrefixListResolverRuleConditionOperation, condition.operation)
    )
    if operation is Operation.SUBNET_OF and about is not Property.CIDR:
        raise InvalidParameterCombination(
            f"The operation subnet-of can't be given with {about.value}; use equals or not-equals",
            parameter="operation",
            value=operation.value,
            property=about.value,
        )
    return Condition(operation, about, _wanted(condition, about))


def _property(
    condition: pb.IpamPrefixListResolverRuleConditionRequest,
    rule_type: pb.IpamPrefixListResolverRuleType.ValueType,
) -> Property:
    allowed = OF_POOLS if rule_type == _POOLS else OF_RESOURCES
    given = [_FIELDS[field.name] for field, _ in condition.ListFields() if field.name in _FIELDS]
    if len(given) == 1 and given[0] in allowed:
        return given[0]
    names = ", ".join(sorted(about.value for about in allowed))
    shown = ", ".join(about.value for about in given) or "none"
    raise InvalidParameterCombination(
        f"A condition of a rule of type {word_of(pb.IpamPrefixListResolverRuleType, rule_type)} is"
        f" about {shown}; use exactly one of {names}",
        parameter="conditions",
        value=shown,
    )


def _wanted(
    condition: pb.IpamPrefixListResolverRuleConditionRequest, about: Property
) -> str | Cidr | TagPattern:
    if about is Property.CIDR:
        return Cidr.parse(condition.cidr)
    if about is Property.RESOURCE_TAG:
        return _tag(condition.resource_tag)
    value: str = getattr(condition, _NAMES[about])
    if about is Property.RESOURCE_OWNER and not _ACCOUNT_ID.fullmatch(value):
        raise InvalidParameterValue(
            f"Value ({value}) for parameter resourceOwner is invalid; use the twelve digits of an"
            " account's id",
            parameter="resourceOwner",
            value=value,
        )
    return value


def _tag(tag: monitoring_service_pb2.RequestIpamResourceTag) -> TagPattern:
    if not (tag.HasField("key") or tag.HasField("value")):
        raise MissingParameter("resourceTag.key")
    return TagPattern(
        tag.key if tag.HasField("key") else None, tag.value if tag.HasField("value") else None
    )


def _condition_to_proto(condition: Condition) -> pb.IpamPrefixListResolverRuleCondition:
    wanted, told = condition.wanted, pb.IpamPrefixListResolverRuleCondition()
    told.operation = number_of(pb.IpamPrefixListResolverRuleConditionOperation, condition.operation)
    if isinstance(wanted, TagPattern):
        told.resource_tag.CopyFrom(types_pb2.Tag(key=wanted.key, value=wanted.value))
    else:
        setattr(told, _NAMES[condition.about], str(wanted))
    return told


def _shown(
    message: Any,  # messages share no typed base that tells their fields
    name: str,
) -> str:
    """A member's name as AWS writes it."""
    shown: str = message.DESCRIPTOR.fields_by_name[name].camelcase_name
    return shown
