"""aws_vpc_ipam*: the calls that Terraform's AWS provider makes for each."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from tests.acceptance.terraform_provider import (
    Attributes,
    DeletedOnce,
    NotFound,
    Provider,
    filters,
    not_found,
    single,
    specified,
    tag_list,
    tags_of,
    wait_for_state,
    wait_until_not_found,
)

IPAM_SERVICE = "ipam.amazonaws.com"


def regions(names: list[str]) -> list[dict[str, str]]:
    return [{"RegionName": name} for name in names]


def region_changes(state: Attributes, config: Attributes) -> dict[str, Any]:
    old, new = set(state["operating_regions"]), set(config["operating_regions"])
    changes = {"AddOperatingRegions": new - old, "RemoveOperatingRegions": old - new}
    return {member: regions(sorted(names)) for member, names in changes.items() if names}


def region_names(record: Mapping[str, Any]) -> list[str]:
    return sorted(region["RegionName"] for region in record["OperatingRegions"])


@dataclass(frozen=True)
class IpamKind:
    """How a kind is asked for, and which code means that there is none."""

    provider: Provider

    describe = ""
    ids = ""
    member = ""
    missing = ""
    deleted = "delete-complete"
    unread: ClassVar[Collection[str]] = ()

    def find(self, resource_id: str) -> Any:
        request = {self.ids: [resource_id]}
        with not_found(self.missing):
            found = single(self.provider.pages(self.describe, self.member, **request))
        if found["State"] == self.deleted:
            raise NotFound
        return found

    def wait(self, resource_id: str, *pending: str, target: tuple[str, ...] = ()) -> Any:
        return wait_for_state(lambda: self.find(resource_id), pending=pending, target=target)

    def wait_created(self, resource_id: str) -> None:
        self.wait(resource_id, "create-in-progress", target=("create-complete",))

    def wait_updated(self, resource_id: str) -> None:
        self.wait(resource_id, "modify-in-progress", target=("modify-complete",))

    def wait_deleted(self, resource_id: str) -> None:
        self.wait(resource_id, "create-complete", "modify-complete", "delete-in-progress")


class Ipam(IpamKind):
    describe, ids, member = "describe_ipams", "IpamIds", "Ipams"
    missing = "InvalidIpamId.NotFound"
    defaults: ClassVar[Mapping[str, Any]] = {
        "description": "",
        "tier": "advanced",
        "enable_private_gua": False,
        "metered_account": "ipam-owner",
        "tags": {},
    }
    unread: ClassVar[Collection[str]] = ("cascade",)

    def create(self, config: Attributes) -> str:
        made = self.provider.ec2.create_ipam(
            ClientToken=uuid4().hex,
            Description=config["description"],
            OperatingRegions=regions(config["operating_regions"]),
            Tier=config["tier"],
            EnablePrivateGua=config["enable_private_gua"],
            TagSpecifications=specified("ipam", config["tags"]),
        )
        ipam_id: str = made["Ipam"]["IpamId"]
        self.wait_created(ipam_id)
        return ipam_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        ipam = self.find(resource_id)
        return {
            "arn": ipam["IpamArn"],
            "default_resource_discovery_association_id": ipam[
                "DefaultResourceDiscoveryAssociationId"
            ],
            "default_resource_discovery_id": ipam["DefaultResourceDiscoveryId"],
            "description": ipam.get("Description", ""),
            "enable_private_gua": ipam["EnablePrivateGua"],
            "metered_account": ipam["MeteredAccount"],
            "operating_regions": region_names(ipam),
            "private_default_scope_id": ipam["PrivateDefaultScopeId"],
            "public_default_scope_id": ipam["PublicDefaultScopeId"],
            "tier": ipam["Tier"],
            "tags": tags_of(ipam),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        self.provider.ec2.modify_ipam(
            IpamId=resource_id,
            Description=config["description"],
            Tier=config["tier"],
            EnablePrivateGua=config["enable_private_gua"],
            MeteredAccount=config["metered_account"],
            **region_changes(state, config),
        )
        self.wait_updated(resource_id)
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, state: Attributes) -> None:
        try:
            with not_found(self.missing):
                self.provider.ec2.delete_ipam(IpamId=resource_id, Cascade=state["cascade"])
        except NotFound:
            return
        self.wait_deleted(resource_id)


class Scope(IpamKind):
    describe, ids, member = "describe_ipam_scopes", "IpamScopeIds", "IpamScopes"
    missing = "InvalidIpamScopeId.NotFound"
    defaults: ClassVar[Mapping[str, Any]] = {"description": "", "tags": {}}

    def create(self, config: Attributes) -> str:
        made = self.provider.ec2.create_ipam_scope(
            ClientToken=uuid4().hex,
            IpamId=config["ipam_id"],
            Description=config["description"],
            TagSpecifications=specified("ipam-scope", config["tags"]),
        )
        scope_id: str = made["IpamScope"]["IpamScopeId"]
        self.wait_created(scope_id)
        return scope_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        scope = self.find(resource_id)
        return {
            "arn": scope["IpamScopeArn"],
            "description": scope.get("Description", ""),
            "ipam_arn": scope["IpamArn"],
            "ipam_id": scope["IpamArn"].split("/")[1],
            "ipam_scope_type": scope["IpamScopeType"],
            "is_default": scope["IsDefault"],
            "tags": tags_of(scope),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        if state["description"] != config["description"]:
            self.provider.ec2.modify_ipam_scope(
                IpamScopeId=resource_id, Description=config["description"]
            )
            self.wait_updated(resource_id)
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, _state: Attributes) -> None:
        try:
            with not_found(self.missing):
                self.provider.ec2.delete_ipam_scope(IpamScopeId=resource_id)
        except NotFound:
            return
        self.wait_deleted(resource_id)


class Pool(IpamKind):
    describe, ids, member = "describe_ipam_pools", "IpamPoolIds", "IpamPools"
    missing = "InvalidIpamPoolId.NotFound"
    defaults: ClassVar[Mapping[str, Any]] = {
        "allocation_resource_tags": {},
        "auto_import": False,
        "description": "",
        "locale": "None",
        "publicly_advertisable": False,
        "source_resource": None,
        "tags": {},
    }
    # None of the lengths is read, but in newer versions of the provider.
    unread: ClassVar[Collection[str]] = (
        "cascade",
        *(f"allocation_{one}_netmask_length" for one in ("default", "min", "max")),
    )
    _ARGUMENTS: ClassVar[Mapping[str, str]] = {
        "allocation_default_netmask_length": "AllocationDefaultNetmaskLength",
        "allocation_max_netmask_length": "AllocationMaxNetmaskLength",
        "allocation_min_netmask_length": "AllocationMinNetmaskLength",
        "auto_import": "AutoImport",
        "description": "Description",
    }
    _FIXED: ClassVar[Mapping[str, str]] = {
        "aws_service": "AwsService",
        "public_ip_source": "PublicIpSource",
        "source_ipam_pool_id": "SourceIpamPoolId",
    }
    _SOURCE: ClassVar[Mapping[str, str]] = {
        "resource_id": "ResourceId",
        "resource_owner": "ResourceOwner",
        "resource_region": "ResourceRegion",
        "resource_type": "ResourceType",
    }

    def create(self, config: Attributes) -> str:
        # The provider's zero values are not sent.
        request = {
            member: config[argument]
            for argument, member in {**self._ARGUMENTS, **self._FIXED}.items()
            if config.get(argument)
        }
        if config["locale"] != "None":
            request["Locale"] = config["locale"]
        if tags := config["allocation_resource_tags"]:
            request["AllocationResourceTags"] = tag_list(tags)
        if source := config["source_resource"]:
            self._wait_managed(config["ipam_scope_id"], source["resource_id"])
            request["SourceResource"] = {self._SOURCE[key]: source[key] for key in source}
        made = self.provider.ec2.create_ipam_pool(
            AddressFamily=config["address_family"],
            ClientToken=uuid4().hex,
            IpamScopeId=config["ipam_scope_id"],
            TagSpecifications=specified("ipam-pool", config["tags"]),
            **request,
        )
        pool_id: str = made["IpamPool"]["IpamPoolId"]
        self.wait_created(pool_id)
        return pool_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        pool = self.find(resource_id)
        source = pool.get("SourceResource")
        return {
            "address_family": pool["AddressFamily"],
            "allocation_resource_tags": tags_of(pool, "AllocationResourceTags"),
            "arn": pool["IpamPoolArn"],
            "auto_import": pool.get("AutoImport", False),
            "aws_service": pool.get("AwsService"),
            "description": pool.get("Description", ""),
            "ipam_scope_id": pool["IpamScopeArn"].split("/")[1],
            "ipam_scope_type": pool["IpamScopeType"],
            "locale": pool["Locale"],
            "pool_depth": pool["PoolDepth"],
            "publicly_advertisable": pool.get("PubliclyAdvertisable", False),
            "public_ip_source": pool.get("PublicIpSource"),
            "source_ipam_pool_id": pool.get("SourceIpamPoolId"),
            "source_resource": source and {key: source[self._SOURCE[key]] for key in self._SOURCE},
            "tags": tags_of(pool),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        request = {
            member: config[argument]
            for argument, member in self._ARGUMENTS.items()
            if config.get(argument)
        }
        old, new = state["allocation_resource_tags"], config["allocation_resource_tags"]
        if removed := {key: old[key] for key in old if key not in new}:
            request["RemoveAllocationResourceTags"] = tag_list(removed)
        if changed := {key: new[key] for key in new if new[key] != old.get(key)}:
            request["AddAllocationResourceTags"] = tag_list(changed)
        self.provider.ec2.modify_ipam_pool(IpamPoolId=resource_id, **request)
        self.wait_updated(resource_id)
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, _state: Attributes) -> None:
        try:
            with not_found(self.missing):
                self.provider.ec2.delete_ipam_pool(IpamPoolId=resource_id)
        except NotFound:
            return
        self.wait(resource_id, "delete-in-progress")

    def _wait_managed(self, scope_id: str, resource_id: str) -> None:
        """Until the IPAM knows the VPC that the pool is to plan."""

        def find() -> Any:
            found = self.provider.pages(
                "get_ipam_resource_cidrs",
                "IpamResourceCidrs",
                IpamScopeId=scope_id,
                ResourceId=resource_id,
            )
            states = [one["ManagementState"] for one in found if "." in one["ResourceCidr"]]
            if not states:
                raise NotFound
            return {"State": "managed" if "managed" in states else "unmanaged"}

        wait_for_state(find, pending=("unmanaged",), target=("managed",))


@dataclass(frozen=True)
class PoolCidr(DeletedOnce):
    """By ``cidr`` or ``netmask_length``; its id is ``CIDR_POOL``."""

    provider: Provider
    defaults: ClassVar[Mapping[str, Any]] = {"cidr": None, "netmask_length": None}
    unread: ClassVar[Collection[str]] = ("cidr", "netmask_length")

    def create(self, config: Attributes) -> str:
        wanted = {"Cidr": config["cidr"], "NetmaskLength": config["netmask_length"]}
        made = self.provider.ec2.provision_ipam_pool_cidr(
            IpamPoolId=config["ipam_pool_id"],
            **{member: value for member, value in wanted.items() if value},
        )["IpamPoolCidr"]
        pool_id, cidr_id = config["ipam_pool_id"], made["IpamPoolCidrId"]
        found = wait_for_state(
            lambda: self._by_id_or_cidr(pool_id, cidr_id, made.get("Cidr")),
            pending=("pending-provision",),
            target=("provisioned",),
        )
        return f"{found['Cidr']}_{pool_id}"

    def read(self, resource_id: str, state: Attributes) -> Attributes:
        cidr, pool_id = resource_id.split("_")
        found = self._find(pool_id, cidr=cidr)
        for argument, value in (
            ("cidr", found["Cidr"]),
            ("netmask_length", found["NetmaskLength"]),
        ):
            # Both are computed where they are not configured.
            assert state.get(argument) in (None, value)
        return {
            "cidr": found["Cidr"],
            "ipam_pool_cidr_id": found["IpamPoolCidrId"],
            "ipam_pool_id": pool_id,
            "netmask_length": found["NetmaskLength"],
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        raise AssertionError("all arguments force a replacement")

    def delete(self, resource_id: str, state: Attributes) -> None:
        cidr, pool_id = resource_id.split("_")
        ignored = ("InvalidIpamPoolId.NotFound", "IncorrectState")
        try:
            with not_found(*ignored):
                self.provider.ec2.deprovision_ipam_pool_cidr(Cidr=cidr, IpamPoolId=pool_id)
        except NotFound:
            pass
        wait_for_state(
            lambda: self._by_id_or_cidr(pool_id, state["ipam_pool_cidr_id"], cidr),
            pending=("pending-deprovision", "provisioned"),
            target=(),
        )

    def _by_id_or_cidr(self, pool_id: str, cidr_id: str, cidr: str | None) -> Any:
        """While it is being chosen, a CIDR is known by its id only."""
        if not cidr:
            cidr = self._find(pool_id, ipam_pool_cidr_id=cidr_id).get("Cidr")
            if not cidr:
                raise NotFound
        return self._find(pool_id, cidr=cidr)

    def _find(self, pool_id: str, **by: str) -> Any:
        with not_found("InvalidIpamPoolId.NotFound"):
            found = single(
                self.provider.pages(
                    "get_ipam_pool_cidrs",
                    "IpamPoolCidrs",
                    IpamPoolId=pool_id,
                    Filters=filters(**by),
                )
            )
        if found["State"] == "deprovisioned":
            raise NotFound
        return found


@dataclass(frozen=True)
class Allocation(DeletedOnce):
    """aws_vpc_ipam_pool_cidr_allocation: its id is ``ALLOCATION_POOL``."""

    provider: Provider
    defaults: ClassVar[Mapping[str, Any]] = {"description": ""}
    unread: ClassVar[Collection[str]] = ("netmask_length", "disallowed_cidrs")

    def create(self, config: Attributes) -> str:
        wanted = {
            "Cidr": config.get("cidr"),
            "Description": config["description"],
            "DisallowedCidrs": config.get("disallowed_cidrs"),
            "NetmaskLength": config.get("netmask_length"),
        }
        made = self.provider.ec2.allocate_ipam_pool_cidr(
            ClientToken=uuid4().hex,
            IpamPoolId=config["ipam_pool_id"],
            **{member: value for member, value in wanted.items() if value},
        )
        return f"{made['IpamPoolAllocation']['IpamPoolAllocationId']}_{config['ipam_pool_id']}"

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        allocation_id, pool_id = resource_id.split("_")
        with not_found("InvalidIpamPoolAllocationId.NotFound", "InvalidIpamPoolId.NotFound"):
            found = single(
                self.provider.pages(
                    "get_ipam_pool_allocations",
                    "IpamPoolAllocations",
                    IpamPoolId=pool_id,
                    IpamPoolAllocationId=allocation_id,
                )
            )
        return {
            "cidr": found["Cidr"],
            "description": found.get("Description", ""),
            "ipam_pool_allocation_id": found["IpamPoolAllocationId"],
            "ipam_pool_id": pool_id,
            "resource_id": found.get("ResourceId"),
            "resource_owner": found["ResourceOwner"],
            "resource_type": found["ResourceType"],
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        raise AssertionError("all arguments force a replacement")

    def delete(self, resource_id: str, state: Attributes) -> None:
        allocation_id, pool_id = resource_id.split("_")
        try:
            with not_found("InvalidIpamPoolId.NotFound"):
                self.provider.ec2.release_ipam_pool_allocation(
                    Cidr=state["cidr"], IpamPoolAllocationId=allocation_id, IpamPoolId=pool_id
                )
        except NotFound:
            return
        wait_until_not_found(lambda: self.read(resource_id, {}))


class ResourceDiscovery(IpamKind):
    describe, ids = "describe_ipam_resource_discoveries", "IpamResourceDiscoveryIds"
    member = "IpamResourceDiscoveries"
    missing = "InvalidIpamResourceDiscoveryId.NotFound"
    defaults: ClassVar[Mapping[str, Any]] = {"description": "", "tags": {}}

    def create(self, config: Attributes) -> str:
        made = self.provider.ec2.create_ipam_resource_discovery(
            ClientToken=uuid4().hex,
            Description=config["description"],
            OperatingRegions=regions(config["operating_regions"]),
            TagSpecifications=specified("ipam-resource-discovery", config["tags"]),
        )
        discovery_id: str = made["IpamResourceDiscovery"]["IpamResourceDiscoveryId"]
        self.wait_created(discovery_id)
        return discovery_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        found = self.find(resource_id)
        return {
            "arn": found["IpamResourceDiscoveryArn"],
            "description": found.get("Description", ""),
            "ipam_resource_discovery_region": found["IpamResourceDiscoveryRegion"],
            "is_default": found["IsDefault"],
            "operating_regions": region_names(found),
            "owner_id": found["OwnerId"],
            "tags": tags_of(found),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        self.provider.ec2.modify_ipam_resource_discovery(
            IpamResourceDiscoveryId=resource_id,
            Description=config["description"],
            **region_changes(state, config),
        )
        self.wait_updated(resource_id)
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, _state: Attributes) -> None:
        try:
            with not_found(self.missing):
                self.provider.ec2.delete_ipam_resource_discovery(
                    IpamResourceDiscoveryId=resource_id
                )
        except NotFound:
            return
        self.wait_deleted(resource_id)


class DiscoveryAssociation(IpamKind):
    describe = "describe_ipam_resource_discovery_associations"
    ids = "IpamResourceDiscoveryAssociationIds"
    member = "IpamResourceDiscoveryAssociations"
    missing = "InvalidIpamResourceDiscoveryAssociationId.NotFound"
    deleted = "disassociate-complete"
    defaults: ClassVar[Mapping[str, Any]] = {"tags": {}}

    def create(self, config: Attributes) -> str:
        made = self.provider.ec2.associate_ipam_resource_discovery(
            ClientToken=uuid4().hex,
            IpamId=config["ipam_id"],
            IpamResourceDiscoveryId=config["ipam_resource_discovery_id"],
            TagSpecifications=specified("ipam-resource-discovery-association", config["tags"]),
        )["IpamResourceDiscoveryAssociation"]
        association_id: str = made["IpamResourceDiscoveryAssociationId"]
        self.wait(association_id, "associate-in-progress", target=("associate-complete",))
        return association_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        found = self.find(resource_id)
        return {
            "arn": found["IpamResourceDiscoveryAssociationArn"],
            "ipam_arn": found["IpamArn"],
            "ipam_id": found["IpamId"],
            "ipam_region": found["IpamRegion"],
            "ipam_resource_discovery_id": found["IpamResourceDiscoveryId"],
            "is_default": found["IsDefault"],
            "owner_id": found["OwnerId"],
            "tags": tags_of(found),
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        self.provider.update_tags(resource_id, state, config)

    def delete(self, resource_id: str, _state: Attributes) -> None:
        try:
            with not_found(self.missing):
                self.provider.ec2.disassociate_ipam_resource_discovery(
                    IpamResourceDiscoveryAssociationId=resource_id
                )
        except NotFound:
            return
        self.wait(resource_id, "associate-complete", "disassociate-in-progress")


@dataclass(frozen=True)
class AdminAccount(DeletedOnce):
    """aws_vpc_ipam_organization_admin_account: its id is the account's."""

    provider: Provider
    defaults: ClassVar[Mapping[str, Any]] = {}
    unread: ClassVar[Collection[str]] = ()

    def create(self, config: Attributes) -> str:
        account_id: str = config["delegated_admin_account_id"]
        answer = self.provider.ec2.enable_ipam_organization_admin_account(
            DelegatedAdminAccountId=account_id
        )
        assert answer["Success"]
        return account_id

    def read(self, resource_id: str, _state: Attributes) -> Attributes:
        pages = self.provider.organizations.get_paginator("list_delegated_administrators")
        found = single(
            [
                account
                for page in pages.paginate(ServicePrincipal=IPAM_SERVICE)
                for account in page["DelegatedAdministrators"]
                if account["Id"] == resource_id
            ]
        )
        return {
            "arn": found["Arn"],
            "delegated_admin_account_id": found["Id"],
            "email": found["Email"],
            "name": found["Name"],
        }

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None:
        raise AssertionError("all arguments force a replacement")

    def delete(self, resource_id: str, _state: Attributes) -> None:
        self.provider.ec2.disable_ipam_organization_admin_account(
            DelegatedAdminAccountId=resource_id
        )
