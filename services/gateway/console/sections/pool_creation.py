"""Creating a pool, as the guide's wizard does, and provisioning to it (POOL-1, POOL-4, POOL-8)."""

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import urlencode

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from services.gateway.console.actions import Command, with_client_token
from services.gateway.console.choices import (
    MOST_POOLS,
    NO_CHOICE,
    pool_choices,
    pools,
    scope_choices,
    scopes,
)
from services.gateway.console.fields import (
    choose,
    description_field,
    tag_specifications,
    tags_field,
)
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.visit import Visit
from services.gateway.console.words import is_busy, word_of
from shared.errors import CadastreError

_RULES = "Allocation rules"
_SOURCE = "Source and place"
_PUBLIC = "Public space"
# In all as long as anybody waits for a page.
_POLL_SECONDS, _LOOKS = 0.1, 150

_FAMILIES = (Choice("ipv4", "IPv4"), Choice("ipv6", "IPv6"))
_PUBLIC_SOURCES = (
    NO_CHOICE,
    Choice("byoip", "Bring your own IP (BYOIP)"),
    Choice("amazon", "Amazon-owned"),
)
_SERVICES = (
    NO_CHOICE,
    Choice("ec2", "EC2 (EIP/VPC)"),
    Choice("global-services", "Global services"),
)


async def create_form(visit: Visit) -> Form:
    found, all_pools = await asyncio.gather(scopes(visit), pools(visit))
    source_id = visit.query.get("source_ipam_pool_id", "")
    source = next((one for one in all_pools if one.ipam_pool_id == source_id), None)
    if source_id and source is None:
        source = await visit.api.pool(source_id)
    place = _place_fields(visit, found, _source_field(visit, all_pools), source)
    return Form((*place, *rule_fields(None)))


def _source_field(visit: Visit, all_pools: Sequence[ipam_pool_pb2.IpamPool]) -> Field:
    """Chosen from the account's pools, or named where there are more than anybody looks through."""
    name, label = "source_ipam_pool_id", "Source pool"
    if len(all_pools) >= MOST_POOLS:
        text = "Its ID. Left out, it is a top-level pool."
        return Field(name, label, help=text, placeholder="ipam-pool-…", legend=_SOURCE)
    own = [one for one in all_pools if visit.api.own(one)]
    choices = [Choice("", "None: a top-level pool"), *pool_choices(own)]
    return Field(name, label, Kind.CHOICE, choices=choices, legend=_SOURCE)


def _place_fields(
    visit: Visit,
    found: Sequence[ipam_scope_pb2.IpamScope],
    source_field: Field,
    source: ipam_pool_pb2.IpamPool | None,
) -> Sequence[Field]:
    scope_id = source.ipam_scope_arn.rpartition("/")[2] if source else ""
    regions = [Choice("None", "None"), *(Choice(one, one) for one in visit.regions)]
    return (
        Field(
            "ipam_scope_id",
            "Scope",
            Kind.CHOICE,
            choices=scope_choices(found),
            value=scope_id or (found[0].ipam_scope_id if found else ""),
            is_required=True,
        ),
        Field("name", "Name", help="The tag Name."),
        description_field(),
        source_field,
        Field(
            "address_family",
            "Address family",
            Kind.CHOICE,
            choices=_FAMILIES,
            value=word_of(source, "address_family") if source else "ipv4",
            is_required=True,
            legend=_SOURCE,
        ),
        Field(
            "locale",
            "Locale",
            Kind.CHOICE,
            choices=regions,
            value=(source.locale if source else "") or "None",
            help="The region whose resources allocate from the pool; it can't be changed later.",
            is_required=True,
            legend=_SOURCE,
        ),
        Field(
            "source_vpc_id",
            "Plan the space of a VPC",
            help="A VPC's ID: the pool is then for its subnets. Left out, the pool plans space"
            " within the scope.",
            placeholder="vpc-…",
            legend=_SOURCE,
        ),
        Field(
            "source_vpc_owner_id",
            "Account of the VPC",
            help="Left out, it is this account.",
            legend=_SOURCE,
        ),
        Field(
            "cidrs",
            "CIDRs to provision",
            Kind.LINES,
            help="A CIDR (10.0.0.0/16) or a netmask length (/20) of the source pool, a line each.",
            legend=_SOURCE,
        ),
        Field(
            "public_ip_source",
            "Public IP source",
            Kind.CHOICE,
            choices=_PUBLIC_SOURCES,
            help="Of pools in the public scope.",
            legend=_PUBLIC,
        ),
        Field(
            "aws_service",
            "Service",
            Kind.CHOICE,
            choices=_SERVICES,
            help="Whose resources use it; public pools with a locale need it.",
            legend=_PUBLIC,
        ),
        Field(
            "publicly_advertisable",
            "CIDRs may be advertised to the internet (IPv6)",
            Kind.CHECKBOX,
            legend=_PUBLIC,
        ),
    )


def rule_fields(pool: ipam_pool_pb2.IpamPool | None) -> Sequence[Field]:
    """The rules as they are now, or none."""

    def length(field: str, label: str) -> Field:
        has = pool is not None and pool.HasField(field)  # type: ignore[arg-type]
        value = str(getattr(pool, field)) if has else ""
        return Field(field, label, Kind.NUMBER, value=value, legend=_RULES)

    tags = [f"{tag.key}={tag.value}" for tag in pool.allocation_resource_tags] if pool else []
    return (
        Field(
            "auto_import",
            "Automatically import discovered resources",
            Kind.CHECKBOX,
            value="true" if pool and pool.auto_import else "",
            legend=_RULES,
        ),
        length("allocation_min_netmask_length", "Minimum netmask length"),
        length("allocation_default_netmask_length", "Default netmask length"),
        length("allocation_max_netmask_length", "Maximum netmask length"),
        Field(
            "allocation_resource_tags",
            "Required resource tags",
            Kind.TAGS,
            help="Resources must have all of these to allocate from the pool; a line for each.",
            value="\n".join(tags),
            legend=_RULES,
        ),
        *((tags_field(),) if pool is None else ()),
    )


def _create_request(visit: Visit, values: Values) -> pb.CreateIpamPoolRequest:
    name = {"Name": values.text("name")} if values.text("name") else {}
    locale = values.text("locale")
    request = pb.CreateIpamPoolRequest(
        ipam_scope_id=values.optional("ipam_scope_id"),
        source_ipam_pool_id=values.optional("source_ipam_pool_id"),
        description=values.optional("description"),
        locale=locale if locale != "None" else None,
        auto_import=values.flag("auto_import") or None,
        publicly_advertisable=_is_advertisable(values),
        allocation_min_netmask_length=values.number("allocation_min_netmask_length"),
        allocation_default_netmask_length=values.number("allocation_default_netmask_length"),
        allocation_max_netmask_length=values.number("allocation_max_netmask_length"),
        allocation_resource_tags=[
            ipam_pool_pb2.RequestIpamResourceTag(key=key, value=value)
            for key, value in values.tags("allocation_resource_tags").items()
        ],
        tag_specifications=tag_specifications("ipam-pool", {**name, **values.tags("tags")}),
    )
    for field in ("address_family", "public_ip_source", "aws_service"):
        choose(request, field, values)
    if values.text("source_vpc_id"):
        request.source_resource.CopyFrom(
            ipam_pool_pb2.IpamPoolSourceResourceRequest(
                resource_id=values.text("source_vpc_id"),
                resource_type=ipam_pool_pb2.IPAM_POOL_SOURCE_RESOURCE_TYPE_VPC,
                resource_region=locale if locale != "None" else visit.region,
                resource_owner=values.text("source_vpc_owner_id") or visit.account_id,
            )
        )
    return request


def _is_advertisable(values: Values) -> bool | None:
    """AWS wants to be told of IPv6 that is brought along to a top-level pool, and of that alone."""
    chosen = [values.text(name) for name in ("address_family", "public_ip_source")]
    if chosen == ["ipv6", "byoip"]:
        return values.flag("publicly_advertisable")
    return values.flag("publicly_advertisable") or None


def create(visit: Visit, values: Values) -> Sequence[Command]:
    request = Command(_create_request(visit, values), pb.CreateIpamPoolResponse)
    # Its id isn't known before.
    provision = [_provision_request("POOL_ID", cidr) for cidr in values.lines("cidrs")]
    return [request, *(Command(one, allocation.ProvisionIpamPoolCidrResponse) for one in provision)]


async def carry_out_create(visit: Visit, values: Values) -> str:
    """Create it, and provision to it as soon as that can be done.

    What can't be provisioned is led to as a form of its own, where it is told why.
    """
    request = _create_request(visit, values)
    with_client_token(request, values)
    answer = await visit.api.call(request, pb.CreateIpamPoolResponse)
    pool_id = answer.ipam_pool.ipam_pool_id
    cidrs = values.lines("cidrs")
    left = cidrs
    if cidrs and await _is_created(visit, pool_id):
        provisions = [_provision_request(pool_id, cidr) for cidr in cidrs]
        for number, provision in enumerate(provisions, 1):
            with_client_token(provision, values, number)
        outcomes = [await _is_done(visit, provision) for provision in provisions]
        left = [cidr for cidr, is_done in zip(cidrs, outcomes, strict=True) if not is_done]
    here = f"/pools/{pool_id}"
    if not left:
        return here
    # There is a pool now, so its form isn't shown again: the next one to do is, filled in.
    return to_provision(here, left)


def to_provision(here: str, cidrs: Sequence[str]) -> str:
    """The form for the first of ``cidrs``, which leads to those after it; none: the pool."""
    if not cidrs:
        return here
    first, *rest = cidrs
    member = "netmask_length" if first.startswith("/") else "cidr"
    query = {member: first, **({"then": " ".join(rest)} if rest else {})}
    return f"{here}/provision?{urlencode(query)}"


async def _is_created(visit: Visit, pool_id: str) -> bool:
    """Wait until it can be provisioned to, or until nobody would wait any longer."""
    for _ in range(_LOOKS):
        try:
            pool = await visit.api.pool(pool_id)
        except CadastreError:
            # There is a pool: what is left to do is led to, rather than refused.
            return False
        if not is_busy(word_of(pool, "state")):
            return True
        await asyncio.sleep(_POLL_SECONDS)
    return False


async def _is_done(visit: Visit, provision: allocation.ProvisionIpamPoolCidrRequest) -> bool:
    """Provision; a refusal is told where the form for it is reviewed."""
    try:
        await visit.api.call(provision, allocation.ProvisionIpamPoolCidrResponse)
    except CadastreError:
        return False
    return True


def _provision_request(pool_id: str, cidr: str) -> allocation.ProvisionIpamPoolCidrRequest:
    request = allocation.ProvisionIpamPoolCidrRequest(ipam_pool_id=pool_id)
    if re.fullmatch(r"/[0-9]{1,3}", cidr):
        request.netmask_length = int(cidr[1:])
    else:
        request.cidr = cidr
    return request
