"""Ids and ARNs as AWS forms them (aws-contract.md section 2)."""

import hashlib
import random
import re
import time
from dataclasses import dataclass
from functools import cache

from shared.errors import MalformedId, UnknownId

# Seeded by the system, once: ids are no secrets, and asking it for each would take longer than all
# else that an allocation does.
_random = random.Random()  # noqa: S311 - no secrets come from it


_TIME_BITS = 48
"""Milliseconds since 1970 fit until the year 10889."""


@dataclass(frozen=True, slots=True)
class IdKind:
    """One kind of id: ``prefix`` plus ``digits`` lower-case hex digits.

    ``error_stem`` is what AWS's error codes for it begin with: ``InvalidIpamPoolId.NotFound``.
    Ids ``in_order`` begin with the time, as UUIDs of version 7 do (RFC 9562), so that those made
    together lie together in an index.
    """

    prefix: str
    error_stem: str
    digits: int = 17
    in_order: bool = False

    def new(self) -> str:
        """A fresh id; 68 random bits or more, so collisions need no handling."""
        number = _random.getrandbits(4 * self.digits)
        if self.in_order:
            below = 4 * self.digits - _TIME_BITS
            number = (time.time_ns() // 1_000_000) << below | number & ((1 << below) - 1)
        return f"{self.prefix}{number:0{self.digits}x}"

    def derived(self, name: str) -> str:
        """The id of what is kept by no id: always the same for ``name``, which is unique."""
        return f"{self.prefix}{hashlib.sha256(name.encode()).hexdigest()[: self.digits]}"

    def check(self, value: str) -> str:
        """``value`` itself, when it has this kind's form.

        Raises:
            MalformedId: other prefix, length or digits.
        """
        # AWS has issued 8-digit ids and pool allocations with 33 digits: be liberal in length.
        if not _pattern(self.prefix).fullmatch(value):
            form = f"'{self.prefix}' and {self.digits} hexadecimal digits"
            raise MalformedId(self.error_stem, value, form)
        return value

    def unknown(self, value: str) -> UnknownId:
        """The refusal for an id that names nothing the caller may see."""
        return UnknownId(self.error_stem, value)


@cache
def _pattern(prefix: str) -> re.Pattern[str]:
    return re.compile(re.escape(prefix) + r"[0-9a-f]{8,40}")


IPAM = IdKind("ipam-", "InvalidIpamId")
IPAM_SCOPE = IdKind("ipam-scope-", "InvalidIpamScopeId")
IPAM_POOL = IdKind("ipam-pool-", "InvalidIpamPoolId")
IPAM_POOL_CIDR = IdKind("ipam-pool-cidr-", "InvalidIpamPoolCidr", digits=32)
IPAM_POOL_ALLOCATION = IdKind(
    "ipam-pool-alloc-", "InvalidIpamPoolAllocationId", digits=32, in_order=True
)
IPAM_POOL_HOLD = IdKind("ipam-pool-hold-", "InvalidIpamPoolHoldId", digits=32, in_order=True)
IPAM_RESOURCE_DISCOVERY = IdKind("ipam-res-disco-", "InvalidIpamResourceDiscoveryId")
IPAM_RESOURCE_DISCOVERY_ASSOCIATION = IdKind(
    "ipam-res-disco-assoc-", "InvalidIpamResourceDiscoveryAssociationId"
)
IPAM_EXTERNAL_RESOURCE_VERIFICATION_TOKEN = IdKind(
    "ipam-ext-res-ver-token-", "InvalidIpamExternalResourceVerificationTokenId"
)
IPAM_POLICY = IdKind("ipam-policy-", "InvalidIpamPolicyId")
IPAM_INTERNET_REGISTRY_ASSOCIATION = IdKind(
    "ipam-internet-registry-assoc-", "InvalidIpamInternetRegistryAssociationId"
)
IPAM_PREFIX_LIST_RESOLVER = IdKind("ipam-plr-", "InvalidIpamPrefixListResolverId")
IPAM_PREFIX_LIST_RESOLVER_TARGET = IdKind("ipam-plrt-", "InvalidIpamPrefixListResolverTargetId")
VPC = IdKind("vpc-", "InvalidVpcID")
VPC_CIDR_ASSOCIATION = IdKind("vpc-cidr-assoc-", "InvalidVpcCidrBlockAssociationID")
SUBNET = IdKind("subnet-", "InvalidSubnetID")
SUBNET_CIDR_ASSOCIATION = IdKind("subnet-cidr-assoc-", "InvalidSubnetCidrBlockAssociationID")
NETWORK_INTERFACE = IdKind("eni-", "InvalidNetworkInterfaceID")
NETWORK_INTERFACE_ATTACHMENT = IdKind("eni-attach-", "InvalidAttachmentID")
INSTANCE = IdKind("i-", "InvalidInstanceID")
RESERVATION = IdKind("r-", "InvalidReservationID")
ADDRESS_ALLOCATION = IdKind("eipalloc-", "InvalidAllocationID")
ADDRESS_ASSOCIATION = IdKind("eipassoc-", "InvalidAssociationID")
PUBLIC_IPV4_POOL = IdKind("ipv4pool-ec2-", "InvalidPublicIpv4PoolID")
PUBLIC_IPV4_POOL_CIDR_ASSOCIATION = IdKind(
    "ipv4pool-cidr-assoc-", "InvalidPublicIpv4PoolCidrAssociationID"
)
PREFIX_LIST = IdKind("pl-", "InvalidPrefixListID")
NETWORK_ACL = IdKind("acl-", "InvalidNetworkAclID")
NETWORK_ACL_ASSOCIATION = IdKind("aclassoc-", "InvalidNetworkAclAssociationID")
ROUTE_TABLE = IdKind("rtb-", "InvalidRouteTableID")
ROUTE_TABLE_ASSOCIATION = IdKind("rtbassoc-", "InvalidRouteTableAssociationID")
SECURITY_GROUP = IdKind("sg-", "InvalidGroup")
SECURITY_GROUP_RULE = IdKind("sgr-", "InvalidSecurityGroupRuleId")

KINDS: tuple[IdKind, ...] = (
    IPAM,
    IPAM_SCOPE,
    IPAM_POOL,
    IPAM_POOL_CIDR,
    IPAM_POOL_ALLOCATION,
    IPAM_POOL_HOLD,
    IPAM_RESOURCE_DISCOVERY,
    IPAM_RESOURCE_DISCOVERY_ASSOCIATION,
    IPAM_EXTERNAL_RESOURCE_VERIFICATION_TOKEN,
    IPAM_POLICY,
    IPAM_INTERNET_REGISTRY_ASSOCIATION,
    IPAM_PREFIX_LIST_RESOLVER,
    IPAM_PREFIX_LIST_RESOLVER_TARGET,
    VPC,
    VPC_CIDR_ASSOCIATION,
    SUBNET,
    SUBNET_CIDR_ASSOCIATION,
    NETWORK_INTERFACE,
    NETWORK_INTERFACE_ATTACHMENT,
    INSTANCE,
    RESERVATION,
    ADDRESS_ALLOCATION,
    ADDRESS_ASSOCIATION,
    PUBLIC_IPV4_POOL,
    PUBLIC_IPV4_POOL_CIDR_ASSOCIATION,
    PREFIX_LIST,
    NETWORK_ACL,
    NETWORK_ACL_ASSOCIATION,
    ROUTE_TABLE,
    ROUTE_TABLE_ASSOCIATION,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
)
KIND_BY_PREFIX = {kind.prefix: kind for kind in KINDS}


def arn(account_id: str, resource_type: str, resource_id: str) -> str:
    """IPAM's ARNs carry no region: ``arn:aws:ec2::123456789012:ipam/ipam-0de83dba6694560a9``."""
    return f"arn:aws:ec2::{account_id}:{resource_type}/{resource_id}"
