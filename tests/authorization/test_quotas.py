"""Quotas are told by each context that keeps some (requirements.md section 14)."""

from pathlib import Path
from typing import Any

from services.gateway.console.api import QUOTAS
from shared.rpc.quota_servicer import QUOTA_SERVICE
from tests.authorization.installation import contexts_of, installation

ONE_OF_EACH = {
    "control_plane": "pools-per-scope",
    "discovery": "rules-per-prefix-list-resolver",
    "metrics": "utilization-metrics-highest",
    "network": "vpcs-per-region",
}


async def test_each_context_tells_its_own(tmp_path: Path) -> None:
    told: list[str] = []
    async with installation(tmp_path) as it:
        for context in contexts_of(QUOTA_SERVICE):
            proof = it.proof_of("123456789012")
            answer = await it.apis[context].ask(QUOTA_SERVICE, "ListServiceQuotas", {}, proof)
            response: Any = answer.responses[0]
            names = [quota.name for quota in response.quotas]
            assert ONE_OF_EACH[context] in names
            told += names
    assert len(told) == len(set(told)), "each quota is one context's"


def test_the_console_asks_all_of_them() -> None:
    assert {context for context, _ in QUOTAS} == set(contexts_of(QUOTA_SERVICE)) == set(ONE_OF_EACH)
