"""Policies as they are told."""

from functools import lru_cache

from structlog.typing import FilteringBoundLogger

from shared.policies.document import MalformedPolicy, parse_policy
from shared.policies.evaluation import AttachedPolicy

_COMPILED_POLICIES = 10_000

_DENY_ALL = parse_policy('{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}')


class PolicyReader:
    """Reads them."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log

    def read(self, policy_id: str, content: str) -> AttachedPolicy:
        """One that can't be read denies everything: nobody may do more by a mistake in it."""
        try:
            return AttachedPolicy(policy_id, _compiled(content))
        except MalformedPolicy as error:
            self._log.error(
                "a malformed policy denies everything", policy_id=policy_id, error=str(error)
            )
            return AttachedPolicy(policy_id, _DENY_ALL)


_compiled = lru_cache(maxsize=_COMPILED_POLICIES)(parse_policy)
"""All of an organization, or of an account's users, is told anew when a part of it changes."""
