"""What an association of an IPAM with an internet registry is, and the states it goes through."""

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.control_plane.internet_registries.errors import AssociationLimitExceeded
from services.control_plane.ipam import Ipam, Tier
from shared.errors import IncorrectState, InvalidParameterValue, UnsupportedOperation

ENABLING_TAKES = timedelta(minutes=15)
"""At most: whoever enables it waits, and may enable it again when the registry answers."""


class Rir(enum.StrEnum):
    """AWS's words for the registries."""

    RIPE = "ripe"
    APNIC = "apnic"
    ARIN = "arin"
    LACNIC = "lacnic"
    NICBR = "nicbr"


class AssociationState(enum.StrEnum):
    """AWS's words, as far as an association gets into them here; what is deleted is gone."""

    CREATE_IN_PROGRESS = "create-in-progress"
    PENDING_ENABLE = "pending-enable"
    ENABLE_IN_PROGRESS = "enable-in-progress"
    ENABLE_COMPLETE = "enable-complete"
    ENABLE_FAILED = "enable-failed"
    DELETE_IN_PROGRESS = "delete-in-progress"


_IN_PROGRESS = (
    AssociationState.CREATE_IN_PROGRESS,
    AssociationState.ENABLE_IN_PROGRESS,
    AssociationState.DELETE_IN_PROGRESS,
)
_TO_BE_ENABLED = (AssociationState.PENDING_ENABLE, AssociationState.ENABLE_FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class InternetRegistryAssociation:
    """An association; how its registry is spoken to, and what that certifies, is kept beside it."""

    ipam_internet_registry_association_id: str
    ipam_id: str
    owner_id: str
    ipam_region: str
    rir: Rir
    organization_handle: str
    """What the registry calls the organization."""
    description: str | None
    tags: Mapping[str, str]
    state: AssociationState = AssociationState.CREATE_IN_PROGRESS
    state_message: str | None = None
    version: int = 1
    """Grows with every change."""
    child_request_xml: str | None = None
    """What is handed in at the registry; None: there is none yet."""
    enable_until: datetime | None = None
    """Enabling has failed if the registry has not answered by then."""
    observed_at: datetime | None = None
    """When the registry told last what it certifies."""
    away_since: datetime | None = None
    """Since when the registry, which certified it, does not answer as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAssociation:
    """What a caller may say about an association to be made."""

    rir: Rir
    organization_handle: str
    description: str | None
    tags: Mapping[str, str]


def check_handle(handle: str) -> None:
    """It can be what a registry calls an organization.

    Raises:
        InvalidParameterValue: it can't.
    """
    if not handle or not handle.isprintable() or any(character.isspace() for character in handle):
        raise InvalidParameterValue(
            f"Value ({handle}) for parameter organizationHandle is invalid; use what the registry"
            " calls the organization, such as 'ORG-EX1-RIPE', without white space",
            parameter="organizationHandle",
            value=handle,
        )


def check_tier_allows_associations(ipam: Ipam) -> None:
    """Associations are for IPAMs on the advanced tier.

    Raises:
        UnsupportedOperation: ``ipam`` is on the free tier.
    """
    if ipam.tier is Tier.FREE:
        raise UnsupportedOperation(
            f"'{ipam.ipam_id}' is on tier '{Tier.FREE}', which has no associations with internet"
            f" registries; change it to tier '{Tier.ADVANCED}' first",
            ipam_id=ipam.ipam_id,
            tier=ipam.tier,
        )


def check_room(
    ipam: Ipam,
    wanted: NewAssociation,
    known: Collection[InternetRegistryAssociation],
    quota: int,
) -> None:
    """The IPAM may have one more; an organization at a registry is associated once.

    Raises:
        InvalidParameterValue: it is associated already.
        AssociationLimitExceeded: it has all it may have.
    """
    for one in known:
        # Registries don't tell handles apart by case.
        same_handle = one.organization_handle.casefold() == wanted.organization_handle.casefold()
        if one.rir is wanted.rir and same_handle:
            association_id = one.ipam_internet_registry_association_id
            raise InvalidParameterValue(
                f"Value ({wanted.organization_handle}) for parameter organizationHandle is invalid;"
                f" '{association_id}' is with this organization at '{one.rir}' already; use that,"
                " or delete it first",
                parameter="organizationHandle",
                value=wanted.organization_handle,
                association_id=association_id,
            )
    if len(known) >= quota:
        raise AssociationLimitExceeded(ipam.ipam_id, len(known), quota)


def awaiting_parent(
    association: InternetRegistryAssociation, child_request_xml: str
) -> InternetRegistryAssociation:
    """``association`` with what is to be handed in at the registry."""
    return replace(
        association,
        state=AssociationState.PENDING_ENABLE,
        child_request_xml=child_request_xml,
        version=association.version + 1,
    )


def with_message(
    association: InternetRegistryAssociation, message: str
) -> InternetRegistryAssociation:
    """``association`` as it is, with what its account is to know."""
    return replace(association, state_message=message)


def enabling(
    association: InternetRegistryAssociation, now: datetime
) -> InternetRegistryAssociation:
    """``association`` on its way to enable-complete.

    Raises:
        IncorrectState: it is not to be enabled.
    """
    if association.state not in _TO_BE_ENABLED:
        raise _incorrect(association, f"only in {_named(_TO_BE_ENABLED)} it can be enabled")
    return replace(
        association,
        state=AssociationState.ENABLE_IN_PROGRESS,
        state_message=None,
        enable_until=now + ENABLING_TAKES,
        version=association.version + 1,
    )


def enabled(
    association: InternetRegistryAssociation, observed_at: datetime, message: str | None
) -> InternetRegistryAssociation:
    """``association`` as the registry certified it, for the first time or again.

    ``message`` says what the account is to know of that.
    """
    return replace(
        association,
        state=AssociationState.ENABLE_COMPLETE,
        state_message=message,
        enable_until=None,
        observed_at=observed_at,
        away_since=None,
        version=association.version + 1,
    )


def not_enabled(association: InternetRegistryAssociation, why: str) -> InternetRegistryAssociation:
    """``association`` after an attempt to enable it; it may be enabled again."""
    return replace(
        association,
        state=AssociationState.ENABLE_FAILED,
        state_message=why,
        enable_until=None,
        version=association.version + 1,
    )


def lapsed(association: InternetRegistryAssociation, why: str) -> InternetRegistryAssociation:
    """``association`` after its registry has let all that it certified end."""
    return replace(
        not_enabled(
            association,
            f"The registry's certificates have ended, as it could not be asked: {why}; enable the"
            " association again",
        ),
        away_since=None,
    )


def left_alone(
    association: InternetRegistryAssociation, now: datetime, why: str
) -> InternetRegistryAssociation:
    """``association``, enabled as it was, while its registry does not answer as it should."""
    since = association.away_since or now
    return replace(
        association,
        state_message=(
            f"The registry could not be asked since {since:%Y-%m-%dT%H:%M:%SZ}: {why}; what it"
            " certified last stays until its certificate ends"
        ),
        away_since=since,
        version=association.version + 1,
    )


def deleting(association: InternetRegistryAssociation) -> InternetRegistryAssociation:
    """``association`` on its way out.

    Raises:
        IncorrectState: something is in progress.
    """
    if association.state in _IN_PROGRESS:
        raise _incorrect(association, "wait until nothing is in progress, and delete it then")
    return forced_out(association)


def forced_out(association: InternetRegistryAssociation) -> InternetRegistryAssociation:
    """``association`` on its way out with its IPAM, whatever is in progress."""
    return replace(
        association,
        state=AssociationState.DELETE_IN_PROGRESS,
        version=association.version + 1,
    )


def _incorrect(association: InternetRegistryAssociation, what_helps: str) -> IncorrectState:
    association_id = association.ipam_internet_registry_association_id
    return IncorrectState(
        f"'{association_id}' is in state '{association.state}'; {what_helps}",
        resource_id=association_id,
        state=association.state,
    )


def _named(states: Collection[AssociationState]) -> str:
    return " or ".join(f"'{state}'" for state in states)
