"""With whom something can be shared: accounts, OUs, a whole organization (ORG-4)."""

import enum
import re
from dataclasses import dataclass

from services.control_plane.sharing.errors import InvalidParameter, MalformedArn

_ACCOUNT = re.compile(r"\d{12}", re.ASCII)
_ORGANIZATION = re.compile(
    r"arn:aws:organizations::(?P<management>\d{12}):organization/(?P<organization>o-[a-z0-9]{10,32})",
    re.ASCII,
)
_UNIT = re.compile(
    r"arn:aws:organizations::(?P<management>\d{12}):ou/(?P<organization>o-[a-z0-9]{10,32})"
    r"/(?P<unit>ou-[a-z0-9]{4,32}-[a-z0-9]{8,32})",
    re.ASCII,
)
_ARN_FORM = (
    "arn:aws:organizations::123456789012:ou/o-…/ou-…-… or"
    " arn:aws:organizations::123456789012:organization/o-…"
)


class PrincipalKind(enum.StrEnum):
    ACCOUNT = "account"
    ORGANIZATIONAL_UNIT = "organizational-unit"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who a principal is by its name alone."""

    name: str
    """As RAM writes it: an account id, or the ARN of an OU or an organization."""
    kind: PrincipalKind
    holder_id: str
    """The id of the account, the OU or the organization itself."""
    organization_id: str | None = None
    """Whose OU, or which organization, its ARN says it is."""
    management_account_id: str | None = None


def principal(name: str) -> Principal:
    """Who is meant by a name.

    Raises:
        MalformedArn: an ARN, but no organization's and no OU's.
        InvalidParameter: neither an ARN nor the id of an account.
    """
    if _ACCOUNT.fullmatch(name):
        return Principal(name=name, kind=PrincipalKind.ACCOUNT, holder_id=name)
    if not name.startswith("arn:"):
        raise InvalidParameter(
            f"The principal '{name}' is malformed; use the 12 digits of an account, or the ARN of"
            " an organizational unit or an organization",
            principal=name,
        )
    unit, organization = _UNIT.fullmatch(name), _ORGANIZATION.fullmatch(name)
    found = unit or organization
    if not found:
        raise MalformedArn(name, _ARN_FORM)
    return Principal(
        name=name,
        kind=PrincipalKind.ORGANIZATIONAL_UNIT if unit else PrincipalKind.ORGANIZATION,
        holder_id=unit["unit"] if unit else found["organization"],
        organization_id=found["organization"],
        management_account_id=found["management"],
    )
