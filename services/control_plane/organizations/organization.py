"""What an organization is (ORG-1)."""

import enum
from dataclasses import dataclass

from services.control_plane.organizations.errors import ConstraintViolation

ROOT_NAME = "Root"


class FeatureSet(enum.StrEnum):
    ALL = "ALL"
    CONSOLIDATED_BILLING = "CONSOLIDATED_BILLING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Accounts under one management account, in a tree with one root."""

    organization_id: str
    management_account_id: str
    feature_set: FeatureSet
    root_id: str
    has_service_control_policies: bool = False
    """Their type is enabled in the root, so that they can be attached and hold."""
    version: int = 1
    """Grows with every change of anything in the organization."""

    @property
    def root_path(self) -> str:
        """The root's entity path."""
        return f"{self.organization_id}/{self.root_id}/"


def check_all_features(organization: Organization) -> None:
    """Policies and other services need an organization with all features.

    Raises:
        ConstraintViolation: it has consolidated billing only.
    """
    if organization.feature_set is not FeatureSet.ALL:
        raise ConstraintViolation(
            "ORGANIZATION_NOT_IN_ALL_FEATURES_MODE",
            f"Organization {organization.organization_id} has the feature set"
            f" '{organization.feature_set}'; this needs '{FeatureSet.ALL}'",
            organization_id=organization.organization_id,
            feature_set=organization.feature_set,
        )
