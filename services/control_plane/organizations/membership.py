"""Where in its organization an account is."""

from dataclasses import dataclass

IPAM_SERVICE = "ipam.amazonaws.com"
"""The service principal of IPAM (ORG-2)."""
SHARING_SERVICE = "ram.amazonaws.com"
"""The service principal of RAM: with access, members share with each other uninvited (ORG-4)."""


@dataclass(frozen=True, slots=True)
class Membership:
    """An account in its organization."""

    account_id: str
    organization_id: str
    management_account_id: str
    holders: tuple[str, ...]
    """The root's id and those of the OUs that hold the account, the root first."""

    @property
    def is_management(self) -> bool:
        """The account is the organization's management account."""
        return self.account_id == self.management_account_id

    @property
    def unit_id(self) -> str | None:
        """Id of the OU that the account is directly in; None directly below the root."""
        return self.holders[-1] if len(self.holders) > 1 else None

    @property
    def entity_path(self) -> str:
        """As AWS writes it, with a slash at the end: ``o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/``."""
        return "/".join([self.organization_id, *self.holders, ""])
