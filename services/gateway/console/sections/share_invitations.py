"""Invitations to resource shares of accounts outside the organization (ORG-5)."""

from collections.abc import Sequence

from starlette.responses import Response

from cadastre.control.sharing.v1 import sharing_service_pb2 as pb
from services.gateway.console.actions import Action, Command
from services.gateway.console.fields import locked
from services.gateway.console.forms import Form, Values
from services.gateway.console.reading import all_of, reading
from services.gateway.console.sections.share_lists import MOST, id_of, tabs_of_shares
from services.gateway.console.tables import Cell, Column, Read, Table, badge, table_page, text
from services.gateway.console.visit import Link, Visit
from services.gateway.console.words import time_of, word_of
from shared.errors import UnknownId


async def list_invitations(visit: Visit) -> Response:
    """What others would share with this account."""

    def links(row: pb.ResourceShareInvitation) -> Sequence[Link]:
        if word_of(row, "status") != "PENDING":
            return ()
        here = f"/shares/invitations/{id_of(row.resource_share_invitation_arn)}"
        return (
            Link("Accept", visit.url(f"{here}/accept")),
            Link("Reject", visit.url(f"{here}/reject"), is_destructive=True),
        )

    table = Table(
        name="invitations",
        columns=(
            Column("name", "Resource share", lambda row: Cell(row.resource_share_name)),
            Column("status", "Status", lambda row: badge(word_of(row, "status"))),
            Column("from", "From", lambda row: Cell(row.sender_account_id, is_code=True)),
            Column("to", "To", lambda row: Cell(row.receiver_account_id, is_code=True)),
            Column("time", "Sent (UTC)", lambda row: text(time_of(row, "invitation_timestamp"))),
        ),
        read=_invitations(visit),
        row_links=links,
        empty="There is no invitation.",
    )
    return await table_page(
        visit,
        table,
        "table.html",
        title="Resource share invitations",
        trail=[Link("Resource shares", visit.url("/shares"))],
        tabs=tabs_of_shares(visit, "invitations"),
    )


def _invitations(visit: Visit) -> Read[pb.ResourceShareInvitation]:
    return reading(
        visit,
        pb.GetResourceShareInvitationsRequest(),
        pb.GetResourceShareInvitationsResponse,
        lambda answer: answer.resource_share_invitations,
        least=1,
        most=MOST,
    )


async def _invitation(visit: Visit) -> pb.ResourceShareInvitation:
    """The invitation that the address names. Raises UnknownId."""
    wanted = visit.params["invitation_id"]
    for one in await all_of(_invitations(visit)):
        if id_of(one.resource_share_invitation_arn) == wanted:
            return one
    raise UnknownId("ResourceShareInvitationArn", wanted)


async def _invitation_form(visit: Visit) -> Form:
    one = await _invitation(visit)
    return Form(
        (
            locked("name", "Resource share", one.resource_share_name),
            locked("from", "From", one.sender_account_id),
        )
    )


async def _accept(visit: Visit, _: Values) -> Sequence[Command]:
    one = await _invitation(visit)
    request = pb.AcceptResourceShareInvitationRequest(
        resource_share_invitation_arn=one.resource_share_invitation_arn
    )
    return [Command(request, pb.AcceptResourceShareInvitationResponse)]


async def _reject(visit: Visit, _: Values) -> Sequence[Command]:
    one = await _invitation(visit)
    request = pb.RejectResourceShareInvitationRequest(
        resource_share_invitation_arn=one.resource_share_invitation_arn
    )
    return [Command(request, pb.RejectResourceShareInvitationResponse)]


_INVITATION = "/shares/invitations/{invitation_id}"

INVITATION_ACTIONS = (
    Action(
        name="accept-invitation",
        path=f"{_INVITATION}/accept",
        title="Accept the invitation",
        submit="Accept",
        done="The resource share is accepted.",
        form=_invitation_form,
        commands=_accept,
        goes_to="/shares?owner=others",
        comes_from="/shares/invitations",
    ),
    Action(
        name="reject-invitation",
        path=f"{_INVITATION}/reject",
        title="Reject the invitation",
        submit="Reject",
        done="The invitation is rejected.",
        form=_invitation_form,
        commands=_reject,
        goes_to="/shares/invitations",
        comes_from="/shares/invitations",
        warning="Its sender would have to send another one.",
    ),
)
