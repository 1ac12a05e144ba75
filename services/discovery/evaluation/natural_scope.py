"""Which default scope a resource's CIDR lands in (SCP-5)."""

from services.discovery.evaluation.model import Scopes
from services.discovery.resource_cidr import ResourceType
from shared.cidr import AddressFamily, Cidr

_UNIQUE_LOCAL = Cidr.parse("fc00::/7")  # RFC 4193
_PUBLIC_TYPES = {ResourceType.EIP, ResourceType.PUBLIC_IPV4_POOL}


def scope_by_nature(scopes: Scopes, resource_type: ResourceType, cidr: Cidr) -> str:
    """The private one for IPv4 in VPCs, whatever the addresses, and for unique local IPv6."""
    is_private = resource_type not in _PUBLIC_TYPES and (
        cidr.family is AddressFamily.IPV4 or _UNIQUE_LOCAL.contains(cidr)
    )
    return scopes.private_default if is_private else scopes.public_default
