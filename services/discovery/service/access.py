"""What the control plane knows: whose a scope is, and what resource discoveries cover."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from services.discovery.service.routes import DiscoveredRoute
from shared.caller import Caller
from shared.errors import InvalidParameterValue


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope of the caller's own."""

    scope_id: str
    ipam_id: str
    is_public: bool


@dataclass(frozen=True, slots=True)
class ResourceDiscovery:
    """A resource discovery that the caller may look through."""

    discovery_id: str
    operating_regions: Sequence[str]
    unit_ids: Mapping[str, str]
    """By account that it covers the OU that this is directly in; empty: in none, or the caller is
    not told (DISC-7)."""

    @property
    def account_ids(self) -> Collection[str]:
        """The accounts that it covers."""
        return self.unit_ids.keys()

    def check_operates_in(self, region: str, *, parameter: str) -> None:
        """Nothing, when resources in ``region`` are discovered.

        Raises:
            InvalidParameterValue: they are not.
        """
        if region not in self.operating_regions:
            regions = ", ".join(sorted(self.operating_regions))
            raise InvalidParameterValue(
                f"Value ({region}) for parameter {parameter} is invalid. The operating regions of"
                f" '{self.discovery_id}' are {regions}; use one of them",
                parameter=parameter,
                value=region,
                operating_regions=regions,
            )


class Access(Protocol):
    """Asks in the caller's name; what is not for the caller to see does not exist (BEY-12)."""

    async def scope(self, caller: Caller, ipam_scope_id: str) -> Scope:
        """A scope of the caller's own.

        Raises:
            CadastreError: there is none of this id, or the control plane does not answer.
        """

    async def discovery(self, caller: Caller, ipam_resource_discovery_id: str) -> ResourceDiscovery:
        """A resource discovery of the caller's own, or shared with it (ORG-4).

        Raises:
            CadastreError: there is none of this id, or the control plane does not answer.
        """

    async def routes(self, account_ids: Collection[str], region: str) -> Sequence[DiscoveredRoute]:
        """Routes to what these accounts brought along to a region, in any order.

        Raises:
            CadastreError: the control plane does not answer.
        """
