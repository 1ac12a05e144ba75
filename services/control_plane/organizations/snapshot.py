"""An organization as those need it who decide what its accounts may do (ORG-6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.control_plane.organizations.account import Account
from services.control_plane.organizations.organization import Organization
from services.control_plane.organizations.unit import Unit


@dataclass(frozen=True, slots=True)
class Entity:
    """The root, an OU or an account, with the policies attached to it and nothing else."""

    entity_id: str
    parent_id: str
    """Empty for the root."""
    policy_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An organization's tree, and the policies attached in it."""

    organization: Organization
    entities: Sequence[Entity]
    """Those above come before those below."""
    documents: Mapping[str, str]
    """Of every policy that is attached to one of them, by its id."""


def snapshot_of(
    organization: Organization,
    units: Iterable[Unit],
    accounts: Iterable[Account],
    attached: Mapping[str, Sequence[str]],
    documents: Mapping[str, str],
) -> Snapshot:
    """Of these OUs and accounts; ``attached`` is by target, and ``units`` the oldest first."""
    parents = {organization.root_id: ""}
    # No OU is older than what holds it, for none ever moves.
    parents |= {unit.unit_id: unit.parent_id for unit in units}
    parents |= {account.account_id: account.parent_id for account in accounts}
    entities = [
        Entity(entity_id, parent_id, tuple(attached.get(entity_id, ())))
        for entity_id, parent_id in parents.items()
    ]
    return Snapshot(organization, entities, documents)
