"""That an ASN may originate a CIDR (ASN-2)."""

import enum
from dataclasses import dataclass


class AssociationState(enum.StrEnum):
    """AWS's words for what is, or is on its way; what was disassociated is gone."""

    PENDING_ASSOCIATION = "pending-association"
    ASSOCIATED = "associated"
    PENDING_DISASSOCIATION = "pending-disassociation"


@dataclass(frozen=True, slots=True)
class AsnAssociation:
    """An ASN of a CIDR."""

    asn: int
    state: AssociationState
    status_message: str | None = None

    @property
    def stays(self) -> bool:
        """It is not on its way out."""
        return self.state is not AssociationState.PENDING_DISASSOCIATION
