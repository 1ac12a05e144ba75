"""What is brought along: ranges, ASNs, and tokens that prove control (BYOIP-1 to BYOIP-6)."""

from collections.abc import Sequence
from functools import partial

from starlette.responses import Response

from cadastre.control.v1 import byoip_service_pb2 as pb
from cadastre.control.v1 import control_service_pb2 as control
from services.gateway.console.actions import Action, Command
from services.gateway.console.choices import pool_choices, pools
from services.gateway.console.fields import locked, tag_specifications, tags_field
from services.gateway.console.forms import Choice, Field, Form, Kind, Values
from services.gateway.console.reading import reading
from services.gateway.console.section import Group, Page, Section
from services.gateway.console.tables import Cell, Column, Table, badge, table_page, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import name_of, time_of, word_of
from shared.errors import UnknownId

_RANGES_AT_ONCE = 100
_PROOF = "Proof of control"
_EXAMPLE_ZONE = "113.0.203.in-addr.arpa."


async def list_ranges(visit: Visit) -> Response:
    """Ranges brought along, with an IPAM or without."""

    def links(row: pb.ByoipCidr) -> Sequence[Link]:
        query = {"cidr": row.cidr}
        state = word_of(row, "state")
        change = (
            Link("Withdraw", visit.url("/byoip/withdraw", **query))
            if state == "advertised"
            else Link("Advertise", visit.url("/byoip/advertise", **query))
        )
        if row.ipam_pool_id:
            return (change, Link("Pool", visit.url(f"/pools/{row.ipam_pool_id}")))
        return (
            change,
            Link("Move to IPAM", visit.url("/byoip/move", **query)),
            Link("Deprovision", visit.url("/byoip/deprovision", **query), is_destructive=True),
        )

    table = Table(
        name="byoip-cidrs",
        columns=(
            Column("cidr", "CIDR", lambda row: Cell(row.cidr, is_code=True)),
            Column(
                "state",
                "State",
                lambda row: badge(word_of(row, "state")),
            ),
            Column("message", "Message", lambda row: text(row.status_message)),
            Column(
                "asns",
                "ASNs",
                lambda row: text(
                    ", ".join(
                        f"{one.asn} ({word_of(one, 'state')})" for one in row.asn_associations
                    )
                ),
            ),
            Column("pool", "Pool", lambda row: text(row.ipam_pool_id or row.pool_id, is_code=True)),
            Column("border", "Border group", lambda row: text(row.network_border_group)),
            Column("description", "Description", lambda row: text(row.description)),
        ),
        read=reading(
            visit,
            pb.DescribeByoipCidrsRequest(),
            pb.DescribeByoipCidrsResponse,
            lambda answer: answer.byoip_cidrs,
            least=1,
            most=_RANGES_AT_ONCE,
        ),
        row_links=links,
        empty="Nothing was brought along. With an IPAM, provision a CIDR to a public pool.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="BYOIP CIDRs",
        actions=[Link("Provision CIDR", visit.url("/byoip/provision"), is_main=True)],
    )


async def list_asns(visit: Visit) -> Response:
    """ASNs brought along."""
    table = Table(
        name="byoasns",
        columns=(
            Column("asn", "ASN", lambda row: Cell(row.asn, is_code=True)),
            Column("state", "State", lambda row: badge(word_of(row, "state"))),
            Column("message", "Message", lambda row: text(row.status_message)),
            Column("ipam", "IPAM", lambda row: Cell(row.ipam_id, is_code=True)),
        ),
        read=reading(
            visit,
            pb.DescribeIpamByoasnRequest(),
            pb.DescribeIpamByoasnResponse,
            lambda answer: answer.byoasns,
        ),
        row_links=lambda row: (
            Link("Associate with a CIDR", visit.url("/byoasn/associate", asn=row.asn)),
            Link("Disassociate from a CIDR", visit.url("/byoasn/disassociate", asn=row.asn)),
            Link(
                "Deprovision",
                visit.url("/byoasn/deprovision", asn=row.asn, ipam_id=row.ipam_id),
                is_destructive=True,
            ),
        ),
        empty="No ASN was brought along.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="BYOASN",
        actions=[Link("Provision ASN", visit.url("/byoasn/provision"), is_main=True)],
    )


async def list_tokens(visit: Visit) -> Response:
    """Tokens that prove control of a range by DNS."""
    table = Table(
        name="verification-tokens",
        columns=(
            Column(
                "id",
                "Token ID",
                lambda row: Cell(
                    row.ipam_external_resource_verification_token_id,
                    url=visit.url(
                        f"/verification-tokens/{row.ipam_external_resource_verification_token_id}"
                    ),
                    is_code=True,
                ),
            ),
            Column("state", "State", lambda row: badge(word_of(row, "state"))),
            Column("status", "Status", lambda row: badge(word_of(row, "status"))),
            Column("name", "Token name", lambda row: Cell(row.token_name, is_code=True)),
            Column("value", "Token value", lambda row: Cell(row.token_value, is_code=True)),
            Column("expires", "Expires (UTC)", lambda row: text(time_of(row, "not_after"))),
            Column("ipam", "IPAM", lambda row: Cell(row.ipam_id, is_code=True)),
        ),
        read=reading(
            visit,
            pb.DescribeIpamExternalResourceVerificationTokensRequest(),
            pb.DescribeIpamExternalResourceVerificationTokensResponse,
            lambda answer: answer.ipam_external_resource_verification_tokens,
        ),
        row_links=lambda row: (
            Link(
                "Delete",
                visit.url(
                    "/verification-tokens"
                    f"/{row.ipam_external_resource_verification_token_id}/delete"
                ),
                is_destructive=True,
            ),
        ),
        empty="There is no token.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Verification tokens",
        intro="Put a TXT record with the token's value under the token's name into the reverse DNS"
        " of the range, then provision the range with the token's ID.",
        actions=[Link("Create token", visit.url("/verification-tokens/create"), is_main=True)],
    )


async def show_token(visit: Visit) -> Response:
    """One token, and the record that proves control with it."""
    token = await _token(visit)
    here = f"/verification-tokens/{token.ipam_external_resource_verification_token_id}"
    return visit.page(
        "verification_token.html",
        title=token.ipam_external_resource_verification_token_id,
        trail=[Link("Verification tokens", visit.url("/verification-tokens"))],
        actions=[Link("Delete", visit.url(f"{here}/delete"), is_destructive=True)],
        facts=(
            ("State", badge(word_of(token, "state"))),
            ("Status", badge(word_of(token, "status"))),
            ("Token name", Cell(token.token_name, is_code=True)),
            ("Token value", Cell(token.token_value, is_code=True)),
            ("Expires (UTC)", time_of(token, "not_after")),
            ("IPAM", Cell(token.ipam_id, url=visit.url(f"/ipams/{token.ipam_id}"), is_code=True)),
            ("ARN", Cell(token.ipam_external_resource_verification_token_arn, is_code=True)),
        ),
        record=f'{token.token_name}.{_EXAMPLE_ZONE} TXT "{token.token_value}"',
        is_changing=badge(word_of(token, "state")).tone == "busy",
    )


async def _token(visit: Visit) -> pb.IpamExternalResourceVerificationToken:
    """The token that the address names.

    Raises:
        UnknownId: there is none that the account may see.
    """
    token_id = visit.params["token_id"]
    request = pb.DescribeIpamExternalResourceVerificationTokensRequest(
        ipam_external_resource_verification_token_ids=[token_id]
    )
    answer = await visit.api.call(
        request, pb.DescribeIpamExternalResourceVerificationTokensResponse
    )
    if not answer.ipam_external_resource_verification_tokens:
        raise UnknownId("InvalidIpamExternalResourceVerificationTokenId", token_id)
    return answer.ipam_external_resource_verification_tokens[0]


async def _ipam_field(visit: Visit) -> Field:
    answer = await visit.api.call(control.DescribeIpamsRequest(), control.DescribeIpamsResponse)
    choices = [Choice(one.ipam_id, name_of(one.tags) or one.ipam_id) for one in answer.ipams]
    value = choices[0].value if choices else ""
    return Field("ipam_id", "IPAM", Kind.CHOICE, choices=choices, value=value, is_required=True)


def _proof_fields(*, is_required: bool) -> Sequence[Field]:
    return (
        Field("message", "Signed message", legend=_PROOF, is_required=is_required),
        Field("signature", "Signature", legend=_PROOF, is_required=is_required),
    )


async def _provision_form(_: Visit) -> Form:
    return Form(
        (
            Field("cidr", "CIDR", is_required=True, placeholder="203.0.113.0/24"),
            Field("description", "Description"),
            Field("publicly_advertisable", "May be advertised to the internet", Kind.CHECKBOX),
            Field("network_border_group", "Network border group"),
            *_proof_fields(is_required=False),
            tags_field(),
        ),
        intro="Without an IPAM. With one, provision the CIDR to a public pool of it instead.",
    )


def _provision(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.ProvisionByoipCidrRequest(
        cidr=values.text("cidr"),
        description=values.optional("description"),
        publicly_advertisable=values.flag("publicly_advertisable") or None,
        network_border_group=values.optional("network_border_group"),
        pool_tag_specifications=tag_specifications("ipv4pool-ec2", values.tags("tags")),
    )
    if values.text("message"):
        request.cidr_authorization_context.CopyFrom(
            pb.CidrAuthorizationContext(
                message=values.text("message"), signature=values.text("signature")
            )
        )
    return [Command(request, pb.ProvisionByoipCidrResponse)]


async def _cidr_form(_: Visit) -> Form:
    return Form((Field("cidr", "CIDR", is_required=True),))


async def _advertise_form(_: Visit) -> Form:
    return Form(
        (
            Field("cidr", "CIDR", is_required=True),
            Field("asn", "ASN", help="One that is associated with it; Amazon's, if left out."),
        )
    )


def _advertise(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.AdvertiseByoipCidrRequest(cidr=values.text("cidr"), asn=values.optional("asn"))
    return [Command(request, pb.AdvertiseByoipCidrResponse)]


def _withdraw(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.WithdrawByoipCidrRequest(cidr=values.text("cidr"))
    return [Command(request, pb.WithdrawByoipCidrResponse)]


def _deprovision(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.DeprovisionByoipCidrRequest(cidr=values.text("cidr"))
    return [Command(request, pb.DeprovisionByoipCidrResponse)]


async def _move_form(visit: Visit) -> Form:
    return Form(
        (
            Field("cidr", "CIDR", is_required=True),
            Field(
                "ipam_pool_id",
                "IPAM pool",
                Kind.CHOICE,
                choices=[Choice("", "Choose one"), *pool_choices(await pools(visit))],
                is_required=True,
            ),
            Field("ipam_pool_owner", "Pool owner", help="The account that has the pool."),
        )
    )


def _move(visit: Visit, values: Values) -> Sequence[Command]:
    request = pb.MoveByoipCidrToIpamRequest(
        cidr=values.text("cidr"),
        ipam_pool_id=values.optional("ipam_pool_id"),
        ipam_pool_owner=values.text("ipam_pool_owner") or visit.account_id,
    )
    return [Command(request, pb.MoveByoipCidrToIpamResponse)]


async def _provision_asn_form(visit: Visit) -> Form:
    return Form(
        (
            await _ipam_field(visit),
            Field("asn", "ASN", is_required=True, placeholder="64496"),
            *_proof_fields(is_required=True),
        )
    )


def _provision_asn(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.ProvisionIpamByoasnRequest(
        ipam_id=values.optional("ipam_id"),
        asn=values.text("asn"),
        asn_authorization_context=pb.AsnAuthorizationContext(
            message=values.text("message"), signature=values.text("signature")
        ),
    )
    return [Command(request, pb.ProvisionIpamByoasnResponse)]


async def _deprovision_asn_form(visit: Visit) -> Form:
    return Form((await _ipam_field(visit), Field("asn", "ASN", is_required=True)))


def _deprovision_asn(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.DeprovisionIpamByoasnRequest(
        ipam_id=values.optional("ipam_id"), asn=values.text("asn")
    )
    return [Command(request, pb.DeprovisionIpamByoasnResponse)]


async def _asn_form(_: Visit) -> Form:
    return Form((Field("asn", "ASN", is_required=True), Field("cidr", "CIDR", is_required=True)))


def _associate_asn(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.AssociateIpamByoasnRequest(asn=values.text("asn"), cidr=values.text("cidr"))
    return [Command(request, pb.AssociateIpamByoasnResponse)]


def _disassociate_asn(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.DisassociateIpamByoasnRequest(asn=values.text("asn"), cidr=values.text("cidr"))
    return [Command(request, pb.DisassociateIpamByoasnResponse)]


async def _create_token_form(visit: Visit) -> Form:
    return Form((await _ipam_field(visit), tags_field()))


def _create_token(_: Visit, values: Values) -> Sequence[Command]:
    request = pb.CreateIpamExternalResourceVerificationTokenRequest(
        ipam_id=values.optional("ipam_id"),
        tag_specifications=tag_specifications(
            "ipam-external-resource-verification-token", values.tags("tags")
        ),
    )
    return [Command(request, pb.CreateIpamExternalResourceVerificationTokenResponse)]


async def _delete_token_form(visit: Visit) -> Form:
    token = await _token(visit)
    return Form((locked("token_id", "Token", token.ipam_external_resource_verification_token_id),))


def _delete_token(visit: Visit, _: Values) -> Sequence[Command]:
    request = pb.DeleteIpamExternalResourceVerificationTokenRequest(
        ipam_external_resource_verification_token_id=visit.params["token_id"]
    )
    return [Command(request, pb.DeleteIpamExternalResourceVerificationTokenResponse)]


_RANGES, _ASNS, _TOKENS = "/byoip", "/byoasn", "/verification-tokens"
_of_ranges = partial(Action, goes_to=_RANGES, comes_from=_RANGES)
_of_asns = partial(Action, goes_to=_ASNS, comes_from=_ASNS)
_of_tokens = partial(Action, goes_to=_TOKENS, comes_from=_TOKENS)


def _id_of_token(answer: pb.CreateIpamExternalResourceVerificationTokenResponse) -> str:
    token = answer.ipam_external_resource_verification_token
    return token.ipam_external_resource_verification_token_id


RANGES = Section(
    title="BYOIP CIDRs",
    path=_RANGES,
    group=Group.BYOIP,
    pages=(Page(_RANGES, list_ranges),),
    actions=(
        _of_ranges(
            name="provision-byoip",
            path=f"{_RANGES}/provision",
            title="Provision BYOIP CIDR",
            submit="Provision CIDR",
            done="The CIDR is being provisioned.",
            form=_provision_form,
            commands=_provision,
        ),
        _of_ranges(
            name="advertise-byoip",
            path=f"{_RANGES}/advertise",
            title="Advertise CIDR",
            submit="Advertise",
            done="The CIDR is advertised.",
            form=_advertise_form,
            commands=_advertise,
        ),
        _of_ranges(
            name="withdraw-byoip",
            path=f"{_RANGES}/withdraw",
            title="Withdraw CIDR",
            submit="Withdraw",
            done="The CIDR isn't advertised any more.",
            form=_cidr_form,
            commands=_withdraw,
            warning="Its addresses can't be reached from the internet any more.",
        ),
        _of_ranges(
            name="move-byoip",
            path=f"{_RANGES}/move",
            title="Move CIDR to IPAM",
            submit="Move to IPAM",
            done="The CIDR is being moved.",
            form=_move_form,
            commands=_move,
        ),
        _of_ranges(
            name="deprovision-byoip",
            path=f"{_RANGES}/deprovision",
            title="Deprovision BYOIP CIDR",
            submit="Deprovision CIDR",
            done="The CIDR is being deprovisioned.",
            form=_cidr_form,
            commands=_deprovision,
            warning="Control of it has to be proved anew to bring it again.",
        ),
    ),
)

ASNS = Section(
    title="BYOASN",
    path=_ASNS,
    group=Group.BYOIP,
    pages=(Page(_ASNS, list_asns),),
    actions=(
        _of_asns(
            name="provision-asn",
            path=f"{_ASNS}/provision",
            title="Provision ASN",
            submit="Provision ASN",
            done="The ASN is being provisioned.",
            form=_provision_asn_form,
            commands=_provision_asn,
        ),
        _of_asns(
            name="associate-asn",
            path=f"{_ASNS}/associate",
            title="Associate ASN with a CIDR",
            submit="Associate",
            done="The ASN is associated.",
            form=_asn_form,
            commands=_associate_asn,
        ),
        _of_asns(
            name="disassociate-asn",
            path=f"{_ASNS}/disassociate",
            title="Disassociate ASN from a CIDR",
            submit="Disassociate",
            done="The ASN is disassociated.",
            form=_asn_form,
            commands=_disassociate_asn,
            warning="Amazon's ASN originates the CIDR from then on.",
        ),
        _of_asns(
            name="deprovision-asn",
            path=f"{_ASNS}/deprovision",
            title="Deprovision ASN",
            submit="Deprovision ASN",
            done="The ASN is being deprovisioned.",
            form=_deprovision_asn_form,
            commands=_deprovision_asn,
            warning="Control of it has to be proved anew to bring it again.",
        ),
    ),
)

TOKENS = Section(
    title="Verification tokens",
    path=_TOKENS,
    group=Group.BYOIP,
    pages=(Page(_TOKENS, list_tokens), Page(f"{_TOKENS}/{{token_id}}", show_token)),
    actions=(
        _of_tokens(
            name="create-token",
            path=f"{_TOKENS}/create",
            title="Create verification token",
            submit="Create token",
            done="The token is being created.",
            form=_create_token_form,
            commands=_create_token,
            goes_to=lambda answers: f"{_TOKENS}/{_id_of_token(answers[0])}",
        ),
        _of_tokens(
            name="delete-token",
            path=f"{_TOKENS}/{{token_id}}/delete",
            title="Delete verification token",
            submit="Delete",
            done="The token is being deleted.",
            form=_delete_token_form,
            commands=_delete_token,
            warning="It proves nothing any more.",
        ),
    ),
)
