"""Organizational units: the tree of an organization below its root (ORG-1)."""

from dataclasses import dataclass

from services.control_plane.organizations.errors import ConstraintViolation

MOST_LEVELS = 5
"""OUs above one another, as AWS has it."""
MOST_UNITS = 2_000
"""In one organization, as AWS has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """An OU. It never moves, so its path never changes."""

    unit_id: str
    organization_id: str
    parent_id: str
    """The root's or OU's that holds it."""
    name: str
    path: str
    """From the organization's id down to its own: ``o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/``."""


def unit_below(parent_path: str, *, unit_id: str, name: str) -> Unit:
    """A new OU below the root or OU of an entity path.

    Raises:
        ConstraintViolation: it would lie too deep.
    """
    organization_id, *holders = holders_of(parent_path)
    if len(holders) > MOST_LEVELS:
        raise ConstraintViolation(
            "OU_DEPTH_LIMIT_EXCEEDED",
            f"'{holders[-1]}' lies {MOST_LEVELS} levels below the root; no organizational unit lies"
            f" deeper than {MOST_LEVELS}",
            parent_id=holders[-1],
            levels=MOST_LEVELS,
        )
    return Unit(
        unit_id=unit_id,
        organization_id=organization_id,
        parent_id=holders[-1],
        name=name,
        path=f"{parent_path}{unit_id}/",
    )


def check_room_for_unit(organization_id: str, unit_count: int) -> None:
    """One more OU is allowed.

    Raises:
        ConstraintViolation: there are as many as an organization may have.
    """
    if unit_count >= MOST_UNITS:
        raise ConstraintViolation(
            "OU_NUMBER_LIMIT_EXCEEDED",
            f"Organization {organization_id} has {unit_count} organizational units; at most"
            f" {MOST_UNITS} are allowed",
            organization_id=organization_id,
            quota=MOST_UNITS,
        )


def holders_of(path: str) -> list[str]:
    """The ids in an entity path: the organization's first, then from the root downwards."""
    return path.rstrip("/").split("/")
