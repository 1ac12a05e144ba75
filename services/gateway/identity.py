"""Who a verified request is from, and what its own policies let it do (ORG-10)."""

from dataclasses import dataclass

from services.gateway.authorization.evaluation import ActionRules, Level


class IdentityPolicies:
    """A user's policies: what none of them allows, the user may not do."""

    def __init__(self, policies: Level) -> None:
        self._policies = policies
        # Of the few actions there are.
        self._rules: dict[str, ActionRules] = {}

    def rules_of(self, action: str) -> ActionRules:
        """What they say about ``action``."""
        if action not in self._rules:
            self._rules[action] = ActionRules.of([self._policies], action)
        return self._rules[action]


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal, by whatever it proved itself."""

    account_id: str
    principal: str
    """Its ARN."""
    user_id: str
    """As STS tells it: of a user, or of a role and its session."""
    access_key_id: str
    """The permanent key that let it in, perhaps by way of a session."""
    policies: IdentityPolicies | None = None
    """None: it may do whatever its account may."""
    role_arn: str = ""
    """Of the role that it acts in, if it does."""
    is_session: bool = False


NO_IDENTITY = Identity(account_id="", principal="", user_id="", access_key_id="")
