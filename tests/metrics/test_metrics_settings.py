"""Configuration of metrics."""

import pytest
from pydantic import ValidationError

from services.metrics.figures import Limits
from services.metrics.settings import MetricsSettings, Quotas


def test_each_rule_chooses_fifty_resources_unless_told_otherwise() -> None:  # MET-2
    assert Quotas().limits_of("123456789012") == Limits(50, 50, 50)


def test_limits_are_adjusted_by_rule_and_account(monkeypatch: pytest.MonkeyPatch) -> None:  # MET-2
    monkeypatch.setenv("CADASTRE_QUOTA_UTILIZATION_METRICS_HIGHEST", "0")
    quota = '{"default": 10, "123456789012": 1000}'
    monkeypatch.setenv("CADASTRE_QUOTA_UTILIZATION_METRICS_LOWEST", quota)
    assert Quotas().limits_of("123456789012") == Limits(0, 1000, 50)
    assert Quotas().limits_of("210987654321") == Limits(0, 10, 50)


@pytest.mark.parametrize("wrong", ["-1", "1001", '{"123456789012": 5}'])
def test_limits_that_discovery_does_not_take_are_refused(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # MET-2
    monkeypatch.setenv("CADASTRE_QUOTA_UTILIZATION_METRICS_ALLOCATED", wrong)
    with pytest.raises(ValidationError):
        Quotas()


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("INTERVAL_SECONDS", "0"),
        ("STALE_SECONDS", "0"),
        ("NAMES", "datadog"),
        ("STALE_SECONDS", "inf"),
        ("WINDOW_SECONDS", "nan"),
        ("LEDGER_CHECK_INTERVAL_SECONDS", "-1"),
    ],
)
def test_what_can_t_work_is_refused(name: str, wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CADASTRE_METRICS_{name}", wrong)
    with pytest.raises(ValidationError):
        MetricsSettings()
