"""How steps about associations end, and refreshing them: what they do to the rows.

Each holds the association's IPAM, and leaves alone what has changed since its step was made.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.control_plane.delegated_rpki.resources import Resources
from services.control_plane.internet_registries.association import (
    AssociationState,
    InternetRegistryAssociation,
    awaiting_parent,
    enabled,
    lapsed,
    left_alone,
    not_enabled,
    with_message,
)
from services.control_plane.internet_registries.authorities import (
    Delegation,
    KeptAuthority,
    certified_by,
)
from services.control_plane.lifecycle import State
from services.control_plane.service.internet_registries.associations import step_of
from services.control_plane.service.internet_registries.holding import held_association
from services.control_plane.service.internet_registries.publishing import publishing_step
from services.control_plane.service.internet_registries.staging import stage
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from services.control_plane.verification.roas import Roa


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An association with all that is needed to speak to its registry, as of one moment."""

    association: InternetRegistryAssociation
    delegation: Delegation
    keys: Mapping[str, bytes] = field(repr=False)
    """By resource class, encrypted."""
    authorities: Mapping[str, KeptAuthority]
    """Those that are certified, by resource class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certification:
    """What the registry has certified, once it was asked for all that it would."""

    heard_at: datetime
    """When it signed its last answer."""
    authorities: Mapping[str, KeptAuthority | None]
    """By each of its resource classes that there is a key for; None: that is not certified."""
    failures: Collection[str] = ()
    """Why classes are not certified, or not as the registry would have it."""
    failures_may_pass: bool = False
    """To ask again may help with some of them."""


def held(rows: Rows, association_id: str) -> Held | None:
    """The association, unless it is gone or has no child request yet."""
    association = rows.internet_registries.get(association_id)
    delegation = rows.internet_registries.delegation(association_id)
    if association is None or delegation is None:
        return None
    return Held(
        association=association,
        delegation=delegation,
        keys=rows.internet_registries.keys(association_id),
        authorities=rows.internet_registries.authorities(association_id),
    )


def end_creation(
    rows: Rows, step: NextStep, delegation: Delegation, child_request_xml: str
) -> tuple[NextStep, ...]:
    """The account can hand the child request in; meanwhile registrations are staged."""
    association = _unchanged(rows, step)
    if association is None:
        return ()
    association = awaiting_parent(association, child_request_xml)
    rows.internet_registries.add_delegation(delegation)
    rows.internet_registries.save(association)
    return (step_of(StepKind.STAGE_REGISTRATIONS, association),)


def end_staging(rows: Rows, step: NextStep, vrps: Collection[Roa], message: str) -> None:
    """Stage registrations for ``vrps``, and have the account know of it.

    It may be about to be enabled already: that comes after this, and is not to be disturbed.
    """
    association = held_association(rows, step.subject)
    if association is None or association.state is AssociationState.DELETE_IN_PROGRESS:
        return
    stage(rows, association, vrps)
    if association.version == step.version:
        rows.internet_registries.save(with_message(association, message))


def keep_keys(rows: Rows, before: Held, keys: Mapping[str, bytes]) -> None:
    """Have resource classes that have none yet these keys, encrypted as they are."""
    association = _same(rows, before.association)
    if association is None:
        return
    association_id = association.ipam_internet_registry_association_id
    known = rows.internet_registries.keys(association_id)
    for class_name, key in keys.items():
        if class_name not in known:
            rows.internet_registries.add_key(association_id, class_name, key)


def end_enabling(
    rows: Rows, step: NextStep, certification: Certification, interval: timedelta, now: datetime
) -> tuple[NextStep, ...]:
    """The registry has certified the IPAM: what is staged is to be published."""
    association = _unchanged(rows, step)
    return _certified(rows, association, certification, now + interval) if association else ()


def fail_enabling(rows: Rows, step: NextStep, why: str) -> None:
    """The account may enable it again, and is told what would help."""
    association = _unchanged(rows, step)
    if association:
        rows.internet_registries.save(not_enabled(association, why))


def end_removal(rows: Rows, step: NextStep) -> tuple[NextStep, ...]:
    """Remove an association, and what it published; if its IPAM waits for that, it goes on."""
    association = held_association(rows, step.subject)
    if association is None or association.state is not AssociationState.DELETE_IN_PROGRESS:
        return ()
    rows.routing_policies.remove_of(step.subject)
    rows.internet_registries.remove(step.subject)
    ipam = rows.ipam(association.ipam_id, lock=False)
    if ipam is None or ipam.state is not State.DELETE_IN_PROGRESS:
        return ()
    if rows.internet_registries.of_ipam(ipam.ipam_id):
        return ()
    return (NextStep(StepKind.REMOVE_IPAM, ipam.ipam_id, ipam.version),)


def end_refresh(
    rows: Rows, before: Held, certification: Certification, at: datetime
) -> Accepted[None]:
    """Save what the registry certifies now; it is to be asked again ``at`` a time."""
    association = _same(rows, before.association)
    if association is None:
        return Accepted(None)
    return Accepted(None, _certified(rows, association, certification, at))


def miss_refresh(rows: Rows, before: Held, why: str, now: datetime, at: datetime) -> Accepted[None]:
    """Leave all as it is, but have the account know; the registry is asked again ``at`` a time.

    Once everything that it certified has ended, it takes another parent response to go on.
    """
    association = _same(rows, before.association)
    if association is None:
        return Accepted(None)
    association_id = association.ipam_internet_registry_association_id
    ends = [authority.not_after for authority in before.authorities.values()]
    if ends and max(ends) < now:
        rows.internet_registries.save(lapsed(association, why))
        rows.internet_registries.ask_again(association_id, None)
        rows.internet_registries.save_authorities(association_id, dict.fromkeys(before.keys))
        rows.internet_registries.save_certified(association_id, Resources())
        for class_name in rows.routing_policies.published(association_id):
            rows.routing_policies.remove_published(association_id, class_name)
    else:
        rows.internet_registries.save(left_alone(association, now, why))
        rows.internet_registries.ask_again(association_id, at)
    return Accepted(None)


def _certified(
    rows: Rows,
    association: InternetRegistryAssociation,
    certification: Certification,
    at: datetime,
) -> tuple[NextStep, ...]:
    """Save what is certified; what depends on it is published if that is something else now."""
    association_id = association.ipam_internet_registry_association_id
    known = rows.internet_registries.authorities(association_id)
    certified = {name: one for name, one in certification.authorities.items() if one}
    resources = certified_by(certified.values())
    if known != certified:
        rows.internet_registries.save_authorities(association_id, certification.authorities)
        rows.internet_registries.save_certified(association_id, resources)
    message = "; ".join(certification.failures) or None
    if not resources and message is None:
        message = "The registry certifies no addresses and no ASNs yet; it is asked again in time"
    after = enabled(association, certification.heard_at, message)
    rows.internet_registries.save(after)
    rows.internet_registries.set_heard(association_id, certification.heard_at)
    rows.internet_registries.ask_again(association_id, at)
    is_new = association.state is not AssociationState.ENABLE_COMPLETE
    return (publishing_step(after),) if is_new or known != certified else ()


def _unchanged(rows: Rows, step: NextStep) -> InternetRegistryAssociation | None:
    association = held_association(rows, step.subject)
    return association if association and association.version == step.version else None


def _same(rows: Rows, before: InternetRegistryAssociation) -> InternetRegistryAssociation | None:
    association = held_association(rows, before.ipam_internet_registry_association_id)
    return association if association and association.version == before.version else None
