"""What Grafana is given when it starts."""

from typing import Any

import yaml

from tests.deploy.rule_files import ROOT


def loaded(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


def test_the_data_source_is_scraped_as_often_as_grafana_is_told() -> None:
    (source,) = loaded("deploy/grafana/provisioning/datasources/prometheus.yml")["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    scraping = loaded("deploy/prometheus/prometheus.yml")["global"]
    assert source["jsonData"]["timeInterval"] == scraping["scrape_interval"]


def test_dashboards_are_where_grafana_is_told_to_look() -> None:
    (provider,) = loaded("deploy/grafana/provisioning/dashboards/cadastre.yml")["providers"]
    mounts = loaded("docker-compose.yml")["services"]["grafana"]["volumes"]
    targets = {target: source for source, target in (mount.split(":")[:2] for mount in mounts)}
    assert targets[provider["options"]["path"]] == "./deploy/grafana/dashboards/json"
    assert targets["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
