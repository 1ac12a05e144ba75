"""Prometheus's rules: promtool runs their own tests; these see that there are enough of them."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from tests.deploy.known_series import known_series
from tests.deploy.promql import read
from tests.deploy.promtool import promtool
from tests.deploy.rule_files import ROOT, RULE_FILES, TEST_FILES, rules

ALERTS = [rule for rule in rules() if rule.is_alert]
SILENT = "silent"


def test_promtool_takes_the_rules() -> None:
    promtool("check", "rules", *map(str, RULE_FILES))


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should(file: Path) -> None:  # MET-4 BEY-11
    promtool("test", "rules", str(file))


def test_each_alert_is_tested_firing_and_silent() -> None:
    wanted, tested = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for alert in ALERTS:
        wanted[alert.name] |= {SILENT, alert.labels["severity"]}
    for file in TEST_FILES:
        for test in yaml.safe_load(file.read_text())["tests"]:
            for case in test.get("alert_rule_test", []):
                fired = {alert["exp_labels"]["severity"] for alert in case["exp_alerts"]}
                tested[case["alertname"]] |= fired or {SILENT}
    assert tested == wanted


def test_each_alert_says_how_bad_it_is_and_what_to_do() -> None:
    for alert in ALERTS:
        assert alert.labels.keys() == {"severity"}
        assert alert.labels["severity"] in {"warning", "critical"}
        assert alert.annotations.keys() == {"summary", "description"}
        assert len(alert.annotations["description"]) > len(alert.annotations["summary"])


def test_rules_read_series_and_labels_that_there_are() -> None:
    known = known_series()
    for rule in rules():
        reading = read(rule.expr)
        assert reading.selectors
        for selector in reading.selectors:
            assert selector.name in known, rule.name
            assert selector.labels <= known[selector.name], rule.name
        labels = set().union(*(known[selector.name] for selector in reading.selectors))
        assert reading.grouped_by <= labels, rule.name


def test_annotations_tell_labels_that_the_alert_has() -> None:
    known = known_series()
    for alert in ALERTS:
        reading = read(alert.expr)
        told = re.findall(r"\$labels\.(\w+)", " ".join(alert.annotations.values()))
        there = reading.grouped_by.union(*(known[each.name] for each in reading.selectors))
        # Of two forms of a dimension's name one is there; which one is a matter of configuration.
        other_form = {_snake(name) for name in there if name.startswith("dimension_")}
        assert set(told) <= there | other_form, alert.name


def test_target_alerts_are_about_our_jobs_and_no_others() -> None:
    (expr,) = (alert.expr for alert in ALERTS if alert.name == "CadastreTargetDown")
    (pattern,) = re.findall(r'job=~"([^"]*)"', expr)
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    jobs = {scrape["job_name"] for scrape in config["scrape_configs"]}
    assert {"cadastre", "cadastre-gateway"} <= jobs
    assert {job for job in jobs if re.fullmatch(pattern, job)} == jobs - {"prometheus"}


def _snake(label: str) -> str:
    name = label.removeprefix("dimension_")
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
