from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge, Info, Summary, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from shared.exposition import merged

NAMES = ["a", "process", "zone", "x_service", "service"]


def samples(exposition: bytes) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(exposition.decode()):
        for sample in family.samples:
            yield sample.name, dict(sample.labels), sample.value


def as_prometheus_has_it(own: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    kept = {f"exported_{name}" if name in given else name: own[name] for name in own}
    return kept | given


@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.text(alphabet=st.sampled_from('service="\\{},# \n\r\u2028a'), max_size=20)
        | st.sampled_from(['",service="', "service=", ",service=", '{service="x"}', "\\", "=", ""]),
    )
)
def test_labels_are_given_to_a_series_whatever_its_own_say(own: dict[str, str]) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("seen", "Once.", list(own), registry=registry)
    (gauge.labels(*own.values()) if own else gauge).set(7)
    given = {"service": "discovery", "process": "core"}
    [(name, labels, value)] = samples(merged([(given, generate_latest(registry))]))
    assert (name, value) == ("seen", 7)
    assert labels == as_prometheus_has_it(own, given)


def test_series_of_a_family_stand_together_under_what_was_said_first() -> None:
    def told(help_text: str) -> bytes:
        registry = CollectorRegistry()
        Summary("size", help_text, registry=registry).observe(2)
        Info("build", "Of the program.", registry=registry).info({"version": "1"})
        return generate_latest(registry)

    parts = [({"process": "core"}, told("Of a\nbatch.")), ({"process": "front"}, told("Of any."))]
    lines = [line for line in merged(parts).decode().splitlines() if "_created" not in line]
    assert lines == [
        "# HELP size Of a\\nbatch.",
        "# TYPE size summary",
        'size_count{process="core"} 1.0',
        'size_sum{process="core"} 2.0',
        'size_count{process="front"} 1.0',
        'size_sum{process="front"} 2.0',
        "# HELP build_info Of the program.",
        "# TYPE build_info gauge",
        'build_info{process="core",version="1"} 1.0',
        'build_info{process="front",version="1"} 1.0',
    ]


def test_nothing_told_is_nothing() -> None:
    assert list(samples(merged([({"process": "core"}, b"")]))) == []
