"""Quotas that only mean something together."""

import pytest
from pydantic import ValidationError

from services.control_plane.quotas import Quotas
from tests.control_plane.world import Client


def test_blocks_that_none_could_have_are_no_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_AMAZON_IPV4_MIN_NETMASK_LENGTH", "31")
    with pytest.raises(ValidationError, match="no block could be had"):
        Quotas()


async def test_an_account_is_told_its_own_quotas(control: Client) -> None:
    answer = await control.of("cadastre.common.quotas.v1.QuotaService", "ListServiceQuotas")
    values = {quota.name: quota.value for quota in answer.quotas}
    assert values["pools-per-scope"] == 50
    assert list(values) == sorted(values)
    assert len(values) == len(Quotas.model_fields)


def test_quotas_may_differ_by_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_POOL_DEPTH", '{"default": 3, "123456789012": 7}')
    quotas = Quotas()
    assert quotas.of_account("123456789012")["pool_depth"] == 7
    assert quotas.of_account("444455556666")["pool_depth"] == 3
