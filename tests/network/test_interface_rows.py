"""Free addresses as the database finds them, on both databases, against a naive search."""

import random
from collections.abc import Callable, Collection
from dataclasses import replace
from ipaddress import IPv4Address

from services.network.resource import CidrAssociation
from services.network.service.rows import Rows
from services.network.store.store import SqlStore
from services.network.subnet import usable
from services.network.vpc import Tenancy, Vpc
from shared.cidr import Cidr
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.network.test_instance import INTERFACE
from tests.network.test_subnet import subnet

BLOCK = Cidr.parse("10.0.0.0/20")
SUBNET = subnet(1, str(BLOCK))
VPC = Vpc(
    vpc_id=SUBNET.vpc_id,
    owner_id=SUBNET.owner_id,
    region=SUBNET.region,
    instance_tenancy=Tenancy.DEFAULT,
    tags={},
    associations=(CidrAssociation("vpc-cidr-assoc-1", BLOCK),),
)


def free_when_used(used: Collection[int], whole: range) -> Callable[[Rows], list[int]]:
    """What is free of ``whole`` when interfaces have the addresses ``used``."""
    interfaces = [
        replace(
            INTERFACE,
            network_interface_id=f"eni-{number}",
            subnet_id=SUBNET.subnet_id,
            private_addresses=(IPv4Address(number),),
        )
        for number in used
    ]

    def use_case(rows: Rows) -> list[int]:
        if interfaces:
            rows.interfaces.add(interfaces)
        runs = list(rows.interfaces.free_runs(SUBNET.subnet_id, whole[0], whole[-1]))
        rows.interfaces.remove([known.network_interface_id for known in interfaces])
        return [number for run in runs for number in run]

    return use_case


async def test_free_addresses_are_those_that_are_not_used(database_url: str) -> None:
    database = Database(database_url)
    try:
        await database.run(upgrade, database, "services.network")
        store = SqlStore(database, on_change=lambda _: None)
        await store.write(lambda rows: rows.vpcs.add(VPC))
        await store.write(lambda rows: rows.subnets.add(SUBNET))
        some = usable(Cidr.parse("10.0.0.0/28"))
        cases: list[tuple[Collection[int], range]] = [
            ([], some),
            (some, some),
            (some[:1], some),
            (some[-1:], some),
            # More runs than are read at once.
            (usable(BLOCK)[1::2], usable(BLOCK)),
        ]
        rng = random.Random(5)
        cases += [(rng.sample(some, rng.randint(0, len(some))), some) for _ in range(40)]
        for used, whole in cases:
            free = await store.write(free_when_used(used, whole))
            assert free == sorted(set(whole) - set(used))
    finally:
        database.close()
