"""Denying what belongs to other accounts, such as pools that are shared.

A request names by id, and nobody here knows whose that is: to policies it is the caller's own
(`actions.resources_of`). Ids are unique, so a Deny by the real ARN means the thing all the same.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from shared.policies.patterns import Parts, Patterns, Wildcard, like, like_resource, parts_of
from shared.policies.policy import Effect, Policy, Statement

_NO_REGION = "arn:aws:ec2::"
"""What the ARNs of IPAM's kinds begin with, and of no others that requests name."""
_ANY_ACCOUNT = parts_of(f"{_NO_REGION}*")
_COLONS = 5


def denying_in_any_account(policy: Policy) -> Policy:
    """``policy`` whose Deny statements hold for IPAM's kinds whatever the account in their ARNs.

    Nothing that it allows becomes more. What a Deny excludes (NotResource) stays as it is, too: it
    would deny less.
    """
    return replace(policy, statements=tuple(map(_widened, policy.statements)))


def _widened(statement: Statement) -> Statement:
    resources = statement.resources
    if statement.effect is Effect.ALLOW or resources.are_excluded:
        return statement
    texts = resources.patterns.texts
    wider = [wide for text in texts for wide in _in_any_account(text)]
    patterns = Patterns.of([*texts, *wider], like_resource)
    return replace(statement, resources=replace(resources, patterns=patterns))


def _in_any_account(text: Parts) -> Iterator[Parts]:
    """The pattern for IPAM's kinds of every account, if it is about some of one."""
    colons = [at for at, part in enumerate(text) if part == ":"][:_COLONS]
    if len(colons) < _COLONS:
        return
    account_at, rest_at = colons[-2] + 1, colons[-1]
    if text[account_at:rest_at] != (Wildcard.RUN,) and _may_be_of_ipam(text[:account_at]):
        yield (*_ANY_ACCOUNT, *text[rest_at:])


# Thousands of patterns begin in a few ways.
@lru_cache
def _may_be_of_ipam(beginning: Parts) -> bool:
    return Patterns.of([beginning], like).within({})(_NO_REGION)
