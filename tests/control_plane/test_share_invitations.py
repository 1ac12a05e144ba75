"""Invitations: who gets one, and what it takes until a share counts (ORG-5)."""

from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.share_world import (
    MANAGER,
    OUTSIDER,
    SHARING,
    Company,
    a_company,
    word,
)
from tests.control_plane.world import ORGANIZATIONS, WEST, Client, World

ACCEPT, REJECT = "AcceptResourceShareInvitation", "RejectResourceShareInvitation"


async def answer(company: Company, rpc: str, invitation: Any, account_id: str = OUTSIDER) -> Any:
    arn = invitation.resource_share_invitation_arn
    return await company.ram(account_id, rpc, resource_share_invitation_arn=arn)


def users(world: World, pool: Any) -> list[str]:
    return list(world.ledger.definitions[pool.ipam_pool_id].shared_with)


async def test_an_account_outside_the_organization_has_to_accept_first(  # ORG-5, DISC-2
    control: Client, world: World
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, principals=[OUTSIDER])
    invitation = await company.invitation(OUTSIDER, arn)
    assert (word(invitation, "status"), invitation.sender_account_id) == ("PENDING", company.owner)
    assert (invitation.receiver_account_id, invitation.resource_share_name) == (OUTSIDER, "share")
    assert await company.associations("PRINCIPAL", arn) == {OUTSIDER: "ASSOCIATING"}
    assert (users(world, pool), await company.shares_of_others(OUTSIDER)) == ([], [])
    pending = await answer(company, "ListPendingInvitationResources", invitation)
    assert [resource.arn for resource in pending.resources] == [pool.ipam_pool_arn]

    accepted = await answer(company, ACCEPT, invitation)
    assert word(accepted.resource_share_invitation, "status") == "ACCEPTED"
    assert users(world, pool) == [OUTSIDER]
    assert await company.shares_of_others(OUTSIDER) == [arn]
    assert await company.associations("PRINCIPAL", arn) == {OUTSIDER: "ASSOCIATED"}
    seen = await control.acting_as(OUTSIDER).pools()
    assert [one.ipam_pool_id for one in seen] == [pool.ipam_pool_id]
    for rpc in (ACCEPT, REJECT, "ListPendingInvitationResources"):
        with pytest.raises(CadastreError) as refusal:
            await answer(company, rpc, invitation)
        assert refusal.value.reason == "ResourceShareInvitationAlreadyAcceptedException"


async def test_whoever_rejects_has_nothing_until_it_is_asked_again(
    control: Client, world: World
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, principals=[OUTSIDER])
    first = await company.invitation(OUTSIDER, arn)
    rejected = await answer(company, REJECT, first)
    assert word(rejected.resource_share_invitation, "status") == "REJECTED"
    assert await company.associations("PRINCIPAL", arn) == {OUTSIDER: "FAILED"}
    with pytest.raises(CadastreError) as refusal:
        await answer(company, ACCEPT, first)
    assert refusal.value.reason == "ResourceShareInvitationAlreadyRejectedException"
    again: dict[str, Any] = {"resource_share_arn": arn, "principals": [OUTSIDER]}
    await company.ram(company.owner, "AssociateResourceShare", **again)
    second = await company.invitation(OUTSIDER, arn)
    assert second.resource_share_invitation_arn != first.resource_share_invitation_arn
    await answer(company, ACCEPT, second)
    assert users(world, pool) == [OUTSIDER]


async def test_one_who_is_invited_or_in_already_is_not_invited_again(control: Client) -> None:
    company = await a_company(control)
    again = {"resource_share_arn": await company.share(principals=[OUTSIDER])}

    async def invitations() -> int:
        found = await company.ram(OUTSIDER, "GetResourceShareInvitations")
        return len(found.resource_share_invitations)

    await company.ram(company.owner, "AssociateResourceShare", principals=[OUTSIDER], **again)
    assert await invitations() == 1
    await company.accept(OUTSIDER, again["resource_share_arn"])
    await company.ram(company.owner, "AssociateResourceShare", principals=[OUTSIDER], **again)
    assert await invitations() == 1
    assert await company.shares_of_others(OUTSIDER) == [again["resource_share_arn"]]


async def test_who_was_let_in_uninvited_is_invited_once_that_counts_no_more(  # ORG-4, ORG-5
    control: Client, world: World
) -> None:
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, principals=[company.member])
    assert users(world, pool) == [company.member]
    await control.acting_as(MANAGER).of(
        ORGANIZATIONS, "DisableAWSServiceAccess", service_principal="ram.amazonaws.com"
    )
    assert users(world, pool) == []
    again: dict[str, Any] = {"resource_share_arn": arn, "principals": [company.member]}
    for _ in range(2):
        # Being invited, it is not invited again.
        await company.ram(company.owner, "AssociateResourceShare", **again)
        assert await company.associations("PRINCIPAL", arn) == {company.member: "ASSOCIATING"}
    await company.accept(company.member, arn)
    assert users(world, pool) == [company.member]
    found = await company.ram(company.member, "GetResourceShareInvitations")
    assert len(found.resource_share_invitations) == 1


async def test_an_invitation_ends_when_its_receiver_is_invited_anew(  # ORG-5
    control: Client, world: World
) -> None:
    company = await a_company(control, is_sharing=False)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, principals=[company.member])
    first = await company.invitation(company.member, arn)
    manager = control.acting_as(MANAGER)
    await manager.of(ORGANIZATIONS, "RemoveAccountFromOrganization", account_id=company.member)
    again: dict[str, Any] = {"resource_share_arn": arn, "principals": [company.member]}
    await company.ram(company.owner, "AssociateResourceShare", **again)
    await company.accept(company.member, arn)
    assert users(world, pool) == [company.member]
    for rpc in (ACCEPT, REJECT):
        with pytest.raises(CadastreError) as refusal:
            await answer(company, rpc, first, company.member)
        assert refusal.value.reason == "ResourceShareInvitationExpiredException"
    assert users(world, pool) == [company.member]
    assert await company.shares_of_others(company.member) == [arn]


async def test_an_account_leaves_a_share_by_itself(control: Client, world: World) -> None:  # ORG-5
    company = await a_company(control)
    pool = await company.a_pool()
    arn = await company.share(pool.ipam_pool_arn, principals=[OUTSIDER, company.member])
    await company.accept(OUTSIDER, arn)
    for account_id in (OUTSIDER, company.member):
        left = await company.ram(
            account_id, "DisassociateResourceShare", resource_share_arn=arn, principals=[account_id]
        )
        [association] = left.resource_share_associations
        assert word(association, "status") == "DISASSOCIATED"
        assert account_id not in users(world, pool)
        # Terraform's aws_ram_resource_share_accepter looks for these.
        for owner in ("SELF", "OTHER-ACCOUNTS"):
            found = await company.ram(
                account_id, "GetResourceShares", resource_owner=owner, resource_share_arns=[arn]
            )
            assert list(found.resource_shares) == []


async def test_who_is_taken_out_before_it_answered_can_accept_no_more(control: Client) -> None:
    company = await a_company(control)
    named = {"resource_share_arn": await company.share(principals=[OUTSIDER])}
    invitation = await company.invitation(OUTSIDER, named["resource_share_arn"])
    await company.ram(company.owner, "DisassociateResourceShare", principals=[OUTSIDER], **named)
    with pytest.raises(CadastreError) as refusal:
        await answer(company, ACCEPT, invitation)
    assert refusal.value.reason == "ResourceShareInvitationExpiredException"
    assert await company.shares_of_others(OUTSIDER) == []


async def test_members_are_invited_while_their_organization_does_not_share(  # ORG-4, ORG-5
    control: Client, world: World
) -> None:
    company = await a_company(control, is_sharing=False)
    pool = await company.a_pool()
    arn = await company.share(
        pool.ipam_pool_arn, principals=[company.member], allow_external_principals=False
    )
    assert users(world, pool) == []
    for principal in (company.unit_arn, company.organization_arn):
        with pytest.raises(CadastreError, match="EnableSharingWithAwsOrganization") as refusal:
            await company.share(principals=[principal])
        assert refusal.value.reason == "UnknownResourceException"
    await company.accept(company.member, arn)
    assert users(world, pool) == [company.member]
    manager = control.acting_as(MANAGER)
    await manager.of(ORGANIZATIONS, "RemoveAccountFromOrganization", account_id=company.member)
    # The share is not for anybody outside, accepted or not.
    assert users(world, pool) == []


async def test_sharing_within_an_organization_is_the_management_accounts_to_enable(  # ORG-4
    control: Client,
) -> None:
    company = await a_company(control, is_sharing=False)
    for account_id in (company.owner, company.member, OUTSIDER):
        with pytest.raises(CadastreError, match="management account") as refusal:
            await company.ram(account_id, "EnableSharingWithAwsOrganization")
        assert refusal.value.reason == "OperationNotPermittedException"
    enabled = await company.ram(MANAGER, "EnableSharingWithAwsOrganization")
    assert enabled.return_value
    arn = await company.share(principals=[company.unit_arn])
    assert await company.shares_of_others(company.developer) == [arn]


async def test_sharing_within_needs_an_organization_with_all_features(control: Client) -> None:
    manager = control.acting_as(MANAGER)
    await manager.of(ORGANIZATIONS, "CreateOrganization", feature_set="CONSOLIDATED_BILLING")
    with pytest.raises(CadastreError, match="CONSOLIDATED_BILLING") as refusal:
        await manager.of(SHARING, "EnableSharingWithAwsOrganization")
    assert refusal.value.reason == "OperationNotPermittedException"


async def test_an_invitation_is_for_its_receiver_in_its_region_alone(  # BEY-12
    control: Client,
) -> None:
    company = await a_company(control)
    arn = await company.share(principals=[OUTSIDER])
    invitation = await company.invitation(OUTSIDER, arn)
    # The sender sees what became of it, too.
    assert await company.invitation(company.owner, arn) == invitation
    for rpc in (ACCEPT, REJECT, "ListPendingInvitationResources"):
        for account_id, reason in (
            (company.owner, "OperationNotPermittedException"),
            (company.member, "ResourceShareInvitationArnNotFoundException"),
        ):
            with pytest.raises(CadastreError) as refusal:
                await answer(company, rpc, invitation, account_id)
            assert refusal.value.reason == reason
    named = {"resource_share_invitation_arns": [invitation.resource_share_invitation_arn]}
    for account_id, region in ((company.member, "us-east-1"), (OUTSIDER, WEST)):
        with pytest.raises(CadastreError) as refusal:
            await company.ram(account_id, "GetResourceShareInvitations", region, **named)
        assert refusal.value.reason == "ResourceShareInvitationArnNotFoundException"
        found = await company.ram(account_id, "GetResourceShareInvitations", region)
        assert list(found.resource_share_invitations) == []
    assert await company.invitation(OUTSIDER, arn) == invitation
