"""What can have tags, and what everybody does with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.model import ServiceModel

from cadastre.common.v1 import options_pb2
from services.gateway.routes import Rpc
from tests.acceptance.command_lines import HOME, LOCALE
from tests.acceptance.walk.recorder import Asked
from tests.acceptance.walk.walker import Walker

_MOST = 50


@dataclass(frozen=True)
class Kind:
    """One type of resource that the walk made, and the listing that shows its tags."""

    made: str
    """What the walk calls it, and the member that has its id; empty: it came with the VPC."""
    listing: str
    ids: str
    """The listing's parameter."""
    region: str = HOME


KINDS: Mapping[str, Kind] = {
    "elastic-ip": Kind("address", "describe_addresses", "AllocationIds", LOCALE),
    "instance": Kind("instance", "describe_instances", "InstanceIds", LOCALE),
    "ipam": Kind("ipam/IpamId", "describe_ipams", "IpamIds"),
    "ipam-external-resource-verification-token": Kind(
        "token",
        "describe_ipam_external_resource_verification_tokens",
        "IpamExternalResourceVerificationTokenIds",
    ),
    "ipam-internet-registry-association": Kind(
        "association with RIR",
        "describe_ipam_internet_registry_associations",
        "IpamInternetRegistryAssociationIds",
    ),
    "ipam-policy": Kind("policy", "describe_ipam_policies", "IpamPolicyIds"),
    "ipam-pool": Kind("top", "describe_ipam_pools", "IpamPoolIds"),
    "ipam-pool-allocation": Kind(
        "allocation/IpamPoolAllocationId",
        "describe_ipam_pool_allocations",
        "IpamPoolAllocationIds",
    ),
    "ipam-prefix-list-resolver": Kind(
        "resolver", "describe_ipam_prefix_list_resolvers", "IpamPrefixListResolverIds"
    ),
    "ipam-prefix-list-resolver-target": Kind(
        "target", "describe_ipam_prefix_list_resolver_targets", "IpamPrefixListResolverTargetIds"
    ),
    "ipam-resource-discovery": Kind(
        "discovery", "describe_ipam_resource_discoveries", "IpamResourceDiscoveryIds"
    ),
    "ipam-resource-discovery-association": Kind(
        "discovery_association",
        "describe_ipam_resource_discovery_associations",
        "IpamResourceDiscoveryAssociationIds",
    ),
    "ipam-scope": Kind("scope/IpamScopeId", "describe_ipam_scopes", "IpamScopeIds"),
    "ipv4pool-ec2": Kind("public pool", "describe_public_ipv4_pools", "PoolIds"),
    "network-acl": Kind("", "describe_network_acls", "NetworkAclIds", LOCALE),
    "network-interface": Kind(
        "interface", "describe_network_interfaces", "NetworkInterfaceIds", LOCALE
    ),
    "prefix-list": Kind("prefix list", "describe_managed_prefix_lists", "PrefixListIds", LOCALE),
    "route-table": Kind("", "describe_route_tables", "RouteTableIds", LOCALE),
    "security-group": Kind("", "describe_security_groups", "GroupIds", LOCALE),
    "subnet": Kind("subnet", "describe_subnets", "SubnetIds", LOCALE),
    "vpc": Kind("vpc", "describe_vpcs", "VpcIds", LOCALE),
}
"""By AWS's name of the type."""


@dataclass(frozen=True)
class Tagged:
    """One resource, as its owner sees its tags; nobody listens, for they change."""

    ec2: Any
    resource_type: str
    resource_id: str
    kind: Kind

    @classmethod
    def of(cls, walk: Walker, resource_type: str) -> "Tagged":
        kind = KINDS[resource_type]
        ec2 = walk.unheard(kind.region)
        return cls(ec2, resource_type, _id_of(kind, walk, ec2), kind)

    @property
    def can_be_created(self) -> bool:
        """By itself, and so with tags."""
        return bool(self.kind.made)

    def shown(self) -> Mapping[str, str]:
        """By its own listing."""
        answer = getattr(self.ec2, self.kind.listing)(**{self.kind.ids: [self.resource_id]})
        [tags] = _tags_in(answer)
        return {tag["Key"]: tag["Value"] for tag in tags}

    def listed(self, **filters: str) -> Mapping[str, str]:
        """By DescribeTags."""
        narrowed = {"resource-id": self.resource_id, **filters}
        found = self.ec2.describe_tags(Filters=_filters(narrowed))["Tags"]
        types = {(tag["ResourceId"], tag["ResourceType"]) for tag in found}
        assert types <= {(self.resource_id, self.resource_type)}
        return {tag["Key"]: tag["Value"] for tag in found}

    def is_found_by(self, name: str, value: str) -> bool:
        """Whether a filter of its own listing lets it pass, and nothing else."""
        answer = getattr(self.ec2, self.kind.listing)(Filters=_filters({name: value}))
        found = list(_tags_in(answer))
        assert len(found) <= 1
        return bool(found)

    def set(self, **parameters: Any) -> None:
        self.ec2.create_tags(Resources=[self.resource_id], **parameters)

    def remove(self, **parameters: Any) -> None:
        self.ec2.delete_tags(Resources=[self.resource_id], **parameters)


def change_tags(it: Tagged, before: Mapping[str, str]) -> None:
    """There and back again."""
    it.set(Tags=pairs(walked_by="one", empty=""))
    now = {**before, "walked_by": "one", "empty": ""}
    assert (it.shown(), it.listed()) == (now, now)
    assert it.listed(key="walked_*") == {"walked_by": "one"}
    assert it.listed(**{"tag:empty": ""}) == {"empty": ""}
    assert it.listed(**{"tag:walked_by": "two"}) == {}
    assert it.is_found_by("tag:walked_by", "o?e")
    assert it.is_found_by("tag-key", "walked_by")
    assert not it.is_found_by("tag:walked_by", "two")
    it.set(Tags=pairs(walked_by="two"))
    it.remove(Tags=pairs(walked_by="one", empty=""))
    now = {**before, "walked_by": "two"}
    assert (it.shown(), it.listed()) == (now, now)
    it.remove(Tags=[{"Key": "walked_by"}, {"Key": "absent"}])
    assert (it.shown(), it.listed()) == (before, before)
    it.remove()
    assert (it.shown(), it.listed()) == ({}, {})
    if before:
        it.set(Tags=pairs(**before))


def refuse_tags(it: Tagged, before: Mapping[str, str]) -> None:
    """What is too much or not allowed changes nothing, nor does what is only tried."""
    many = {f"t{number}": "" for number in range(_MOST + 1 - len(before))}
    unknown = [it.resource_id, f"{it.resource_id.rpartition('-')[0]}-{'0' * 17}"]
    for code, parameters in (
        ("InvalidParameterValue", {"Tags": pairs(**{"aws:one": ""})}),
        ("InvalidParameterValue", {"Tags": pairs(**{"AWS:one": ""})}),
        ("InvalidParameterValue", {"Tags": pairs(**{"x" * 129: ""})}),
        ("InvalidParameterValue", {"Tags": pairs(one="x" * 257)}),
        ("TagLimitExceeded", {"Tags": pairs(**many)}),
        ("DryRunOperation", {"Tags": pairs(one=""), "DryRun": True}),
    ):
        assert refusal_of(it.set, **parameters) == code, parameters
    assert refusal_of(it.ec2.create_tags, Resources=unknown, Tags=pairs(one="")).endswith(
        ".NotFound"
    )
    assert refusal_of(it.ec2.delete_tags, Resources=unknown).endswith(".NotFound")
    assert refusal_of(it.remove, DryRun=True) == "DryRunOperation"
    assert (it.shown(), it.listed()) == (before, before)
    longest = {"x" * 128: "y" * 256}
    it.set(Tags=pairs(**longest))
    assert it.shown() == {**before, **longest}
    it.remove(Tags=pairs(**longest))


def creating(model: ServiceModel, names: Iterable[str]) -> Sequence[str]:
    """Those of the operations that take tags for what they create."""
    return [name for name in names if _specifications(model, name)]


def refuse_other_type(model: ServiceModel, asked: Asked, name: str) -> None:
    """What was created before is not, with tags for another type of resource."""
    other = [{"ResourceType": "customer-gateway", "Tags": pairs(one="")}]
    wrong = {**asked.parameters, _specifications(model, name): other}
    wrong.pop("ClientToken", None)
    assert refusal_of(getattr(asked.client, xform_name(name)), **wrong) == "InvalidParameterValue"


def prefixes_of(rpc: Rpc) -> Sequence[str]:
    """Of the ids of what an RPC sets tags on."""
    rules = rpc.descriptor.input_type.fields_by_name["resources"].GetOptions()
    return list(rules.Extensions[options_pb2.rules].id_prefixes)


def refusal_of(method: Any, **parameters: Any) -> str:
    """The code of the error."""
    with pytest.raises(ClientError) as refusal:
        method(**parameters)
    return str(refusal.value.response["Error"]["Code"])


def pairs(**tags: str) -> Sequence[Mapping[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _specifications(model: ServiceModel, name: str) -> str:
    """The parameter with tags for what is created, empty if there is none."""
    shape = model.operation_model(name).input_shape
    assert shape is not None
    members = shape.members
    return next((member for member in members if member.endswith("TagSpecifications")), "")


def _id_of(kind: Kind, walk: Walker, ec2: Any) -> str:
    name, _, member = kind.made.partition("/")
    if name:
        return str(walk.made[name][member] if member else walk.made[name])
    of_vpc = _filters({"vpc-id": walk.made["vpc"]})
    [record] = _records(getattr(ec2, kind.listing)(Filters=of_vpc))
    return str(record[kind.ids.removesuffix("s")])


def _filters(values: Mapping[str, str]) -> Sequence[Any]:
    return [{"Name": name, "Values": [value]} for name, value in values.items()]


def _tags_in(answer: Any) -> Iterator[Sequence[Any]]:
    """Of the records of a listing; those of instances lie in reservations."""
    for record in _records(answer):
        for inner in record.get("Instances", [record]):
            yield inner.get("Tags", inner.get("TagSet", []))


def _records(answer: Any) -> Sequence[Any]:
    [records] = [value for value in answer.values() if isinstance(value, list)]
    return records
