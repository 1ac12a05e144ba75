"""Which ranges are Amazon's here, and which ones may be brought along (PROV-4 to PROV-6)."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, PlainValidator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.allocation.definition import AMAZON_SPACES
from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue


def _parsed(value: Any) -> Cidr:
    if isinstance(value, Cidr):
        return value
    try:
        return Cidr.parse(str(value), parameter="range")
    except InvalidParameterValue as error:
        raise ValueError(error.message) from None


def _of_family(family: AddressFamily) -> AfterValidator:
    def check(ranges: tuple[Cidr, ...]) -> tuple[Cidr, ...]:
        for cidr in ranges:
            if cidr.family is not family:
                raise ValueError(f"{cidr} is not {family.value}")
        for one, other in combinations(ranges, 2):
            if one.overlaps(other):
                raise ValueError(f"{one} and {other} overlap; name each address once")
        return ranges

    return AfterValidator(check)


_Range: TypeAlias = Annotated[Cidr, PlainValidator(_parsed)]


class PublicRanges(BaseSettings):
    """Each field is the variable ``CADASTRE_<FIELD>``; lists are JSON: ``["198.18.0.0/15"]``."""

    model_config = SettingsConfigDict(env_prefix="CADASTRE_", frozen=True)

    amazon_ipv4_ranges: Annotated[tuple[_Range, ...], _of_family(AddressFamily.IPV4)] = (
        Cidr.parse("198.18.0.0/15"),
    )
    """What elastic IP addresses and contiguous blocks are of; by default for tests (RFC 2544)."""
    amazon_ipv6_ranges: Annotated[tuple[_Range, ...], _of_family(AddressFamily.IPV6)] = (
        Cidr.parse("3fff::/20"),
    )
    """What Amazon's IPv6 blocks are of; by default for documentation (RFC 9637)."""
    byoip_reserved_ranges_allowed: bool = False
    """Whether ranges for private use, documentation and tests can be brought along."""

    @property
    def amazon(self) -> Mapping[str, Sequence[Cidr]]:
        """The ranges by the system pool that has them."""
        return {
            AMAZON_SPACES[AddressFamily.IPV4]: self.amazon_ipv4_ranges,
            AMAZON_SPACES[AddressFamily.IPV6]: self.amazon_ipv6_ranges,
        }
