"""The way through delegated RPKI; a registry on loopback certifies the IPAM."""

import json
from pathlib import Path
from typing import Any

from services.control_plane.byoip.rpki import AMAZON_ASNS
from services.control_plane.delegated_rpki.resources import Resources
from tests.acceptance.command_lines import HOME
from tests.acceptance.walk.brought import ASN, RANGE
from tests.acceptance.walk.walker import Walker, gone, settled, tags
from tests.registries.internet_registry import InternetRegistry
from tests.waiting import wait_until

_ON_PREMISES, _LONGER = "198.18.0.0/16", "198.18.64.0/18"
_ASNS = ["64496", "64497"]
HELD = Resources.parse(asns="12345,64496-64497", ipv4=f"{RANGE},198.18.0.0/15", ipv6="")


def tell_of_routes(folder: Path) -> dict[str, str]:
    """Settings: files with what the RPKI says elsewhere, and with routes that others announce."""
    roas, routes = folder / "roas.json", folder / "routes.txt"
    roa = {"prefix": RANGE, "maxLength": 24, "ta": "test", "expires": 1_900_000_000}
    allowed = [{**roa, "asn": f"AS{number}"} for number in (ASN, *AMAZON_ASNS)]
    roas.write_text(json.dumps({"roas": allowed}))
    routes.write_text(f"{ASN}\t{RANGE}\t200\n64999\t130.137.245.128/25\t12\n")
    return {"CADASTRE_RPKI_EXPORT_FILE": str(roas), "CADASTRE_ROUTE_FEED_FILE": str(routes)}


def watch_routes(walk: Walker) -> None:
    ec2, ipam = walk.home, walk.made["ipam"]
    ec2.get_ipam_discovered_routes(
        IpamResourceDiscoveryId=ipam["DefaultResourceDiscoveryId"], ResourceRegion=HOME
    )
    ec2.get_ipam_route_protection_findings(IpamId=ipam["IpamId"])


def delegate_rpki(walk: Walker, registry: InternetRegistry) -> None:
    ec2 = walk.home
    made = ec2.create_ipam_internet_registry_association(
        IpamId=walk.made["ipam"]["IpamId"],
        Rir="ripe",
        OrganizationHandle="ORG-EX1-RIPE",
        Description="walked",
        TagSpecifications=tags("ipam-internet-registry-association", "walked"),
    )["IpamInternetRegistryAssociation"]
    association_id = made["IpamInternetRegistryAssociationId"]
    walk.made["association with RIR"] = association_id

    def ask() -> Any:
        return ec2.describe_ipam_internet_registry_associations(
            IpamInternetRegistryAssociationIds=[association_id]
        )

    pending = settled(ask, "pending-enable")
    response = registry.admit(pending["ChildRequestXml"], HELD)
    ec2.enable_ipam_internet_registry_association(
        IpamInternetRegistryAssociationId=association_id,
        RpkiVersion=response.rpki_version,
        ServiceUri=response.service_uri,
        ChildHandle=response.child_handle,
        ParentHandle=response.parent_handle,
        ParentBpkiTa=response.parent_bpki_ta,
    )
    settled(ask, "enable-complete")
    of_it = {"IpamInternetRegistryAssociationId": association_id}
    ec2.get_ipam_internet_registry_association_asns(**of_it)
    ec2.get_ipam_internet_registry_association_cidrs(**of_it)


def register_routing_policy(walk: Walker) -> None:
    ec2 = walk.home
    of_it = {"IpamInternetRegistryAssociationId": walk.made["association with RIR"]}
    ec2.create_ipam_routing_policy_registration(
        **of_it, Cidr=_ON_PREMISES, Asns=_ASNS[:1], Description="on premises"
    )
    ec2.modify_ipam_routing_policy_registration(
        **of_it,
        Cidr=_ON_PREMISES,
        Asns=_ASNS,
        PermitMoreSpecificAnnouncements=True,
        MaxLength=24,
    )
    batch = {"Add": [{"prefix": _LONGER, "asns": _ASNS}], "Delete": []}
    ec2.batch_modify_ipam_routing_policy_registrations(**of_it, DeltaJson=json.dumps(batch))
    _published(walk, 3)
    ec2.get_ipam_routing_policy_registrations(**of_it)

    def roas() -> bool:
        found = ec2.get_ipam_route_origin_authorizations(**of_it)["IpamRouteOriginAuthorizations"]
        return {_ON_PREMISES, _LONGER} <= {roa["Cidr"] for roa in found}

    wait_until(roas)


def _published(walk: Walker, count: int) -> None:
    of_it = {"IpamInternetRegistryAssociationId": walk.made["association with RIR"]}

    def are_published() -> bool:
        deltas = walk.home.get_ipam_routing_policy_registration_deltas(
            **of_it, ChronologicalOrder="reverse"
        )["IpamRoutingPolicyRegistrationDeltas"]
        return [delta["State"] for delta in deltas] == ["published"] * count

    wait_until(are_published)


def end_delegation(walk: Walker) -> None:
    ec2 = walk.home
    of_it = {"IpamInternetRegistryAssociationId": walk.made["association with RIR"]}
    for cidr in (_LONGER, _ON_PREMISES):
        ec2.delete_ipam_routing_policy_registration(**of_it, Cidr=cidr, Force=True)
    gone(lambda: ec2.get_ipam_routing_policy_registrations(**of_it))
    ec2.delete_ipam_internet_registry_association(**of_it)
    gone(ec2.describe_ipam_internet_registry_associations)
