"""Our own series of address space."""

from collections.abc import Sequence
from dataclasses import replace

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.parser import text_string_to_metric_families

from services.metrics.own_series import own_families, resource_families
from services.metrics.rendering import render, render_resources
from tests.metrics.figures_world import FIGURES, QUARTER_ALLOCATED, UTILIZATIONS


def lines(families: Sequence[GaugeMetricFamily | CounterMetricFamily], name: str) -> set[str]:
    """Each series as its label values and its value."""
    return {
        f"{' '.join(sample.labels.values())} = {sample.value:g}"
        for family in families
        if family.name == name
        for sample in family.samples
    }


def test_an_ipam_tells_its_tier_while_it_is_listed() -> None:  # BEY-11
    free = replace(FIGURES, ipam=replace(FIGURES.ipam, ipam_id="ipam-2", is_free_tier=True))
    unlisted = replace(FIGURES, is_listed=False)
    assert lines(own_families([FIGURES, free]), "cadastre_ipam_info") == {
        "ipam-1 111111111111 us-east-1 advanced = 1",
        "ipam-2 111111111111 us-east-1 free = 1",
    }
    assert lines(own_families([unlisted]), "cadastre_ipam_info") == set()


def test_pools_tell_absolute_counts_and_how_free_space_lies() -> None:  # BEY-11
    families = own_families([FIGURES])
    of_pool = {
        family.name.removeprefix("cadastre_ipam_pool_"): sample.value
        for family in families
        for sample in family.samples
        if sample.labels.get("ipam_pool_id") == "pool-4"
    }
    assert of_pool == {
        "addresses": 65536,
        "allocated_addresses": 16384,
        "assigned_addresses": 8192,
        "free_addresses": 40000,
        "allocations": 9,
        "cidrs": 1,
        "free_blocks": 5,
        "largest_free_block_addresses": 32768,
        "fragmentation_ratio": 7232 / 40000,
    }
    assert lines(families, "cadastre_ipam_pool_fragmentation_ratio") >= {
        "ipam-1 pub pool-6 ipv6 us-east-1 = 0"
    }


def test_counts_of_addresses_and_resource_cidrs_are_told_by_what_they_are() -> None:  # BEY-11
    families = own_families([FIGURES])
    assert lines(families, "cadastre_ipam_active_ip_addresses") == {
        "ipam-1 111111111111 = 10",
        "ipam-1 222222222222 = 32",
    }
    assert lines(families, "cadastre_ipam_public_ip_addresses") >= {
        "ipam-1 us-west-2 amazon-owned-contig associated = 2",
        "ipam-1 us-east-1 byoip disassociated = 3",
    }
    cidrs = lines(families, "cadastre_ipam_resource_cidrs")
    assert "ipam-1 priv ipv4 vpc managed noncompliant overlapping = 1" in cidrs
    assert "ipam-1 priv ipv4 subnet    = 7" in cidrs


def test_active_ip_hours_are_a_counter_of_each_ipam() -> None:  # ACC-3
    assert FIGURES.monitored is not None
    metered = replace(FIGURES, monitored=replace(FIGURES.monitored, active_ip_hours=18.25))
    families = own_families([metered, replace(FIGURES, monitored=None)])
    assert lines(families, "cadastre_ipam_active_ip_hours") == {"ipam-1 = 18.25"}
    [family] = [one for one in families if one.name == "cadastre_ipam_active_ip_hours"]
    assert [sample.name for sample in family.samples] == ["cadastre_ipam_active_ip_hours_total"]


def test_cidrs_of_several_pools_are_counted_together() -> None:
    assert FIGURES.monitored is not None
    first = FIGURES.monitored.resource_cidrs[0]
    monitored = replace(
        FIGURES.monitored, resource_cidrs=[first, replace(first, pool_id="pool-5", count=4)]
    )
    families = own_families([replace(FIGURES, monitored=monitored)])
    assert lines(families, "cadastre_ipam_resource_cidrs") == {
        "ipam-1 priv ipv4 vpc managed compliant nonoverlapping = 7"
    }


def test_every_resource_tells_its_usage_and_size() -> None:  # BEY-11
    families = resource_families(UTILIZATIONS)
    assert lines(families, "cadastre_ipam_resource_ip_usage_ratio") >= {
        "priv vpc vpc-1 vpc-1 222222222222 us-west-2 ipv4 shop = 0.5",
        "priv subnet sub-1 vpc-1 222222222222 us-west-2 ipv4  = 0.75",
    }
    assert f"pub vpc vpc-1 vpc-1 222222222222 us-west-2 ipv6  = {1 << 72:g}" in lines(
        families, "cadastre_ipam_resource_addresses"
    )


def test_texts_can_be_read_whatever_people_call_things() -> None:
    text = render_resources([UTILIZATIONS[0]._replace(name='a "b"\n\\ 서울')]).decode()
    names = {
        sample.labels["name"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert names == {'a "b"\n\\ 서울'}


def test_what_is_not_known_is_left_out_of_the_text() -> None:
    nothing = replace(FIGURES, is_listed=False, pools=None, monitored=None)
    series, text = render([nothing], "yace")
    assert series == []
    assert all(line.startswith("#") for line in text.decode().splitlines())


def test_sizes_of_ipv6_pools_are_told_as_they_are() -> None:
    huge = replace(QUARTER_ALLOCATED, addresses=1 << 100)
    families = own_families([replace(FIGURES, pools=[huge])])
    assert {
        sample.value
        for family in families
        if family.name == "cadastre_ipam_pool_addresses"
        for sample in family.samples
    } == {float(1 << 100)}
