"""Refusals only this context gives."""

from collections.abc import Iterable

from shared.errors import (
    DependencyViolation,
    Exhausted,
    IncorrectState,
    Invalid,
    InvalidParameterValue,
    NotFound,
    OperationNotPermitted,
    Precondition,
    QuotaExceeded,
    ServiceUnavailable,
)


class InvalidVpcRange(Invalid):
    """A CIDR that the VPC can't have."""

    reason = "InvalidVpc.Range"


class _LimitExceeded(QuotaExceeded):
    """``holder`` has as many ``things`` as it may have; the reason is the class's name."""

    def __init__(
        self, holder: str, count: int, things: str, quota: int, **metadata: object
    ) -> None:
        super().__init__(
            type(self).__name__,
            f"{holder} has {count} {things}; at most {quota} are allowed",
            quota=quota,
            count=count,
            **metadata,
        )


class VpcLimitExceeded(_LimitExceeded):
    """The account has all the VPCs it may have in the region."""

    def __init__(self, account_id: str, region: str, count: int, quota: int) -> None:
        holder, things = f"Account {account_id}", f"VPCs in {region}"
        super().__init__(holder, count, things, quota, account_id=account_id, region=region)


class CidrLimitExceeded(_LimitExceeded):
    """The VPC has all the CIDR blocks of the family it may have."""

    def __init__(self, vpc_id: str, family: str, count: int, quota: int) -> None:
        things = f"{family} CIDR blocks"
        super().__init__(f"'{vpc_id}'", count, things, quota, vpc_id=vpc_id, family=family)


class PrimaryCidrBlock(OperationNotPermitted):
    """The IPv4 CIDR a VPC was created with stays as long as the VPC."""

    def __init__(self, vpc_id: str, association_id: str) -> None:
        super().__init__(
            f"The CIDR block with association ID '{association_id}' is the primary IPv4 CIDR block"
            f" of '{vpc_id}' and can't be disassociated; delete the VPC instead",
            vpc_id=vpc_id,
            association_id=association_id,
        )


class UndertakingAbandoned(ServiceUnavailable):
    """It took longer than it may, so another worker has begun to undo it."""

    def __init__(self) -> None:
        super().__init__("The request took too long and was undone; repeat it")


class CidrBlockInUse(Precondition):
    """A block of a VPC in which a subnet lies."""

    reason = "InvalidCidrBlock.InUse"

    def __init__(self, vpc_id: str, cidr: object, subnet_id: str) -> None:
        super().__init__(
            f"The vpc {vpc_id} currently has a subnet within CIDR block {cidr}: '{subnet_id}';"
            " delete it first",
            vpc_id=vpc_id,
            cidr=cidr,
            subnet_id=subnet_id,
        )


class InvalidSubnetRange(Invalid):
    """A CIDR that the subnet can't have."""

    reason = "InvalidSubnet.Range"


class InvalidSubnetConflict(Precondition):
    """A CIDR of which another subnet of the VPC has a part."""

    reason = "InvalidSubnet.Conflict"

    def __init__(self, cidr: object, subnet_id: str, obstacle: object) -> None:
        super().__init__(
            f"The CIDR '{cidr}' conflicts with another subnet: '{subnet_id}' has '{obstacle}'",
            value=cidr,
            subnet_id=subnet_id,
            obstacle=obstacle,
        )


class SubnetBlockStays(OperationNotPermitted):
    """A block that its subnet can't be without."""

    def __init__(self, subnet_id: str, association_id: str, remedy: str) -> None:
        super().__init__(
            f"The CIDR block with association ID '{association_id}' can't be disassociated from"
            f" '{subnet_id}'; {remedy}",
            subnet_id=subnet_id,
            association_id=association_id,
        )


class SubnetBlockInUse(Precondition):
    """A block of a subnet of which an interface has addresses."""

    reason = "InvalidCidrBlock.InUse"

    def __init__(self, subnet_id: str, cidr: object) -> None:
        super().__init__(
            f"Network interfaces of '{subnet_id}' have addresses of the CIDR block {cidr}; delete"
            " them first",
            subnet_id=subnet_id,
            cidr=cidr,
        )


class SubnetLimitExceeded(_LimitExceeded):
    """The VPC has all the subnets it may have."""

    def __init__(self, vpc_id: str, count: int, quota: int) -> None:
        super().__init__(f"'{vpc_id}'", count, "subnets", quota, vpc_id=vpc_id)


class AddressInUse(Precondition):
    """An address that an interface of the subnet has."""

    reason = "InvalidIPAddress.InUse"

    def __init__(self, addresses: Iterable[object], subnet_id: str) -> None:
        named = ", ".join(map(str, addresses))
        super().__init__(
            f"In use in '{subnet_id}': {named}; leave the address out to have one chosen",
            value=named,
            subnet_id=subnet_id,
        )


class InsufficientFreeAddresses(Exhausted):
    """The subnet has fewer free addresses than the request needs."""

    reason = "InsufficientFreeAddressesInSubnet"

    def __init__(self, subnet_id: str, needed: int, free: int) -> None:
        super().__init__(
            f"'{subnet_id}' has {free} free addresses; the request needs {needed}",
            subnet_id=subnet_id,
            needed=needed,
            free=free,
        )


class InterfaceInUse(Precondition):
    """An interface has one place at a time."""

    reason = "InvalidNetworkInterface.InUse"

    def __init__(self, network_interface_id: str, instance_id: str) -> None:
        super().__init__(
            f"Interface '{network_interface_id}' is in use: it is attached to '{instance_id}';"
            " detach it first",
            network_interface_id=network_interface_id,
            instance_id=instance_id,
        )


class InterfaceAttached(InvalidParameterValue):
    """An attached interface can't be deleted."""

    def __init__(self, network_interface_id: str, instance_id: str) -> None:
        super().__init__(
            f"Network interface '{network_interface_id}' is currently in use: it is attached to"
            f" '{instance_id}'; detach it first",
            parameter="networkInterfaceId",
            value=network_interface_id,
            instance_id=instance_id,
        )


class PrimaryInterface(OperationNotPermitted):
    """The primary interface goes with the instance only."""

    def __init__(self, network_interface_id: str, instance_id: str) -> None:
        super().__init__(
            f"'{network_interface_id}' is at device index 0 of '{instance_id}' and cannot be"
            " detached; terminate the instance instead",
            network_interface_id=network_interface_id,
            instance_id=instance_id,
        )


class IncorrectInstanceState(Precondition):
    """The instance is in a state that does not allow the request."""

    reason = "IncorrectInstanceState"

    def __init__(self, instance_id: str, state: str) -> None:
        super().__init__(
            f"The instance '{instance_id}' is {state}; use one that is running",
            instance_id=instance_id,
            state=state,
        )


class TerminatedInstance(Precondition):
    """No address reaches an instance that has no interface any more."""

    reason = "InvalidInstanceID"

    def __init__(self, instance_id: str) -> None:
        super().__init__(
            f"The instance '{instance_id}' is not in a valid state for this operation: it is"
            " terminated; use one that is running",
            instance_id=instance_id,
        )


class OtherZone(InvalidParameterValue):
    """Instances have interfaces of their own availability zone only."""

    def __init__(
        self, network_interface_id: str, zone: str, instance_id: str, instance_zone: str
    ) -> None:
        super().__init__(
            f"'{network_interface_id}' is in {zone}, but '{instance_id}' in {instance_zone}; use an"
            " interface of the instance's availability zone",
            parameter="networkInterfaceId",
            value=network_interface_id,
            availability_zone=zone,
            instance_id=instance_id,
            instance_availability_zone=instance_zone,
        )


class DeviceIndexTaken(InvalidParameterValue):
    """One index, one interface."""

    def __init__(self, instance_id: str, device_index: int, network_interface_id: str) -> None:
        super().__init__(
            f"Instance '{instance_id}' already has an interface attached at device index"
            f" '{device_index}': '{network_interface_id}'; use another index",
            parameter="deviceIndex",
            value=device_index,
            instance_id=instance_id,
            network_interface_id=network_interface_id,
        )


class InvalidAddressNotFound(NotFound):
    """A public address that is none of the caller's."""

    reason = "InvalidAddress.NotFound"

    def __init__(self, public_ip: object) -> None:
        super().__init__(f"Address '{public_ip}' not found", public_ip=public_ip)


class AddressLimitExceeded(_LimitExceeded):
    """The account has all of Amazon's addresses that it may have in the region.

    Addresses of IPAM pools and of public IPv4 pools don't count.
    """

    def __init__(self, account_id: str, region: str, count: int, quota: int) -> None:
        holder = f"Account {account_id}"
        things = f"elastic IP addresses in {region}, besides those of pools"
        super().__init__(holder, count, things, quota, account_id=account_id, region=region)


class InsufficientAddressCapacity(Exhausted):
    """A public IPv4 pool without a free address."""

    reason = "InsufficientAddressCapacity"

    def __init__(self, pool_id: str, total: int) -> None:
        super().__init__(
            f"All {total} addresses of '{pool_id}' are taken; release one or provision a CIDR",
            pool_id=pool_id,
            total=total,
        )


class AddressTaken(Precondition):
    """An address of a public IPv4 pool that an elastic IP address has already."""

    reason = "InvalidAddress.InUse"

    def __init__(self, public_ip: object, pool_id: str) -> None:
        super().__init__(
            f"'{public_ip}' of '{pool_id}' is allocated already; leave the address out to get the"
            " lowest that is free",
            public_ip=public_ip,
            pool_id=pool_id,
        )


class AddressNotReleased(Precondition):
    """An address of a public IPv4 pool that can't go, since an elastic IP address has it."""

    reason = "InvalidIPAddress.InUse"

    def __init__(self, public_ip: object, pool_id: str) -> None:
        super().__init__(
            f"'{public_ip}' of '{pool_id}' is allocated; release the elastic IP address first",
            public_ip=public_ip,
            pool_id=pool_id,
        )


class AddressAssociated(Precondition):
    """An associated address can't be released."""

    reason = "InvalidIPAddress.InUse"

    def __init__(self, public_ip: object, association_id: str, network_interface_id: str) -> None:
        super().__init__(
            f"'{public_ip}' is associated with '{network_interface_id}' as '{association_id}';"
            " disassociate it first",
            public_ip=public_ip,
            association_id=association_id,
            network_interface_id=network_interface_id,
        )


class AlreadyAssociated(Precondition):
    """Something would have to be associated anew, and the request forbids that."""

    reason = "Resource.AlreadyAssociated"

    def __init__(self, allocation_id: str, association_id: str) -> None:
        super().__init__(
            f"resource {allocation_id} is already associated with associate-id {association_id};"
            " disassociate it first, or allow reassociation",
            allocation_id=allocation_id,
            association_id=association_id,
        )


class TransferNotPermitted(OperationNotPermitted):
    """Addresses of pools stay with the account that allocated them (EIP-3)."""

    def __init__(self, allocation_id: str, pool_id: str) -> None:
        super().__init__(
            f"'{allocation_id}' is of '{pool_id}' and can't be transferred; only Amazon's own"
            " addresses can. Share the IPAM pool with the other account instead",
            allocation_id=allocation_id,
            pool_id=pool_id,
        )


class OfferedAddressAssociated(AddressAssociated):
    """An associated address can't be offered to another account."""

    reason = "InvalidAddress.InUse"


class TransferredAddressAssociated(Precondition):
    """An address that its owner has associated since it was offered."""

    reason = "InvalidTransfer.AddressAssociated"

    def __init__(self, public_ip: object) -> None:
        super().__init__(
            f"'{public_ip}' is associated; its owner has to disassociate it first",
            public_ip=public_ip,
        )


class PublicIpv4PoolHasAddresses(DependencyViolation):
    """A pool can be deleted when it is empty."""

    def __init__(self, pool_id: str, total: int) -> None:
        super().__init__(
            f"'{pool_id}' has {total} addresses; deprovision them first",
            pool_id=pool_id,
            total=total,
        )


class PublicIpv4PoolInUse(DependencyViolation):
    """A range goes when no elastic IP address is of it."""

    def __init__(self, pool_id: str, taken: int) -> None:
        super().__init__(
            f"'{pool_id}' has {taken} elastic IP addresses; release them first",
            pool_id=pool_id,
            taken=taken,
        )


class PrefixListVersionMismatch(Precondition):
    """A request about another version than the newest."""

    reason = "PrefixListVersionMismatch"

    def __init__(self, prefix_list_id: str, given: object, version: int) -> None:
        super().__init__(
            f"The prefix list has the incorrect version number: '{prefix_list_id}' has version"
            f" {version}, not {given}; look at its entries and repeat with {version}",
            prefix_list_id=prefix_list_id,
            value=given,
            version=version,
        )


class PrefixListMaxEntriesExceeded(Exhausted):
    """More entries than the list may have."""

    reason = "PrefixListMaxEntriesExceeded"

    def __init__(self, name: str, count: int, max_entries: int) -> None:
        super().__init__(
            f"You've reached the maximum number of entries for the prefix list: '{name}' would have"
            f" {count}, at most {max_entries} are allowed; remove entries or resize it",
            prefix_list_name=name,
            count=count,
            max_entries=max_entries,
        )


class InvalidPrefixListModification(Precondition):
    """An entry that is not as the request supposes; ``fault`` says how, and what would work."""

    reason = "InvalidPrefixListModification"

    def __init__(self, prefix_list_id: str, cidr: object, fault: str) -> None:
        super().__init__(
            f"The entry ({cidr}) of '{prefix_list_id}' {fault}",
            prefix_list_id=prefix_list_id,
            value=cidr,
        )


class ResolverTargetAttached(IncorrectState):
    """What a prefix list resolver looks after; ``remedy`` is what would help."""

    def __init__(self, prefix_list_id: str, target_id: object, remedy: str) -> None:
        super().__init__(
            f"'{prefix_list_id}' is managed by IPAM through '{target_id}'; {remedy}",
            prefix_list_id=prefix_list_id,
            ipam_prefix_list_resolver_target_id=target_id,
        )


class OtherResolverTarget(ResolverTargetAttached):
    """A prefix list is one target's at a time."""

    def __init__(self, prefix_list_id: str, target_id: object) -> None:
        super().__init__(prefix_list_id, target_id, "delete that target first, or use another list")
