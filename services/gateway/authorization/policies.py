"""Policies as they are told."""

from weakref import WeakValueDictionary

from structlog.typing import FilteringBoundLogger

from services.gateway.authorization.any_account import denying_in_any_account
from services.gateway.authorization.evaluation import AttachedPolicy
from shared.policies.document import MalformedPolicy, parse_policy
from shared.policies.policy import Policy

_DENY_ALL = parse_policy('{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}')


class PolicyReader:
    """Reads them.

    All of an organization, or of an account's users, is told anew when a part of it changes: what
    somebody still holds is not read again, and what nobody holds any more is forgotten.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._held: WeakValueDictionary[str, Policy] = WeakValueDictionary()

    def read(self, policy_id: str, content: str) -> AttachedPolicy:
        """One that can't be read denies everything: nobody may do more by a mistake in it."""
        try:
            return AttachedPolicy(policy_id, self._policy(content))
        except MalformedPolicy as error:
            self._log.error(
                "a malformed policy denies everything", policy_id=policy_id, error=str(error)
            )
            return AttachedPolicy(policy_id, _DENY_ALL)

    def _policy(self, content: str) -> Policy:
        policy = self._held.get(content)
        if policy is None:
            policy = denying_in_any_account(parse_policy(content))
            self._held[content] = policy
        return policy
