"""What of AWS's model does not apply here, or can't be had on one walk, and why."""

import re
from collections.abc import Mapping

REASONS: Mapping[re.Pattern[str], str] = {
    re.compile(pattern): reason
    for pattern, reason in {
        r".*\.NextToken": "a page holds all that there is on this walk",
        r".*\.(StateMessage|StatusMessage|LastVersionCreationStatusMessage|FailureReason(\..*)?)": (
            "tells why something failed, and nothing does on this walk"
        ),
        r".*Ipam(Scope|Scopes)\.ExternalAuthorityConfiguration(\..*)?": (
            "Cadastre alone decides over its scopes"
        ),
        r"AllocateIpamPoolCidr\.IpamPoolAllocation\.ResourceId": "a reservation is no resource's",
        r"(Enable|Disable)AddressTransfer\.AddressTransfer\.TransferOfferAcceptedTimestamp": (
            "an offer that is made or withdrawn is not accepted"
        ),
        r"(Provision|Deprovision|Move)ByoipCidr(ToIpam)?\.ByoipCidr\.AsnAssociations(\..*)?": (
            "an own ASN originates what an IPAM's pool has"
        ),
        r"(Provision|Deprovision)ByoipCidr\.ByoipCidr\.IpamPoolId": "it is in no pool",
        r"(Create|Delete)IpamResourceDiscovery\..*\.OrganizationalUnitExclusions(\..*)?": (
            "only the administrator's default one has any here"
        ),
        r"(?!Describe)\w+ManagedPrefixList\w*\.PrefixList\.IpamPrefixListResolverTargetId": (
            "a list that follows a resolver is not changed by hand"
        ),
        r"CreateIpamInternetRegistryAssociation\..*\.ChildRequestXml": "it is being made",
        r"CreateNetworkInterface\..*\.(Association|Attachment)(\..*)?": "a new one is alone",
        r"RunInstances\.Instances\.(NetworkInterfaces|PublicIpAddress).*": (
            "it is described once more when it has more"
        ),
        r".*\.(Instances\.(InstanceType|KeyName)|(Security)?Groups\.GroupName)": (
            "records that tell what was given: the walk gives neither, and groups by id"
        ),
        r"DescribeAddressesAttribute\.Addresses\.PtrRecord(Update)?(\..*)?": (
            "there is no such DNS"
        ),
        r"DescribeAvailabilityZones\.AvailabilityZones\.(Geography|SubGeography|Messages)(\..*)?": (
            "where zones are, and how they are, is nobody's business here"
        ),
        r"DescribeAvailabilityZones\.AvailabilityZones\.(GroupLongName|ParentZone(Id|Name))": (
            "of Local Zones, which are none of this region's"
        ),
        r"DescribeRegions\.Regions\.Geography(\..*)?": "nor where regions are",
        r"DescribeNetworkAcls\.NetworkAcls\.Entries\.(IcmpTypeCode|PortRange)(\..*)?": (
            "the default rules are about all traffic"
        ),
        r"DescribeRouteTables\.RouteTables\.(Associations|PropagatingVgws)\..*": (
            "only a VPC's main table is there"
        ),
        r"DescribeRouteTables\.RouteTables\.PropagatingVgws": "there are no VPN gateways",
        r"DescribeSecurityGroup(s|Rules)\.SecurityGroup.*": "only the default rules are there",
        r"GetManagedPrefixListAssociations\.PrefixListAssociations(\..*)?": (
            "nothing refers to lists"
        ),
        r"GetIpamDiscoveredPublicAddresses\..*\.(NetworkInterfaceDescription|Service(Resource)?)": (
            "no service has addresses on this walk"
        ),
        r"CreateIpamPrefixListResolverTarget\..*\.LastSyncedVersion": "nothing was synced yet",
        r"ModifyIpamResourceCidr\.IpamResourceCidr\.(AvailabilityZoneId|IpamPoolId)": (
            "a VPC has no zone, and its pool is told once it was evaluated anew"
        ),
    }.items()
}
"""By operation and member, as ``DescribeIpams.Ipams.StateMessage``."""

EMPTY_LISTINGS = frozenset({"GetManagedPrefixListAssociations"})
"""Nothing refers to prefix lists here."""

NO_FILTERS: Mapping[str, frozenset[str]] = {
    # Longer than the values of filters may be.
    "DescribeIpamInternetRegistryAssociations": frozenset({"ChildRequestXml"}),
    # One that is asked for alone.
    "GetIpamDiscoveredRoutes": frozenset({"IpamResourceDiscoveryId"}),
    "GetIpamRouteProtectionFindings": frozenset({"PoolId", "RpkiStrength"}),
}
"""Members that nothing is filtered by."""

_OF_ROUTES = {"ResourceOwnerId": "account-id", "State": "byoip-cidr-state"}

FILTER_NAMES: Mapping[str, Mapping[str, str]] = {
    "GetIpamDiscoveredRoutes": _OF_ROUTES,
    "GetIpamRouteProtectionFindings": _OF_ROUTES,
}
"""Filters that are not called as their member is."""


def reason_of(operation: str, member: str) -> str | None:
    """Why the member is empty in all answers; None if it should not be."""
    name = f"{operation}.{member}"
    return next((why for pattern, why in REASONS.items() if pattern.fullmatch(name)), None)
