"""The rules of resource discoveries and their associations, without any I/O."""

from typing import Any

import pytest

from services.control_plane.ipam import Ipam, Tier
from services.control_plane.lifecycle import State
from services.control_plane.organizations.membership import Membership
from services.control_plane.resource_discoveries import association as associations
from services.control_plane.resource_discoveries import resource_discovery as discoveries
from services.control_plane.resource_discoveries.association import (
    AssociationState,
    DiscoveryStatus,
    ResourceDiscoveryAssociation,
    check_may_associate,
    default_association,
    disassociating,
)
from services.control_plane.resource_discoveries.errors import (
    AlreadyAssociated,
    IpamResourceDiscoveryAssociationLimitExceeded,
)
from services.control_plane.resource_discoveries.exclusions import Exclusion, ExclusionsChange
from services.control_plane.resource_discoveries.resource_discovery import (
    ResourceDiscovery,
    ResourceDiscoveryChange,
    changed,
    covered_accounts,
    default_resource_discovery,
    deleting,
    following,
)
from shared.errors import (
    CadastreError,
    IncorrectState,
    InvalidParameterCombination,
    InvalidParameterValue,
    OperationNotPermitted,
)
from tests.control_plane.records import ACCOUNT, HOME, IPAM_ID, an_ipam

OTHER = "210987654321"
DISCOVERY_ID = "ipam-res-disco-0000000000000000f"
ASSOCIATION_ID = "ipam-res-disco-assoc-0000000000000000f"
EXCLUSION = Exclusion.parse("o-1/r-1/ou-1/*")


def a_discovery(**members: Any) -> ResourceDiscovery:
    return ResourceDiscovery(
        **{
            "ipam_resource_discovery_id": DISCOVERY_ID,
            "owner_id": OTHER,
            "region": HOME,
            "is_default": False,
            "description": None,
            "operating_regions": ("us-west-2", HOME),
            "tags": {"a": "b"},
            "state": State.CREATE_COMPLETE,
            **members,
        }
    )


def an_association(**members: Any) -> ResourceDiscoveryAssociation:
    return ResourceDiscoveryAssociation(
        **{
            "ipam_resource_discovery_association_id": ASSOCIATION_ID,
            "owner_id": ACCOUNT,
            "ipam_id": IPAM_ID,
            "ipam_region": HOME,
            "ipam_resource_discovery_id": DISCOVERY_ID,
            "is_default": False,
            "tags": {"a": "b"},
            "state": AssociationState.ASSOCIATE_COMPLETE,
            "discovery_owner_id": OTHER,
            **members,
        }
    )


@pytest.mark.parametrize(
    ("change", "members"),
    [
        ({}, {}),
        ({"description": ""}, {"description": ""}),
        (
            {"add_operating_regions": ("eu-west-1",)},
            {"operating_regions": ("us-west-2", HOME, "eu-west-1")},
        ),
        ({"remove_operating_regions": ("us-west-2",)}, {"operating_regions": (HOME,)}),
        (
            {"exclusions": ExclusionsChange(added=(EXCLUSION,))},
            {"exclusions": (EXCLUSION,)},
        ),
    ],
)
def test_a_change_touches_what_it_names(  # DISC-1
    change: dict[str, Any], members: dict[str, Any]
) -> None:
    after = changed(a_discovery(), ResourceDiscoveryChange(**change), exclusion_quota=10)
    assert after == a_discovery(state=State.MODIFY_IN_PROGRESS, version=2, **members)


@pytest.mark.parametrize(
    ("members", "change", "refusal", "said"),
    [
        ({}, {"remove_operating_regions": (HOME,)}, InvalidParameterValue, "home region"),
        ({}, {"add_operating_regions": ("mars-1",)}, InvalidParameterValue, "mars-1"),
        (
            {},
            {"add_operating_regions": ("us-west-2",), "remove_operating_regions": ("us-west-2",)},
            InvalidParameterCombination,
            "us-west-2",
        ),
        (
            {"is_default": True},
            {"add_operating_regions": ("eu-west-1",)},
            OperationNotPermitted,
            "its IPAM's",
        ),
        (
            {"is_default": True},
            {"remove_operating_regions": ("us-west-2",)},
            OperationNotPermitted,
            "its IPAM's",
        ),
        ({"state": State.DELETE_IN_PROGRESS}, {}, IncorrectState, "delete-in-progress"),
    ],
)
def test_an_impossible_change_is_refused(  # DISC-1
    members: dict[str, Any], change: dict[str, Any], refusal: type[CadastreError], said: str
) -> None:
    with pytest.raises(refusal, match=said):
        changed(a_discovery(**members), ResourceDiscoveryChange(**change), exclusion_quota=10)


def test_a_default_one_follows_its_ipam() -> None:  # DISC-1
    ipam = an_ipam(operating_regions=(HOME, "eu-west-1"))
    default = default_resource_discovery(an_ipam())
    assert default.operating_regions == ("us-west-2", HOME)
    after = following(default, ipam)
    assert (after.operating_regions, after.state, after.version) == (
        (HOME, "eu-west-1"),
        State.MODIFY_IN_PROGRESS,
        2,
    )


def test_a_default_one_is_deleted_with_its_ipam_only() -> None:  # DISC-1
    assert deleting(a_discovery()).state is State.DELETE_IN_PROGRESS
    with pytest.raises(OperationNotPermitted, match="with its IPAM only"):
        deleting(default_resource_discovery(an_ipam()))


@pytest.mark.parametrize(
    ("account_id", "is_administrator", "exclusions", "tags"),
    [
        pytest.param(OTHER, True, (EXCLUSION,), {"a": "b"}, id="delegated administrator"),
        pytest.param(OTHER, False, (), {"a": "b"}, id="owner without delegation"),
        pytest.param(ACCOUNT, False, (EXCLUSION,), {}, id="shared with"),
        pytest.param(ACCOUNT, True, (EXCLUSION,), {}, id="shared with another administrator"),
    ],
)
def test_exclusions_are_seen_by_the_administrator_and_those_it_is_shared_with(  # ORG-8, DISC-7
    account_id: str,
    is_administrator: bool,
    exclusions: tuple[Exclusion, ...],
    tags: dict[str, str],
) -> None:
    seen = discoveries.as_seen_by(
        account_id, a_discovery(exclusions=(EXCLUSION,)), is_administrator=is_administrator
    )
    assert seen == a_discovery(exclusions=exclusions, tags=tags)


def member(account_id: str, *holders: str) -> Membership:
    return Membership(account_id, "o-1", "000000000000", ("r-1", *holders))


def test_without_an_organization_its_owner_alone_is_discovered() -> None:  # ORG-3
    assert covered_accounts(a_discovery(exclusions=(EXCLUSION,)), []) == [OTHER]


def test_with_one_all_its_accounts_but_the_excluded_are() -> None:  # ORG-3, ORG-7, ORG-8
    members = [
        member("999999999999"),
        member("000000000000"),
        member("111111111111", "ou-1"),
        member("222222222222", "ou-1", "ou-2"),
        member("333333333333", "ou-11"),
        member(OTHER, "ou-1"),
    ]
    covered = covered_accounts(a_discovery(exclusions=(EXCLUSION,)), members)
    assert covered == ["000000000000", OTHER, "333333333333", "999999999999"]


@pytest.mark.parametrize(
    ("ipam", "existing", "refusal", "said"),
    [
        pytest.param(
            an_ipam(tier=Tier.FREE), [], OperationNotPermitted, "tier 'free'", id="free tier"
        ),
        pytest.param(an_ipam(), [an_association()], AlreadyAssociated, ASSOCIATION_ID, id="twice"),
        pytest.param(
            an_ipam(resource_discovery_association_count=5),
            [default_association(an_ipam())],
            IpamResourceDiscoveryAssociationLimitExceeded,
            "has 5 resource discovery associations, the default one included; at most 5",
            id="quota",
        ),
    ],
)
def test_an_ipam_does_not_see_through_everything(  # IPAM-4, DISC-1
    ipam: Ipam,
    existing: list[ResourceDiscoveryAssociation],
    refusal: type[CadastreError],
    said: str,
) -> None:
    with pytest.raises(refusal, match=said):
        check_may_associate(ipam, DISCOVERY_ID, existing, quota=5)


def test_an_ipam_has_so_many_associations_with_its_default_one() -> None:  # DISC-1
    ipam = an_ipam(resource_discovery_association_count=4)
    check_may_associate(ipam, DISCOVERY_ID, [default_association(ipam)], quota=5)


def test_a_default_association_stays() -> None:  # DISC-1
    assert disassociating(an_association()).state is AssociationState.DISASSOCIATE_IN_PROGRESS
    with pytest.raises(OperationNotPermitted, match="ends with its IPAM only"):
        disassociating(default_association(an_ipam()))


@pytest.mark.parametrize("state", AssociationState)
def test_only_an_association_under_way_completes(state: AssociationState) -> None:
    after = associations.completed(an_association(state=state)).state
    is_under_way = state is AssociationState.ASSOCIATE_IN_PROGRESS
    assert after == (AssociationState.ASSOCIATE_COMPLETE if is_under_way else state)


@pytest.mark.parametrize(
    ("members", "shared", "status"),
    [
        pytest.param({}, {DISCOVERY_ID}, DiscoveryStatus.ACTIVE, id="shared"),
        pytest.param({}, {"another"}, DiscoveryStatus.NOT_FOUND, id="unshared"),
        pytest.param({"discovery_owner_id": ACCOUNT}, (), DiscoveryStatus.ACTIVE, id="own"),
        pytest.param(
            {"discovery_owner_id": None}, {DISCOVERY_ID}, DiscoveryStatus.NOT_FOUND, id="deleted"
        ),
    ],
)
def test_an_association_tells_whether_it_still_sees(  # DISC-2
    members: dict[str, Any], shared: set[str], status: DiscoveryStatus
) -> None:
    association = an_association(**members)
    assert associations.as_seen_by(ACCOUNT, association, shared).discovery_status is status


def test_the_tags_of_an_association_are_its_owners_alone() -> None:  # DISC-7
    seen = associations.as_seen_by(OTHER, an_association(), {DISCOVERY_ID})
    assert seen.association == an_association(tags={})
