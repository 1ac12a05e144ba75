"""Resources as lines of JSON, for what can't speak gRPC itself: one object per line.

Every object has a ``type`` and what the model of that type below has; what has a default may be
left out, and nothing else may be there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)
from pydantic import StringConstraints as Text
from pydantic_core import PydanticCustomError

from shared.cidr import AddressFamily, Cidr
from shared.errors import InvalidParameterValue


def _cidr(text: str) -> str:
    try:
        return str(Cidr.parse(text))
    except InvalidParameterValue as error:
        raise _wrong(error.message) from error


def _ipv4_cidr(text: str) -> str:
    if Cidr.parse(text).family is not AddressFamily.IPV4:
        raise _wrong(f"'{text}' is not an IPv4 CIDR; use one such as '203.0.113.0/24'")
    return text


def _address(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError as error:
        raise _wrong(f"'{text}' is not an address; use one such as '10.0.0.5'") from error
    # An address of one machine's link is nothing that others can tell apart.
    if address.version == 6 and (address.scope_id or address.ipv4_mapped):
        raise _wrong(f"'{text}' is not an address that a network uses")
    return str(address)


def _ipv4_address(text: str) -> str:
    if ip_address(text).version != 4:
        raise _wrong(f"'{text}' is not an IPv4 address; use one such as '203.0.113.5'")
    return text


def _with_source(told: Any) -> Any:
    return {"cidr": told} if isinstance(told, str) else told


def _wrong(message: str) -> PydanticCustomError:
    # Braces would be taken for places to fill in.
    return PydanticCustomError("wrong", "{message}", {"message": message})


Id: TypeAlias = Annotated[str, Text(min_length=1, max_length=255)]
OtherId: TypeAlias = Annotated[str, Text(max_length=255)]
Word: TypeAlias = Annotated[str, Text(max_length=64)]
Prose: TypeAlias = Annotated[str, Text(max_length=1024)]
Tags: TypeAlias = Annotated[
    dict[Annotated[str, Text(min_length=1, max_length=128)], Annotated[str, Text(max_length=256)]],
    Field(max_length=50),
]
Block: TypeAlias = Annotated[str, AfterValidator(_cidr)]
Ipv4Block: TypeAlias = Annotated[Block, AfterValidator(_ipv4_cidr)]
SingleAddress: TypeAlias = Annotated[str, AfterValidator(_address)]
Ipv4Address: TypeAlias = Annotated[SingleAddress, AfterValidator(_ipv4_address)]
Count: TypeAlias = Annotated[int, Field(ge=0, lt=2**63)]


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SourcedCidr(_Told):
    """A CIDR, for which its text alone may stand, and who provided it."""

    cidr: Block
    ip_source: Literal["none", "amazon", "byoip"] = "none"


Cidrs: TypeAlias = Annotated[
    tuple[Annotated[SourcedCidr, BeforeValidator(_with_source)], ...], Field(max_length=1000)
]


class Vpc(_Told):
    type: Literal["vpc"]
    id: Id
    cidrs: Cidrs = ()
    tags: Tags = {}


class Subnet(_Told):
    type: Literal["subnet"]
    id: Id
    vpc_id: Id
    cidrs: Cidrs = ()
    tags: Tags = {}
    availability_zone_id: Word = ""


class Attachment(_Told):
    instance_id: OtherId = ""
    """Empty for what a service runs."""
    owner_id: OtherId = ""
    """An account, or a service's name. Empty: the account that it is told for."""


class SecurityGroup(_Told):
    id: Id
    name: OtherId = ""


class PublicIp(_Told):
    address: Ipv4Address
    owner_id: OtherId = ""
    """An account, or a service's name. Empty: the account that it is told for."""
    allocation_id: OtherId = ""
    """Empty unless it is an elastic IP address."""


class NetworkInterface(_Told):
    type: Literal["network-interface"]
    id: Id
    vpc_id: Id
    subnet_id: Id
    addresses: Annotated[tuple[SingleAddress, ...], Field(max_length=1000)] = ()
    """Private ones, the primary one first."""
    delegated_prefixes: Annotated[tuple[Block, ...], Field(max_length=1000)] = ()
    tags: Tags = {}
    description: Prose = ""
    availability_zone_id: Word = ""
    interface_type: Word = "interface"
    requester_id: Id | None = None
    """The service that made it and manages it."""
    attachment: Attachment | None = None
    security_groups: Annotated[tuple[SecurityGroup, ...], Field(max_length=1000)] = ()
    public_ips: Annotated[tuple[PublicIp, ...], Field(max_length=1000)] = ()


class Address(_Told):
    """An elastic IP address."""

    type: Literal["address"]
    id: Id
    """Its allocation id."""
    public_ip: Ipv4Address
    public_ipv4_pool: OtherId = ""
    """A public IPv4 pool or an IPAM pool; ``amazon``, or empty: it is Amazon's own."""
    network_border_group: Word = ""
    tags: Tags = {}
    association_id: OtherId = ""
    network_interface_id: OtherId = ""
    instance_id: OtherId = ""
    service_managed: Word = ""


class PublicIpv4Pool(_Told):
    type: Literal["public-ipv4-pool"]
    id: Id
    cidrs: Annotated[tuple[Ipv4Block, ...], Field(max_length=1000)] = ()
    tags: Tags = {}
    network_border_group: Word = ""
    total_address_count: Count = 0
    total_available_address_count: Count = 0
    is_byoip: bool = False


class ServiceAddress(_Told):
    """A public IPv4 address of a service that has no network interface."""

    type: Literal["service-address"]
    address: Ipv4Address
    service: Annotated[str, Text(min_length=1, max_length=64)]
    """AWS's word, such as ``site-to-site-vpn``."""
    service_resource: Prose = ""
    is_byoip: bool = False
    tags: Tags = {}


Resource: TypeAlias = Vpc | Subnet | NetworkInterface | Address | PublicIpv4Pool | ServiceAddress

_RESOURCE: TypeAdapter[Resource] = TypeAdapter(Annotated[Resource, Field(discriminator="type")])


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that can't be; lines are counted from 1."""

    number: int
    message: str


@dataclass(frozen=True, slots=True)
class Read:
    """What lines tell; ``resources`` are all of them only if no line is bad."""

    resources: list[Resource]
    bad_lines: list[BadLine]


def read(lines: Iterable[bytes]) -> Read:
    """Every line, in order; empty ones tell nothing."""
    told = Read([], [])
    numbers: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            resource = _RESOURCE.validate_json(line)
        except ValidationError as error:
            told.bad_lines.extend(BadLine(number, message) for message in _messages(error))
            continue
        told.resources.append(resource)
        first = numbers.setdefault((resource.type, _name(resource)), number)
        if first != number:
            message = f"{resource.type} '{_name(resource)}' is told of in line {first} already"
            told.bad_lines.append(BadLine(number, message))
    return told


def _name(resource: Resource) -> str:
    return resource.address if isinstance(resource, ServiceAddress) else resource.id


def _messages(error: ValidationError) -> list[str]:
    return [
        f"{where}: {found['msg']}" if (where := _where(found["loc"])) else found["msg"]
        for found in error.errors(include_url=False, include_context=False)
    ]


def _where(location: tuple[int | str, ...]) -> str:
    """Without the type, which comes first, and in the words of the line."""
    return ".".join(str(step) for step in location[1:] if step != "[key]")
