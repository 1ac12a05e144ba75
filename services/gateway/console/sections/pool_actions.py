"""What can be done with pools, as the guide's wizards do it (POOL-1 to POOL-8)."""

from collections.abc import Sequence
from functools import partial

from cadastre.allocation.v1 import allocation_service_pb2 as allocation
from cadastre.allocation.v1 import pool_cidr_pb2
from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import ipam_pool_pb2
from services.gateway.console.actions import Action, Command, with_client_token
from services.gateway.console.choices import (
    NO_CHOICE,
)
from services.gateway.console.fields import (
    choose,
    description_field,
    locked,
)
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.sections.pool_allocations import ALLOCATION_ACTIONS
from services.gateway.console.sections.pool_creation import (
    carry_out_create,
    create,
    create_form,
    rule_fields,
    to_provision,
)
from services.gateway.console.tag_actions import edit_tags
from services.gateway.console.visit import Visit
from services.gateway.console.words import tags_of, word_of
from shared.errors import InvalidParameterValue

_METHODS = (
    NO_CHOICE,
    Choice("remarks-x509", "Certificate in the RDAP record", "message and signature"),
    Choice("dns-token", "Verification token in DNS"),
)


async def _edit_form(visit: Visit) -> Form:
    pool = await _own_pool(visit)
    return Form(
        (
            locked("ipam_pool_id", "Pool", pool.ipam_pool_id),
            description_field(pool.description),
            *rule_fields(pool),
        )
    )


async def _edited(visit: Visit, values: Values) -> pb.ModifyIpamPoolRequest:
    pool = await _own_pool(visit)
    before = tags_of(pool.allocation_resource_tags)
    after = values.tags("allocation_resource_tags")
    for field in ("allocation_min_netmask_length", "allocation_max_netmask_length"):
        if values.number(field) is None and pool.HasField(field):
            # To send nothing would leave it as it is, unnoticed.
            raise InvalidParameterValue(
                f"A limit can be changed but not removed; it is /{getattr(pool, field)} now",
                parameter=field,
            )
    default = values.number("allocation_default_netmask_length")
    has_default = pool.HasField("allocation_default_netmask_length")
    return pb.ModifyIpamPoolRequest(
        ipam_pool_id=pool.ipam_pool_id,
        description=values.text("description"),
        auto_import=values.flag("auto_import"),
        allocation_min_netmask_length=values.number("allocation_min_netmask_length"),
        allocation_max_netmask_length=values.number("allocation_max_netmask_length"),
        allocation_default_netmask_length=default,
        clear_allocation_default_netmask_length=(default is None and has_default) or None,
        add_allocation_resource_tags=[
            ipam_pool_pb2.RequestIpamResourceTag(key=key, value=value)
            for key, value in after.items()
            if before.get(key) != value
        ],
        remove_allocation_resource_tags=[
            ipam_pool_pb2.RequestIpamResourceTag(key=key, value=value)
            for key, value in before.items()
            if after.get(key) != value
        ],
    )


async def _edit(visit: Visit, values: Values) -> Sequence[Command]:
    return [Command(await _edited(visit, values), pb.ModifyIpamPoolResponse)]


async def _delete_form(visit: Visit) -> Form:
    pool = await _own_pool(visit)
    return Form(
        (
            locked("ipam_pool_id", "Pool", pool.ipam_pool_id),
            Field(
                "cascade",
                "Cascade delete",
                Kind.CHECKBOX,
                help="Also releases what is allocated from it, and deprovisions its CIDRs."
                " Without, a pool must be empty.",
            ),
        )
    )


def _delete(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.DeleteIpamPoolRequest(
        ipam_pool_id=visit.params["ipam_pool_id"], cascade=values.flag("cascade") or None
    )
    return [Command(request, pb.DeleteIpamPoolResponse)]


async def _provision_form(visit: Visit) -> Form:
    pool = await _own_pool(visit)
    is_byoip = word_of(pool, "public_ip_source") == "byoip" or (
        pool.ipam_scope_type == types_pb2.IPAM_SCOPE_TYPE_PUBLIC and not pool.source_ipam_pool_id
    )
    proof: Sequence[Field] = (
        Field(
            "verification_method",
            "Proof of control",
            Kind.CHOICE,
            choices=_METHODS,
            legend="Bring your own IP",
        ),
        Field("message", "Signed message", legend="Bring your own IP"),
        Field("signature", "Signature", legend="Bring your own IP"),
        Field(
            "ipam_external_resource_verification_token_id",
            "Verification token ID",
            legend="Bring your own IP",
        ),
    )
    return Form(
        (
            locked("ipam_pool_id", "Pool", pool.ipam_pool_id),
            Field("cidr", "CIDR", placeholder="10.0.0.0/16"),
            Field(
                "netmask_length",
                "Netmask length",
                Kind.NUMBER,
                help="In the place of a CIDR: any free one of this length, of the source pool.",
            ),
            *(proof if is_byoip else ()),
        ),
        intro=_still_to_do(visit),
    )


def _still_to_do(visit: Visit) -> str:
    rest = visit.query.get("then", "").split()
    is_left = visit.query.get("done") == "create-pool"
    told = "The pool is there, but this isn't provisioned to it yet." if is_left else ""
    after = f"Still to be provisioned after this one: {', '.join(rest)}." if rest else ""
    return f"{told} {after}".strip()


async def _carry_out_provision(visit: Visit, values: Values) -> str:
    """Provision, and go on to what is still to be provisioned (``then`` in the query)."""
    [command] = _provision(visit, values)
    with_client_token(command.request, values)
    await visit.api.call(command.request, command.answers)
    here = f"/pools/{visit.params['ipam_pool_id']}"
    return to_provision(here, visit.query.get("then", "").split())


def _provision(visit: Visit, values: Values) -> Sequence[Command]:
    request = allocation.ProvisionIpamPoolCidrRequest(
        ipam_pool_id=visit.params["ipam_pool_id"],
        cidr=values.optional("cidr"),
        netmask_length=values.number("netmask_length"),
        ipam_external_resource_verification_token_id=values.optional(
            "ipam_external_resource_verification_token_id"
        ),
    )
    choose(request, "verification_method", values)
    if values.text("message") or values.text("signature"):
        request.cidr_authorization_context.CopyFrom(
            pool_cidr_pb2.IpamCidrAuthorizationContext(
                message=values.text("message"), signature=values.text("signature")
            )
        )
    return [Command(request, allocation.ProvisionIpamPoolCidrResponse)]


async def _deprovision_form(visit: Visit) -> Form:
    pool, cidr = await _own_pool(visit), visit.query.get("cidr", "").strip()
    return Form(
        (
            locked("ipam_pool_id", "Pool", pool.ipam_pool_id),
            locked("cidr", "CIDR", cidr) if cidr else Field("cidr", "CIDR", is_required=True),
        )
    )


def _deprovision(visit: Visit, values: Values) -> Sequence[Command]:
    request = allocation.DeprovisionIpamPoolCidrRequest(
        ipam_pool_id=visit.params["ipam_pool_id"], cidr=values.text("cidr")
    )
    return [Command(request, allocation.DeprovisionIpamPoolCidrResponse)]


async def _own_pool(visit: Visit) -> ipam_pool_pb2.IpamPool:
    return await visit.api.pool(visit.params["ipam_pool_id"])


_HERE = "/pools/{ipam_pool_id}"
_of_pool = partial(Action, goes_to=_HERE, comes_from=_HERE)

ACTIONS: Sequence[Action] = (
    Action(
        name="create-pool",
        path="/pools/create",
        title="Create pool",
        submit="Create pool",
        done="The pool is being created.",
        form=create_form,
        commands=create,
        carry_out=carry_out_create,
        comes_from="/pools",
    ),
    _of_pool(
        name="edit-pool",
        is_edit=True,
        path=f"{_HERE}/edit",
        title="Edit pool",
        submit="Save changes",
        done="The pool is being changed.",
        form=_edit_form,
        commands=_edit,
    ),
    _of_pool(
        name="provision-cidr",
        path=f"{_HERE}/provision",
        title="Provision CIDR",
        submit="Provision CIDR",
        done="The CIDR is being provisioned.",
        form=_provision_form,
        commands=_provision,
        carry_out=_carry_out_provision,
    ),
    _of_pool(
        name="deprovision-cidr",
        path=f"{_HERE}/deprovision",
        title="Deprovision CIDR",
        submit="Deprovision CIDR",
        done="The CIDR is being deprovisioned.",
        form=_deprovision_form,
        commands=_deprovision,
        warning="Its addresses go back to the source pool, or out of IPAM.",
    ),
    *ALLOCATION_ACTIONS,
    _of_pool(
        name="delete-pool",
        path=f"{_HERE}/delete",
        title="Delete pool",
        submit="Delete",
        done="The pool is being deleted.",
        form=_delete_form,
        commands=_delete,
        goes_to="/pools",
        warning="Pools in it must be deleted first.",
        confirm_word="delete",
    ),
    edit_tags("pool", _HERE, "ipam_pool_id"),
)
