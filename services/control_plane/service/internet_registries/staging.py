"""Registrations for ROAs that there are before an association is enabled."""

from collections import defaultdict
from collections.abc import Collection, Iterator

from services.control_plane.internet_registries.association import InternetRegistryAssociation
from services.control_plane.internet_registries.registration import (
    LONGEST,
    MOST_ASNS,
    NOBODY,
    Registration,
    RoutingPolicy,
    staged,
)
from services.control_plane.service.rows import Rows
from services.control_plane.verification.roas import Roa
from shared.cidr import Cidr


def stage(rows: Rows, association: InternetRegistryAssociation, vrps: Collection[Roa]) -> None:
    """Have ROAs of the organization's CIDRs registered once the association is enabled.

    What is registered already stays as it is.
    """
    association_id = association.ipam_internet_registry_association_id
    known = rows.routing_policies.registrations(association_id)
    new = {one.policy.cidr: one for one in _staged(vrps) if one.policy.cidr not in known}
    rows.routing_policies.save(association_id, known, {**known, **new})


def _staged(vrps: Collection[Roa]) -> Iterator[Registration]:
    """One for each CIDR, with all that may originate it and the longest prefix any of them may.

    Without what no registration can be for.
    """
    by_cidr: defaultdict[Cidr, list[Roa]] = defaultdict(list)
    for roa in vrps:
        by_cidr[roa.prefix].append(roa)
    for cidr, roas in sorted(by_cidr.items()):
        longest = LONGEST[cidr.family]
        if cidr.prefix_length <= longest:
            max_length = min(longest, max(roa.max_length for roa in roas))
            somebody = {roa.asn for roa in roas} - {NOBODY}
            policy = RoutingPolicy.of(
                cidr,
                # Beside others, a ROA that nobody may originate it says nothing (RFC 9582).
                sorted(somebody)[:MOST_ASNS] or [NOBODY],
                permits_more_specific=max_length > cidr.prefix_length,
                max_length=max_length,
            )
            yield staged(policy, None)
