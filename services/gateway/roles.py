"""The role by which a management account gets into the other accounts of its organization."""

import re

from services.gateway.authorization.authorizer import Authorizer
from services.gateway.authorization.organizations import Organizations
from services.gateway.errors import AccessDenied
from services.gateway.identity import IdentityPolicies
from services.gateway.sessions import AssumedRole
from shared.caller import Caller

ACCESS_ROLE = "OrganizationAccountAccessRole"
"""As AWS calls it."""

_ACTION = "sts:AssumeRole"
_ROLE_ARN = re.compile(r"arn:aws:iam::(?P<account_id>\d{12}):role/(?P<role_name>[^\s/]+)", re.ASCII)


class Roles:
    """Says who may act in the role, which may change at any time."""

    def __init__(self, authorizer: Authorizer, organizations: Organizations) -> None:
        self._authorizer, self._organizations = authorizer, organizations

    async def role(
        self, role_arn: str, session_name: str, caller: Caller, policies: IdentityPolicies | None
    ) -> AssumedRole:
        """The role, when ``caller`` may act in it now. Whether there is another one isn't told.

        Raises:
            AccessDenied: its account doesn't let the caller in.
            UnauthorizedOperation: the caller's own policies, or its organization's, don't allow it.
            ServiceUnavailable: the organizations haven't been told yet.
        """
        await self._authorizer.check_action(_ACTION, role_arn, caller, policies)
        parts = _ROLE_ARN.fullmatch(role_arn)
        account_id = parts["account_id"] if parts else ""
        organization = self._organizations.of(account_id)
        management_account_id = organization.management_account_id if organization else ""
        lets_in = (
            parts is not None
            and parts["role_name"] == ACCESS_ROLE
            and caller.account_id == management_account_id != account_id
        )
        if not lets_in:
            raise AccessDenied(
                f"User: {caller.principal} is not authorized to perform: {_ACTION} on resource:"
                f" {role_arn}",
                role_arn=role_arn,
            )
        return AssumedRole(account_id, ACCESS_ROLE, session_name)
