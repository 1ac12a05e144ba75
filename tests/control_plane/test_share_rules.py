"""The rules of sharing, without a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control_plane.sharing.admission import (
    Admission,
    Owner,
    admission,
    check_may_share_pools,
)
from services.control_plane.sharing.arns import (
    ResourceType,
    check_invitation_arn,
    check_share_arn,
    resource_arn,
    resource_type,
)
from services.control_plane.sharing.errors import (
    ResourceShareLimitExceeded,
    in_the_words_of_ram,
)
from services.control_plane.sharing.grant import (
    NO_ORGANIZATION,
    Grant,
    Organization,
    stands,
    users,
)
from services.control_plane.sharing.invitation import (
    VALID_FOR,
    Invitation,
    InvitationStatus,
    check_pending,
)
from services.control_plane.sharing.listing import Condition
from services.control_plane.sharing.permissions import PERMISSIONS, chosen, completed, permission
from services.control_plane.sharing.principals import PrincipalKind, principal
from services.control_plane.sharing.share import (
    SHARES_PER_ACCOUNT,
    AssociationStatus,
    Share,
    SharePrincipal,
    check_none_external,
    check_room_for_share,
    with_permission,
    without_permission,
)
from shared.errors import (
    CadastreError,
    IdempotentParameterMismatch,
    Invalid,
    InvalidNextToken,
    InvalidParameterValue,
    QuotaExceeded,
    kind_of,
)

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ACCOUNT, MEMBER, OUTSIDER, MANAGER = (str(n) * 12 for n in (1, 2, 3, 4))
ORGANIZATION = "o-a1b2c3d4e5"
ORGANIZATION_ARN = f"arn:aws:organizations::{MANAGER}:organization/{ORGANIZATION}"
UNIT_ARN = f"arn:aws:organizations::{MANAGER}:ou/{ORGANIZATION}/ou-ab12-11111111"
SHARE_ARN = f"arn:aws:ram:us-east-1:{ACCOUNT}:resource-share/7993758c-a4ea-43ad-be12-b3abaffe361a"
POOL, IMPORT, DISCOVERY = PERMISSIONS


def an_owner(**members: Any) -> Owner:
    return Owner(
        **{
            "account_id": ACCOUNT,
            "organization_id": ORGANIZATION,
            "management_account_id": MANAGER,
            "ipam_administrator_id": ACCOUNT,
            "accounts": {ACCOUNT, MEMBER, MANAGER},
            "is_sharing": True,
            **members,
        }
    )


def a_share(**members: Any) -> Share:
    return Share(
        **{
            "resource_share_arn": SHARE_ARN,
            "name": "share",
            "owner_id": ACCOUNT,
            "region": "us-east-1",
            "allow_external_principals": True,
            "permissions": {},
            "tags": {},
            "created_at": NOW,
            "updated_at": NOW,
            **members,
        }
    )


def an_association(**members: Any) -> SharePrincipal:
    return SharePrincipal(
        **{
            "resource_share_arn": SHARE_ARN,
            "share_name": "share",
            "principal": OUTSIDER,
            "kind": PrincipalKind.ACCOUNT,
            "holder_id": OUTSIDER,
            "organization_id": None,
            "invitation_expires_at": NOW + VALID_FOR,
            "status": AssociationStatus.ASSOCIATING,
            "created_at": NOW,
            "updated_at": NOW,
            **members,
        }
    )


@pytest.mark.parametrize(
    ("arn", "kind", "resource_id"),
    [
        (
            f"arn:aws:ec2::{ACCOUNT}:ipam-pool/ipam-pool-0dec9695bca83e606",
            ResourceType.IPAM_POOL,
            "ipam-pool-0dec9695bca83e606",
        ),
        (
            f"arn:aws:ec2::{ACCOUNT}:ipam-resource-discovery/ipam-res-disco-0dec9695bca83e606",
            ResourceType.IPAM_RESOURCE_DISCOVERY,
            "ipam-res-disco-0dec9695bca83e606",
        ),
    ],
)
def test_an_arn_says_what_is_shared(arn: str, kind: ResourceType, resource_id: str) -> None:
    found = resource_arn(arn)
    assert (found.resource_type, found.resource_id) == (kind, resource_id)
    assert (found.arn, found.owner_id) == (arn, ACCOUNT)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "ipam-pool-0dec9695bca83e606",
        f"arn:aws:ec2:us-east-1:{ACCOUNT}:ipam-pool/ipam-pool-0dec9695bca83e606",
        f"arn:aws:ec2::{ACCOUNT}:ipam-pool/ipam-0dec9695bca83e606",
        f"arn:aws:ec2::{ACCOUNT}:subnet/subnet-0dec9695bca83e606",
        f"arn:aws:ec2::{ACCOUNT[:-1]}:ipam-pool/ipam-pool-0dec9695bca83e606",
        f"arn:aws:ec2::{chr(0x661) * 12}:ipam-pool/ipam-pool-0dec9695bca83e606",
        f"arn:aws:ec2::{ACCOUNT}:ipam-pool/ipam-pool-0dec9695bca83e606\n",
    ],
)
def test_what_is_no_arn_of_a_shareable_resource_is_malformed(arn: str) -> None:
    with pytest.raises(CadastreError, match="ipam-pool/ipam-pool-…") as refusal:
        resource_arn(arn)
    assert refusal.value.reason == "MalformedArnException"


def test_arns_of_shares_and_invitations_are_told_apart() -> None:
    invitation = SHARE_ARN.replace("resource-share/", "resource-share-invitation/")
    assert check_share_arn(SHARE_ARN) == SHARE_ARN
    assert check_invitation_arn(invitation) == invitation
    for check, arn in ((check_share_arn, invitation), (check_invitation_arn, SHARE_ARN)):
        with pytest.raises(CadastreError) as refusal:
            check(arn)
        assert refusal.value.reason == "MalformedArnException"


def test_resource_types_are_known_in_any_case() -> None:
    assert resource_type("EC2:ipampool") is ResourceType.IPAM_POOL
    with pytest.raises(CadastreError, match="ec2:IpamPool or ec2:IpamResourceDiscovery") as refusal:
        resource_type("ec2:Subnet")
    assert refusal.value.reason == "InvalidParameterException"


@pytest.mark.parametrize(
    ("name", "kind", "holder_id"),
    [
        (MEMBER, PrincipalKind.ACCOUNT, MEMBER),
        (UNIT_ARN, PrincipalKind.ORGANIZATIONAL_UNIT, "ou-ab12-11111111"),
        (ORGANIZATION_ARN, PrincipalKind.ORGANIZATION, ORGANIZATION),
    ],
)
def test_principals_are_accounts_ous_and_organizations(  # ORG-4
    name: str, kind: PrincipalKind, holder_id: str
) -> None:
    found = principal(name)
    assert (found.name, found.kind, found.holder_id) == (name, kind, holder_id)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("123456", "InvalidParameterException"),  # as the guide prints it
        ("", "InvalidParameterException"),
        ("ou-ab12-11111111", "InvalidParameterException"),
        (f"arn:aws:iam::{MEMBER}:role/developer", "MalformedArnException"),
        (f"arn:aws:organizations::{MANAGER}:root/{ORGANIZATION}/r-ab12", "MalformedArnException"),
        (
            f"arn:aws:organizations::{MANAGER}:account/{ORGANIZATION}/{MEMBER}",
            "MalformedArnException",
        ),
    ],
)
def test_nobody_else_is_a_principal(name: str, reason: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        principal(name)
    assert refusal.value.reason == reason


def test_the_managed_permissions_are_the_guides() -> None:  # ORG-4
    assert [known.arn for known in PERMISSIONS] == [
        "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionsIpamPool",
        "arn:aws:ram::aws:permission/AWSRAMPermissionIpamPoolByoipCidrImport",
        "arn:aws:ram::aws:permission/AWSRAMPermissionIpamResourceDiscovery",
    ]
    assert [known.lets_allocate for known in PERMISSIONS] == [True, False, False]
    assert [known.is_default for known in PERMISSIONS] == [True, False, True]
    assert DISCOVERY.document == (
        '{"Effect":"Allow","Action":["ec2:AssociateIpamResourceDiscovery",'
        '"ec2:GetIpamDiscoveredAccounts","ec2:GetIpamDiscoveredPublicAddresses",'
        '"ec2:GetIpamDiscoveredResourceCidrs"]}'
    )


@pytest.mark.parametrize(
    ("arn", "version", "reason"),
    [
        ("AWSRAMDefaultPermissionsIpamPool", None, "MalformedArnException"),
        ("arn:aws:ram::aws:permission/Other", None, "UnknownResourceException"),
        (POOL.arn, 2, "UnknownResourceException"),
    ],
)
def test_unknown_permissions_are_refused(arn: str, version: int | None, reason: str) -> None:
    with pytest.raises(CadastreError) as refusal:
        permission(arn, version)
    assert refusal.value.reason == reason


def test_a_share_has_one_permission_for_each_type_of_resource() -> None:  # ORG-4
    assert chosen([IMPORT.arn, DISCOVERY.arn, IMPORT.arn]) == {
        ResourceType.IPAM_POOL: IMPORT,
        ResourceType.IPAM_RESOURCE_DISCOVERY: DISCOVERY,
    }
    with pytest.raises(CadastreError, match="one permission") as refusal:
        chosen([POOL.arn, IMPORT.arn])
    assert refusal.value.reason == "InvalidParameterException"
    assert completed({ResourceType.IPAM_POOL: IMPORT}, ResourceType) == {
        ResourceType.IPAM_POOL: IMPORT,
        ResourceType.IPAM_RESOURCE_DISCOVERY: DISCOVERY,
    }


def test_a_permission_is_replaced_only_when_that_is_said() -> None:
    share = with_permission(a_share(), POOL, may_replace=False)
    assert with_permission(share, POOL, may_replace=False) == share
    with pytest.raises(CadastreError, match="say replace") as refusal:
        with_permission(share, IMPORT, may_replace=False)
    assert refusal.value.reason == "OperationNotPermittedException"
    replaced = with_permission(share, IMPORT, may_replace=True)
    assert replaced.permissions == {ResourceType.IPAM_POOL: IMPORT}


def test_a_permission_in_use_stays() -> None:
    share = a_share(permissions={ResourceType.IPAM_POOL: POOL})
    assert without_permission(share, POOL, is_used=False).permissions == {}
    for unwanted, is_used, reason in (
        (POOL, True, "OperationNotPermittedException"),
        (IMPORT, False, "UnknownResourceException"),
    ):
        with pytest.raises(CadastreError) as refusal:
            without_permission(share, unwanted, is_used=is_used)
        assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (Owner(account_id=ACCOUNT), "single account"),
        (an_owner(ipam_administrator_id=None), "EnableIpamOrganizationAdminAccount"),
        (an_owner(ipam_administrator_id=MEMBER), "EnableIpamOrganizationAdminAccount"),
    ],
)
def test_only_the_ipam_administrator_shares_pools(owner: Owner, words: str) -> None:  # ORG-4, ORG-5
    check_may_share_pools(an_owner())
    with pytest.raises(CadastreError, match=words) as refusal:
        check_may_share_pools(owner)
    assert refusal.value.reason == "OperationNotPermittedException"


ALONE = Owner(account_id=ACCOUNT)
WITHIN, INVITED, OUTSIDE = (
    Admission(ORGANIZATION, is_invited=False),
    Admission(ORGANIZATION, is_invited=True),
    Admission(None, is_invited=True),
)
INVALID, UNKNOWN = "InvalidParameterException", "UnknownResourceException"


@pytest.mark.parametrize(
    ("name", "owner", "allow_external_principals", "outcome"),
    [
        (MEMBER, an_owner(), True, WITHIN),
        (MEMBER, an_owner(), False, WITHIN),
        (MEMBER, an_owner(is_sharing=False), True, INVITED),
        (MEMBER, an_owner(is_sharing=False), False, INVITED),
        (OUTSIDER, an_owner(), True, OUTSIDE),
        (OUTSIDER, an_owner(), False, INVALID),
        (OUTSIDER, ALONE, True, OUTSIDE),
        (OUTSIDER, ALONE, False, INVALID),
        (ACCOUNT, an_owner(), True, INVALID),
        (ACCOUNT, ALONE, True, INVALID),
        (UNIT_ARN, an_owner(), False, WITHIN),
        (UNIT_ARN, an_owner(is_sharing=False), True, UNKNOWN),
        (UNIT_ARN, an_owner(organization_id="o-0000000000"), True, UNKNOWN),
        (UNIT_ARN, an_owner(management_account_id=MEMBER), True, UNKNOWN),
        (UNIT_ARN, ALONE, True, UNKNOWN),
        (ORGANIZATION_ARN, an_owner(), False, WITHIN),
        (ORGANIZATION_ARN, an_owner(is_sharing=False), True, UNKNOWN),
        (ORGANIZATION_ARN, ALONE, True, UNKNOWN),
    ],
)
def test_who_is_outside_or_in_an_organization_that_does_not_share_is_invited(  # ORG-5
    name: str, owner: Owner, allow_external_principals: bool, outcome: Admission | str
) -> None:
    try:
        found: Admission | str = admission(
            principal(name), owner, allow_external_principals=allow_external_principals
        )
    except CadastreError as refusal:
        found = refusal.reason
    assert found == outcome


@pytest.mark.parametrize(
    ("is_invited", "allow_external", "is_within", "is_sharing", "outcome"),
    [
        (False, True, True, True, True),
        (False, True, True, False, False),
        (False, True, False, True, False),
        (True, True, False, False, True),
        (True, False, True, False, True),
        (True, False, False, True, False),
    ],
)
def test_a_grant_counts_as_long_as_what_it_was_given_for_holds(  # ORG-4, ORG-5
    is_invited: bool, allow_external: bool, is_within: bool, is_sharing: bool, outcome: bool
) -> None:
    grant = Grant(ACCOUNT, allow_external, PrincipalKind.ACCOUNT, MEMBER, ORGANIZATION, is_invited)
    assert stands(grant, is_within=is_within, is_sharing=is_sharing) is outcome


def test_the_owner_is_no_user_of_its_own_pool() -> None:
    grant = Grant(
        ACCOUNT, True, PrincipalKind.ORGANIZATION, ORGANIZATION, ORGANIZATION, is_invited=False
    )
    accounts = {ORGANIZATION: {ACCOUNT, MEMBER}}
    own = Organization(ORGANIZATION, accounts[ORGANIZATION], is_sharing=True)
    assert users([grant], own, accounts.__getitem__) == {MEMBER}
    assert users([grant], NO_ORGANIZATION, accounts.__getitem__) == frozenset()


@given(st.timedeltas(timedelta(0), timedelta(days=30)))
def test_an_invitation_and_its_association_end_together_after_seven_days(age: timedelta) -> None:
    invitation = Invitation(
        invitation_arn="i",
        resource_share_arn=SHARE_ARN,
        share_name="share",
        sender_id=ACCOUNT,
        receiver_id=OUTSIDER,
        sent_at=NOW,
    )
    is_over = age >= timedelta(days=7)
    status = invitation.status_at(NOW + age)
    assert status is (InvitationStatus.EXPIRED if is_over else InvitationStatus.PENDING)
    associated = an_association()
    assert associated.is_in_at(NOW + age) is not is_over
    assert (associated.status_at(NOW + age) is AssociationStatus.FAILED) is is_over
    if is_over:
        with pytest.raises(CadastreError, match="was expired before") as refusal:
            check_pending(invitation, NOW + age)
        assert refusal.value.reason == "ResourceShareInvitationExpiredException"


@pytest.mark.parametrize("status", [AssociationStatus.ASSOCIATED, AssociationStatus.DISASSOCIATED])
def test_what_became_of_an_accepted_invitation_lasts(status: AssociationStatus) -> None:
    assert an_association(status=status).status_at(NOW + timedelta(days=30)) is status


def test_a_share_with_external_principals_stays_open_to_them() -> None:
    check_none_external(SHARE_ARN, [an_association(organization_id=ORGANIZATION)])
    with pytest.raises(CadastreError, match=OUTSIDER) as refusal:
        check_none_external(SHARE_ARN, [an_association()])
    assert refusal.value.reason == "OperationNotPermittedException"


def test_an_account_has_so_many_shares_and_no_more() -> None:
    check_room_for_share(ACCOUNT, "us-east-1", SHARES_PER_ACCOUNT - 1)
    with pytest.raises(ResourceShareLimitExceeded, match="5000") as refusal:
        check_room_for_share(ACCOUNT, "us-east-1", SHARES_PER_ACCOUNT)
    assert refusal.value.reason == "ResourceShareLimitExceededException"


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        (Condition(), True),
        (Condition(name="share"), True),
        (Condition(name="shar"), False),
        (Condition(status="ACTIVE"), True),
        (Condition(status="PENDING"), False),
        (Condition(permission=POOL), True),
        (Condition(permission=IMPORT), False),
        (Condition(tags={"team": []}), True),
        (Condition(tags={"team": ["red", "blue"]}), True),
        (Condition(tags={"team": ["red"]}), False),
        (Condition(tags={"team": [], "other": []}), False),
    ],
)
def test_lists_of_shares_are_narrowed_by_what_shares_are(
    condition: Condition, is_met: bool
) -> None:
    share = a_share(permissions={ResourceType.IPAM_POOL: POOL}, tags={"team": "blue"})
    assert condition.is_met_by(share) is is_met


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (IdempotentParameterMismatch("t"), "IdempotentParameterMismatchException"),
        (InvalidNextToken(), "InvalidNextTokenException"),
        (InvalidParameterValue("bad"), "InvalidParameterException"),
        (QuotaExceeded("TagLimitExceeded", "51 tags", quota=50), "TagLimitExceededException"),
        (
            ResourceShareLimitExceeded(ACCOUNT, "us-east-1", 1),
            "ResourceShareLimitExceededException",
        ),
    ],
)
def test_refusals_that_all_services_share_get_rams_codes(
    refusal: CadastreError, reason: str
) -> None:
    with pytest.raises(CadastreError) as worded, in_the_words_of_ram():
        raise refusal
    assert (worded.value.reason, worded.value.message) == (reason, refusal.message)
    assert kind_of(worded.value) is (Invalid if isinstance(refusal, Invalid) else kind_of(refusal))
