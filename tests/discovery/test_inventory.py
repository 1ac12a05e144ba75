"""What a snapshot changes of what is there (DISC-6), without a database."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.discovery.inventory import Fingerprinted, difference, digest_of, fingerprint_of
from services.discovery.resource_cidr import ResourceCidr, ResourceKey, ResourceType
from services.discovery.snapshot import IpSource, Snapshot, Vpc
from shared.cidr import Cidr

VPC = ResourceCidr(
    ResourceKey(ResourceType.VPC, "vpc-1", Cidr.parse("10.0.0.0/16")),
    resource_id="vpc-1",
    owner_id="1" * 12,
    tags={"Name": "shop", "team": "net"},
    name="shop",
    vpc_id="vpc-1",
)


OTHERS = {
    "cidr": replace(VPC, key=VPC.key._replace(cidr=Cidr.parse("10.0.0.0/17"))),
    "family": replace(VPC, key=VPC.key._replace(cidr=Cidr.parse("a00::/16"))),
    "anchor": replace(VPC, key=VPC.key._replace(anchor_id="vpc-2")),
    "type": replace(VPC, key=VPC.key._replace(resource_type=ResourceType.SUBNET)),
    "id": replace(VPC, resource_id="vpc-2"),
    "owner": replace(VPC, owner_id="2" * 12),
    "tags": replace(VPC, tags={"Name": "shop"}),
    "vpc": replace(VPC, vpc_id=None),
    "subnet": replace(VPC, subnet_id="subnet-1"),
    "zone": replace(VPC, availability_zone_id="use1-az1"),
    "container": replace(VPC, container_id="vpc-1"),
    "source": replace(VPC, ip_source=IpSource.AMAZON),
    "usage": replace(VPC, ip_usage=0.5),
    "attachment": replace(VPC, is_attached=True),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_a_fingerprint_tells_every_member(other: ResourceCidr) -> None:
    assert fingerprint_of(other) != fingerprint_of(VPC)


def test_the_order_in_which_things_are_told_means_nothing() -> None:
    turned = replace(VPC, tags={"team": "net", "Name": "shop"})
    assert fingerprint_of(turned) == fingerprint_of(VPC)
    vpcs = [Vpc(f"vpc-{number}", (), {}) for number in range(2)]
    one, other = (
        Snapshot("1" * 12, "us-east-1", datetime(2026, 1, day, tzinfo=UTC), vpcs=some)
        for day, some in ((1, vpcs), (2, vpcs[::-1]))
    )
    assert digest_of(one) == digest_of(other)


PRINTS = st.dictionaries(st.integers(0, 6), st.sampled_from([b"a", b"b"]))


@given(known=PRINTS, told=PRINTS)
def test_the_difference_makes_rows_what_was_told(
    known: dict[int, bytes], told: dict[int, bytes]
) -> None:
    rows = {key: (100 + key, print_) for key, print_ in known.items()}
    changes = difference(rows, {key: Fingerprinted(key, print_) for key, print_ in told.items()})
    kept = {key: print_ for key, (row, print_) in rows.items() if row not in changes.removed}
    kept |= {one.told: one.fingerprint for one in changes.added}
    kept |= {one.told: one.fingerprint for _, one in changes.changed}
    assert kept == told
    assert changes.is_nothing == (known == told)
    assert {row for row, _ in changes.changed} <= {100 + key for key in known.keys() & told.keys()}
