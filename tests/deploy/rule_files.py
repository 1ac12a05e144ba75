"""Prometheus's rules, as they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
RULE_FILES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
TEST_FILES = sorted((ROOT / "deploy/prometheus/tests").glob("*.yml"))


@dataclass(frozen=True, slots=True)
class Rule:
    """A series that is recorded, or an alert."""

    name: str
    is_alert: bool
    expr: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def rules() -> list[Rule]:
    """Of all files."""
    files = [yaml.safe_load(path.read_text()) for path in RULE_FILES]
    return [
        Rule(
            name=rule.get("alert") or rule["record"],
            is_alert="alert" in rule,
            expr=rule["expr"],
            labels=rule.get("labels", {}),
            annotations=rule.get("annotations", {}),
        )
        for file in files
        for group in file["groups"]
        for rule in group["rules"]
    ]
