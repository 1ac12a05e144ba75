from collections.abc import Mapping

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.metrics.exposition import Answer
from services.metrics.exposition import merge as merge_answers


def merge(expositions: Mapping[str, bytes | None]) -> bytes:
    """Of services with one replica each."""
    return merge_answers([Answer(service, told) for service, told in expositions.items()])


def exposition(**counts: int) -> bytes:
    """What a service with these request counts, by method, tells."""
    registry = CollectorRegistry()
    requests = Counter("rpc_requests_total", "RPCs answered.", ["method"], registry=registry)
    duration = Histogram("rpc_seconds", "Time.", ["method"], buckets=[1], registry=registry)
    for method, count in counts.items():
        requests.labels(method).inc(count)
        duration.labels(method).observe(0.5)
    return generate_latest(registry)


def series(merged: bytes) -> Mapping[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(merged.decode())
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_each_series_is_labelled_with_its_service() -> None:
    merged = series(merge({"allocation": exposition(Allocate=3), "network": exposition(Create=1)}))
    assert merged[key("rpc_requests_total", service="allocation", method="Allocate")] == 3
    assert merged[key("rpc_requests_total", service="network", method="Create")] == 1
    assert merged[key("rpc_seconds_bucket", service="network", method="Create", le="1.0")] == 1
    assert merged[key("rpc_seconds_count", service="network", method="Create")] == 1


def test_a_family_is_introduced_once() -> None:
    text = merge({"allocation": exposition(A=1), "network": exposition(B=1)}).decode()
    for name, kind in (("rpc_requests_total", "counter"), ("rpc_seconds", "histogram")):
        assert text.count(f"# HELP {name} ") == 1
        assert text.count(f"# TYPE {name} {kind}\n") == 1


def test_who_does_not_answer_is_down_and_the_others_figures_are_there() -> None:
    merged = series(merge({"allocation": None, "network": exposition(Create=1)}))
    assert merged[key("cadastre_service_up", service="allocation")] == 0
    assert merged[key("cadastre_service_up", service="network")] == 1
    assert merged[key("rpc_requests_total", service="network", method="Create")] == 1


def test_a_services_own_service_label_is_kept_under_another_name() -> None:
    registry = CollectorRegistry()
    Gauge("in_flight", "RPCs under way.", ["service"], registry=registry).labels("a.b.C").set(2)
    merged = series(merge({"network": generate_latest(registry)}))
    assert merged[key("in_flight", service="network", exported_service="a.b.C")] == 2


def test_services_that_disagree_about_a_type_spoil_nothing() -> None:
    counter, gauge = CollectorRegistry(), CollectorRegistry()
    Histogram("pool_size", "As a histogram.", registry=counter).observe(1)
    Gauge("pool_size", "As a gauge.", registry=gauge).set(7)
    merged = merge({"allocation": generate_latest(counter), "network": generate_latest(gauge)})
    assert "# TYPE pool_size untyped\n" in merged.decode()
    assert series(merged)[key("pool_size", service="network")] == 7


@pytest.mark.parametrize("value", ['quote " inside', "line\nbreak", "back\\slash", "유니코드"])
def test_label_values_survive(value: str) -> None:
    registry = CollectorRegistry()
    Gauge("info", "Anything.", ["text"], registry=registry).labels(value).set(1)
    merged = series(merge({"network": generate_latest(registry)}))
    assert merged[key("info", service="network", text=value)] == 1


def test_replicas_of_a_service_are_told_apart() -> None:
    answers = [
        Answer("allocation", exposition(Allocate=3), "10.0.0.2:4502"),
        Answer("allocation", exposition(Allocate=4), "10.0.0.3:4502"),
        Answer("allocation", None, "10.0.0.4:4502"),
    ]
    merged = series(merge_answers(answers))
    for replica, requests, is_up in (("2", 3, 1), ("3", 4, 1), ("4", None, 0)):
        labels = {"service": "allocation", "replica": f"10.0.0.{replica}:4502"}
        assert merged.get(key("rpc_requests_total", method="Allocate", **labels)) == requests
        assert merged[key("cadastre_service_up", **labels)] == is_up
