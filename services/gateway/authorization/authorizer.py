"""The gate: a call passes, or is refused as AWS refuses it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message
from structlog.typing import FilteringBoundLogger

from services.gateway.authorization.actions import (
    actions_of,
    context_keys,
    principal_keys,
    resources_of,
)
from services.gateway.authorization.evaluation import ActionRules, Denial
from services.gateway.authorization.organizations import Organization, Organizations
from services.gateway.identity import IdentityPolicies
from services.gateway.routes import Rpc
from shared.caller import Caller
from shared.errors import ServiceUnavailable, UnauthorizedOperation
from shared.policies.context import context_of
from shared.telemetry import request_id

# As long as a call waits for any other service that is being started.
_PATIENCE_SECONDS = 3.0

_SCP, _IDENTITY_BASED = "service control policy", "identity-based policy"


@dataclass(frozen=True, slots=True)
class _Gate:
    """Policies of one kind; a call has to pass them all."""

    kind: str
    """In AWS's words."""
    rules: ActionRules


class Authorizer:
    """Decides by the policies of the caller's organization, and by its own (ORG-6, ORG-10)."""

    def __init__(
        self,
        organizations: Organizations,
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], datetime],
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        self._organizations, self._log = organizations, log
        self._clock, self._patience_seconds = clock, patience_seconds

    async def check(
        self,
        rpc: Rpc,
        request: Message,
        caller: Caller,
        policies: IdentityPolicies | None = None,
    ) -> None:
        """Let ``caller`` ask ``rpc`` for ``request``.

        ``policies`` are the caller's own; without, it may do whatever its account may.

        Raises:
            UnauthorizedOperation: a policy denies it, or none allows it.
            ServiceUnavailable: the organizations haven't been told yet.
        """
        await self._until_known()
        for action in actions_of(rpc):
            self._check(
                action,
                caller,
                policies,
                lambda organization: resources_of(rpc, request, caller, organization),
                lambda: context_keys(rpc, request, caller, self._clock()),
            )

    def resources(self, rpc: Rpc, request: Message, caller: Caller) -> Sequence[str]:
        """The ARN of everything that ``request`` is about, as policies see it."""
        return resources_of(rpc, request, caller, self._organizations.of(caller.account_id))

    async def check_action(
        self, action: str, resource: str, caller: Caller, policies: IdentityPolicies | None
    ) -> None:
        """Let ``caller`` do what no context is asked for. Raises as `check` does."""
        await self._until_known()
        self._check(
            action,
            caller,
            policies,
            lambda _: [resource],
            lambda: principal_keys(caller, self._clock()),
        )

    def _check(
        self,
        action: str,
        caller: Caller,
        policies: IdentityPolicies | None,
        resources: Callable[[Organization | None], Sequence[str]],
        keys: Callable[[], Mapping[str, Sequence[str]]],
    ) -> None:
        """What a request is about is only looked for where a condition or a name matters."""
        organization = self._organizations.of(caller.account_id)
        gates = []
        if organization:
            gates.append(_Gate(_SCP, organization.rules_of(caller.account_id, action)))
        if policies:
            gates.append(_Gate(_IDENTITY_BASED, policies.rules_of(action)))
        narrow = [gate for gate in gates if not gate.rules.allow_everything]
        if not narrow:
            return
        context = context_of({**keys(), **_organization_keys(caller, organization)})
        named = resources(organization)
        for gate in narrow:
            denial = gate.rules.denial_of(named, context)
            if denial is not None:
                self._log_denial(denial, action, gate.kind, organization)
                raise _refusal(denial, action, gate.kind, caller)

    async def _until_known(self) -> None:
        if self._organizations.are_known:
            return
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._organizations.until_known()
        except TimeoutError as error:
            raise ServiceUnavailable(
                "The organizations' policies are not known yet; repeat the request"
            ) from error

    def _log_denial(
        self, denial: Denial, action: str, kind: str, organization: Organization | None
    ) -> None:
        """Which policy it was is for those who administer it, not for those it limits."""
        self._log.info(
            "denied by policy",
            action=action,
            resource=denial.resource,
            kind=kind,
            organization_id=organization.organization_id if organization else "",
            organization_version=organization.version if organization else 0,
            policy_id=denial.policy_id,
            statement=denial.statement,
            request_id=request_id.get(),
        )


def _organization_keys(
    caller: Caller, organization: Organization | None
) -> Mapping[str, Sequence[str]]:
    if organization is None:
        return {}
    return {
        "aws:PrincipalOrgID": [organization.organization_id],
        "aws:PrincipalOrgPaths": [organization.path_of(caller.account_id)],
    }


def _refusal(denial: Denial, action: str, kind: str, caller: Caller) -> UnauthorizedOperation:
    article = "an" if kind == _IDENTITY_BASED else "a"
    because = (
        f"with an explicit deny in {article} {kind}"
        if denial.is_explicit
        else f"because no {kind} allows the {action} action"
    )
    return UnauthorizedOperation(
        f"You are not authorized to perform this operation. User: {caller.principal} is not"
        f" authorized to perform: {action} on resource: {denial.resource} {because}",
        principal=caller.principal,
        action=action,
        resource=denial.resource,
    )
