"""Policies as the gateway is told them: read once, and held no longer than they hold."""

import gc
import weakref

import structlog

from services.gateway.authorization.policies import PolicyReader

DENY = '{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}'


def reader() -> PolicyReader:
    return PolicyReader(structlog.get_logger())


def test_a_policy_that_is_told_again_is_not_read_again() -> None:
    policies = reader()
    first = policies.read("p-1", DENY)
    assert policies.read("p-2", DENY).policy is first.policy
    assert policies.read("p-1", DENY + " ").policy is not first.policy


def test_a_policy_that_nobody_has_any_more_is_forgotten() -> None:
    policies = reader()
    told = policies.read("p-1", DENY)
    policy = weakref.ref(told.policy)
    del told
    gc.collect()
    assert policy() is None
    assert policies.read("p-1", DENY).policy.statements
