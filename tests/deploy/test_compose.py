"""docker-compose.yml, the image and Prometheus's targets, as far as they can be judged unbuilt."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from services.metrics.settings import PrometheusSettings
from shared.settings import Context, GrpcContext, Settings
from tests.deploy.promtool import promtool

ROOT = Path(__file__).parents[2]
COMPOSE: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
OWN = {name: service for name, service in SERVICES.items() if service["image"] == "cadastre:latest"}
ENDING = "setup"
# Read by libraries of theirs.
ELSEWHERE = {"OTEL_EXPORTER_OTLP_ENDPOINT", "PGPASSFILE"}
DOCKERFILE = (ROOT / "deploy/image/Dockerfile").read_text()
FINAL_STAGE = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
PROMETHEUS: Mapping[str, Any] = yaml.safe_load(
    (ROOT / "deploy/prometheus/prometheus.yml").read_text()
)
KEEPING: tuple[Context, ...] = ("control_plane", "allocation", "network", "discovery")

each_service = pytest.mark.parametrize("name", SERVICES)
each_own = pytest.mark.parametrize("name", OWN)


def context_of(service: Mapping[str, Any]) -> Context | None:
    """The context that a service runs."""
    module: str = service["command"][0]
    return next((name for name in get_args(Context) if module == f"services.{name}"), None)


RUNNING = {context: name for name in OWN if (context := context_of(SERVICES[name]))}
"""Names in the compose file, by context."""


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """As the services of the compose file read them."""
    for name, value in SERVICES["gateway"]["environment"].items():
        monkeypatch.setenv(name, value if "$" not in value else "info")
    return Settings()


def test_every_context_runs() -> None:
    assert set(RUNNING) == set(get_args(Context))


@each_service
def test_a_service_has_a_health_check_unless_it_ends(name: str) -> None:
    service = SERVICES[name]
    if name == ENDING:
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    if name in OWN:
        assert check["test"][1:] == ["python", "-m", "services.local.health", context_of(service)]


@each_service
def test_a_service_can_write_to_its_volumes_only_and_gets_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "user", "network_mode", "pid"} & set(service)


@each_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+:-(\d+)\}:\1", port), port


@each_service
def test_what_is_mounted_is_there(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, target, *mode = volume.split(":")
        if source.startswith("./"):
            assert (ROOT / source).is_dir()
            assert mode == ["ro"], f"{target} is the repository's"
        else:
            assert source in COMPOSE["volumes"]


@each_service
def test_it_waits_for_services_that_there_are(name: str) -> None:
    assert set(SERVICES[name].get("depends_on", [])) <= set(SERVICES)


@each_own
def test_a_variable_is_one_that_services_read(name: str) -> None:
    known = {f"CADASTRE_{field.upper()}" for field in Settings.model_fields}
    known |= {f"CADASTRE_PROMETHEUS_{field.upper()}" for field in PrometheusSettings.model_fields}
    assert set(SERVICES[name]["environment"]) - ELSEWHERE <= known


def test_a_service_is_where_the_others_look_for_it(settings: Settings) -> None:
    for context in get_args(GrpcContext):
        expected = f"{RUNNING[context]}:{settings.port_of(context)}"
        assert settings.address_of(context) == expected
    for context, name in RUNNING.items():
        for port in SERVICES[name].get("ports", []):
            ports = (settings.port_of(context), settings.prometheus_port)
            assert int(port.rpartition(":")[2]) in ports


def test_all_replicas_of_allocation_have_one_database_and_one_journal() -> None:
    allocation = SERVICES["allocation"]
    assert allocation["deploy"]["replicas"] > 1
    assert "ports" not in allocation, "two replicas can't publish one port"
    assert "container_name" not in allocation
    assert allocation["environment"]["CADASTRE_DATABASE_URL"].startswith("postgresql://")
    assert "data:/data" in allocation["volumes"]


def test_a_context_that_keeps_something_has_its_database(settings: Settings) -> None:
    made = (ROOT / "deploy/postgres/databases.sql").read_text()
    for context in KEEPING:
        database = settings.database_url_of(context).rpartition("/")[2]
        assert f"CREATE DATABASE {database};" in made
        assert "database-password:/data/postgres:ro" in SERVICES[RUNNING[context]]["volumes"]


def test_no_password_is_written_down() -> None:
    for service in SERVICES.values():
        for variable in service.get("environment", {}):
            assert "PASSWORD" not in variable or variable.endswith("_FILE")
    assert ":" not in SERVICES["gateway"]["environment"]["CADASTRE_DATABASE_URL"].split("//")[1]


def test_prometheus_scrapes_what_serves_metrics(settings: Settings) -> None:
    targets = [
        target
        for job in PROMETHEUS["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    ]
    assert f"{RUNNING['metrics']}:{settings.prometheus_port}" in targets
    assert f"{RUNNING['gateway']}:{settings.port}" in targets


def test_promtool_finds_no_fault_in_the_configuration() -> None:
    promtool("check", "config", str(ROOT / "deploy/prometheus/prometheus.yml"))


def test_the_image_is_of_the_base_it_is_told_and_nobody_in_it_is_root() -> None:
    assert SERVICES[ENDING]["build"]["args"] == {"BASE": "${PYTHON_IMAGE:-python:3.11-slim}"}
    assert re.findall(r"^ARG BASE=(.*)$", DOCKERFILE, re.MULTILINE) == ["python:3.11-slim"]
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${BASE}"}
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]


def test_what_builds_the_image_is_not_in_it() -> None:
    assert not re.search(r"\b(pip|apt-get|gcc|grpc_tools)\b", FINAL_STAGE)
    assert re.findall(r"--requirement (\S+)", DOCKERFILE) == [
        ".requirements/runtime.txt",
        "tools.txt",
    ]
    assert DOCKERFILE.count("--require-hashes") == 2


def test_no_host_of_packages_or_images_is_named() -> None:
    for text in (DOCKERFILE, (ROOT / "docker-compose.yml").read_text()):
        assert not re.search(
            r"https?://(?!127\.0\.0\.1|prometheus\b)|index-url|\w+\.(io|org)/", text
        )


def test_the_build_is_given_what_it_copies_and_no_more() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, re.MULTILINE)
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in rules
    assert sorted(copied) == sorted(rule[1:] for rule in rules if rule.startswith("!"))


def test_values_are_as_each_version_of_compose_wants_them() -> None:
    def strings(values: Sequence[Any]) -> bool:
        return all(isinstance(value, str) for value in values)

    assert set(COMPOSE) - {key for key in COMPOSE if key.startswith("x-")} == {
        "services",
        "volumes",
    }
    for service in SERVICES.values():
        assert strings(service.get("environment", {}).values())
        assert strings(service["logging"]["options"].values())
    json.loads(SERVICES["gateway"]["environment"]["CADASTRE_ADDRESSES"])
