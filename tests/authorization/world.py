"""Whose is what, and who may know of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.authorization.callers import (
    ABROAD,
    ADMINISTRATOR,
    DISCOVERER,
    IMPORTER,
    MANAGER,
    MEMBER,
    OUTSIDER,
    OWNER,
    USER,
)
from tests.authorization.things import Own, Things

SECRETS = {
    ADMINISTRATOR: "administrators-secret",
    OWNER: "owners-secret",
    USER: "users-secret",
    MANAGER: "managers-secret",
}
"""Stand in names, descriptions and tags that are for that caller's account to know."""

_ITS = frozenset({ADMINISTRATOR, ABROAD})
_KNOWN_BESIDES: Mapping[str, frozenset[str]] = {
    # A pool tells what it lies in, as at AWS.
    "ipam_id": frozenset({USER}),
    "ipam_scope_id": frozenset({USER}),
    "top_pool_id": frozenset({USER}),
    "ipam_pool_id": frozenset({USER, IMPORTER}),
    "free_pool_id": frozenset({USER}),
    "users_allocation_id": frozenset({USER}),
    "users_hold_id": frozenset({USER}),
    "user_share_arn": frozenset({USER}),
    "import_share_arn": frozenset({IMPORTER}),
    "resource_discovery_id": frozenset({DISCOVERER}),
    "discovery_share_arn": frozenset({DISCOVERER}),
    "invitation_arn": frozenset({DISCOVERER}),
    "other_invitation_arn": frozenset({DISCOVERER}),
    "organization_id": frozenset({MANAGER, USER, IMPORTER, MEMBER, DISCOVERER}),
    # A resource discovery tells which OUs it leaves out (ORG-8).
    "root_id": frozenset({MANAGER, DISCOVERER}),
    "unit_id": frozenset({MANAGER, DISCOVERER}),
    "empty_unit_id": frozenset({MANAGER}),
    "request_id": frozenset({MANAGER}),
    "leaver_id": frozenset({MANAGER}),
    "heir_id": frozenset({MANAGER}),
    "attached_policy_id": frozenset({MANAGER}),
    "loose_policy_id": frozenset({MANAGER}),
}
"""By field of `Things`, who may know the delegated administrator's id besides itself."""

_ACCOUNTS_KNOWN: Mapping[str, frozenset[str]] = {
    OUTSIDER: frozenset({OUTSIDER}),
    OWNER: frozenset({OWNER}),
    MEMBER: frozenset({MEMBER, MANAGER, *_ITS}),
    USER: frozenset({USER, MANAGER, *_ITS}),
    IMPORTER: frozenset({IMPORTER, MANAGER, *_ITS}),
    DISCOVERER: frozenset({DISCOVERER, *_ITS}),
    # Who is shared with knows by whom, and members know who manages them.
    ADMINISTRATOR: frozenset({USER, IMPORTER, DISCOVERER, MANAGER, *_ITS}),
    MANAGER: frozenset({MANAGER, MEMBER, USER, IMPORTER, *_ITS}),
}


@dataclass(frozen=True)
class World:
    """Everything there is."""

    accounts: Mapping[str, str]
    """By caller."""
    things: Mapping[str, Things]
    """Of the owner and of the delegated administrator."""
    own: Mapping[str, Own]
    """By caller."""

    def known_by(self) -> Mapping[str, frozenset[str]]:
        """By what can be told of somebody, the callers who may be told (BEY-12)."""
        return {
            SECRETS[ADMINISTRATOR]: _ITS,
            SECRETS[OWNER]: frozenset({OWNER}),
            SECRETS[USER]: frozenset({USER, *_ITS}),
            SECRETS[MANAGER]: frozenset({MANAGER, *_ITS}),
            **dict.fromkeys(self.things[OWNER].ids.values(), frozenset({OWNER})),
            **{
                value: _ITS | _KNOWN_BESIDES.get(name, frozenset())
                for name, value in self.things[ADMINISTRATOR].ids.items()
            },
            **{self.accounts[caller]: known_by for caller, known_by in _ACCOUNTS_KNOWN.items()},
        }
