"""What can be done to instances."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import IPv4Address
from typing import TypeVar

from services.network.errors import InsufficientFreeAddresses
from services.network.instance import SHOWN_AFTER_TERMINATION, Instance
from services.network.interface import NetworkInterface
from services.network.interface_addresses import WantedAddresses
from services.network.launch import Device, ExistingDevice, Launch, NewDevice
from services.network.service.interfaces import (
    AssociatedInterface,
    NewInterface,
    SubnetSpace,
    instance_of,
    interface_of,
    new_attachment,
    new_interface,
    with_elastic_ips,
)
from services.network.service.news import tell_of_changed
from services.network.service.once import Answer, write_once
from services.network.service.rows import Rows, Store
from services.network.service.subnets import subnet_of
from services.network.service.token_rows import Once
from shared.caller import Caller
from shared.ids import INSTANCE, RESERVATION
from shared.tags import Tags

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AttachedInstance:
    """An instance with its interfaces, the primary one first; a terminated one has none."""

    instance: Instance
    interfaces: Sequence[AssociatedInterface]


@dataclass(frozen=True, slots=True)
class Termination:
    """An instance before and after it was to be terminated."""

    before: Instance
    after: Instance


InstancesAfter = Callable[[str | None], Iterator[tuple[str, AttachedInstance]]]


class Instances:
    """One of another account or region is answered like one that does not exist (BEY-12)."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock

    async def run(
        self,
        caller: Caller,
        wanted: Launch,
        answer: Callable[[Sequence[AttachedInstance]], Answer],
        *,
        once: Once,
        dry_run: bool,
    ) -> bytes:
        """Start as many as the subnets have addresses for, up to the most that are wanted.

        Answered is, serialized, what the request's first coming started (ALLOC-7).

        Raises:
            InsufficientFreeAddresses: they have too few for the fewest that are wanted.
            InterfaceInUse: an interface to be attached is attached already.
        """

        def use_case(rows: Rows) -> Sequence[AttachedInstance]:
            started = _Launching(rows, caller, wanted, self._clock()).start()
            _tell_of_interfaces(rows, [one for each in started for one in each.interfaces])
            return started

        return await write_once(self._store, use_case, answer, once=once, dry_run=dry_run)

    async def describe(
        self, caller: Caller, instance_ids: Collection[str], select: Callable[[InstancesAfter], T]
    ) -> T:
        """What ``select`` makes of the caller's instances, or of those with these ids.

        Raises:
            UnknownId: one of the ids is none of theirs, or was terminated long ago.
        """
        since = self._clock() - SHOWN_AFTER_TERMINATION

        def use_case(rows: Rows) -> T:
            _check_known(rows, caller, instance_ids, since)
            return select(lambda after: _attached(rows, caller, instance_ids, since, after))

        return await self._store.read(use_case)

    async def terminate(
        self, caller: Caller, instance_ids: Sequence[str], *, dry_run: bool
    ) -> list[Termination]:
        """Terminate all of them or none; interfaces made with them go, others are detached.

        An elastic IP address stays with an interface that stays, and otherwise stays alone.

        Raises:
            UnknownId: one of the ids is none of the caller's.
        """
        now = self._clock()

        def use_case(rows: Rows) -> list[Termination]:
            ended = {}
            for instance_id in sorted(set(instance_ids)):
                before = instance_of(rows, caller, instance_id)
                ended[instance_id] = Termination(before, before.terminated(now))
            attached = rows.interfaces.of_instances(list(ended), lock=True)
            interfaces = [one for some in attached.values() for one in some]
            moved = with_elastic_ips(rows, interfaces)
            _let_go(rows, interfaces)
            for termination in ended.values():
                rows.instances.save(termination.after)
            rows.instances.forget_terminated(now - SHOWN_AFTER_TERMINATION)
            _tell_of_interfaces(rows, moved)
            return [ended[instance_id] for instance_id in dict.fromkeys(instance_ids)]

        return await self._store.write(use_case, dry_run=dry_run)


class _Launching:
    """One RunInstances in its transaction; all that it needs is locked from the beginning."""

    def __init__(self, rows: Rows, caller: Caller, wanted: Launch, now: datetime) -> None:
        self._rows, self._caller, self._wanted, self._now = rows, caller, wanted, now
        self._subnets = {
            subnet_id: subnet_of(rows, caller, subnet_id, lock=True)
            for subnet_id in wanted.subnet_ids
        }
        self._existing = {
            interface_id: interface_of(rows, caller, interface_id)
            for interface_id in wanted.network_interface_ids
        }
        self._spaces = {
            subnet_id: SubnetSpace(rows, subnet, wanted.given_addresses(subnet_id))
            for subnet_id, subnet in self._subnets.items()
        }

    def start(self) -> list[AttachedInstance]:
        zone = self._wanted.zone(
            [
                *(subnet.availability_zone for subnet in self._subnets.values()),
                *(interface.availability_zone for interface in self._existing.values()),
            ]
        )
        free = {subnet_id: self._free(subnet_id) for subnet_id in self._subnets}
        chosen = {subnet_id: iter(addresses) for subnet_id, addresses in free.items()}
        reservation_id = RESERVATION.new()
        instances = [
            self._instance(reservation_id, launch_index, zone)
            for launch_index in range(self._count(free))
        ]
        interfaces = [
            [self._interface(instance, device, chosen) for device in self._wanted.devices]
            for instance in instances
        ]
        self._save(instances, [one for some in interfaces for one in some])
        elastic_ips = self._rows.addresses.of_interfaces(list(self._existing))
        return [
            AttachedInstance(
                instance,
                [
                    AssociatedInterface(one, elastic_ips.get(one.network_interface_id, ()))
                    for one in attached
                ],
            )
            for instance, attached in zip(instances, interfaces, strict=True)
        ]

    def _free(self, subnet_id: str) -> list[IPv4Address]:
        """As many addresses as can be needed, or all that are free."""
        per_instance = self._wanted.addresses_to_choose(subnet_id)
        return self._spaces[subnet_id].at_most(per_instance * self._wanted.max_count)

    def _count(self, free: Mapping[str, Sequence[IPv4Address]]) -> int:
        """How many are started."""
        count = self._wanted.max_count
        for subnet_id, addresses in free.items():
            if per_instance := self._wanted.addresses_to_choose(subnet_id):
                needed = per_instance * self._wanted.min_count
                if len(addresses) < needed:
                    raise InsufficientFreeAddresses(subnet_id, needed, len(addresses))
                count = min(count, len(addresses) // per_instance)
        return count

    def _instance(self, reservation_id: str, launch_index: int, zone: str) -> Instance:
        wanted = self._wanted
        return Instance(
            instance_id=INSTANCE.new(),
            reservation_id=reservation_id,
            owner_id=self._caller.account_id,
            region=self._caller.region,
            availability_zone=zone,
            image_id=wanted.image_id,
            instance_type=wanted.instance_type,
            key_name=wanted.key_name,
            launch_index=launch_index,
            launched_at=self._now,
            client_token=wanted.client_token,
            terminated_at=None,
            tags=wanted.tags,
        )

    def _interface(
        self, instance: Instance, device: Device, chosen: Mapping[str, Iterator[IPv4Address]]
    ) -> NetworkInterface:
        attachment = new_attachment(
            instance.instance_id,
            device.device_index,
            self._now,
            delete_on_termination=device.delete_on_termination,
        )
        if isinstance(device, ExistingDevice):
            attached = self._existing[device.network_interface_id].attached(attachment)
            # Kept, so that a second device of the same interface is refused.
            self._existing[device.network_interface_id] = attached
            return attached
        subnet = self._subnets[device.subnet_id]
        return new_interface(
            subnet,
            _wanted_interface(device, self._wanted.interface_tags),
            self._spaces[device.subnet_id],
            [] if device.private_address else [next(chosen[device.subnet_id])],
            attachment,
        )

    def _save(self, instances: Sequence[Instance], interfaces: Sequence[NetworkInterface]) -> None:
        self._rows.instances.add(instances)
        new = [one for one in interfaces if one.network_interface_id not in self._existing]
        if new:
            self._rows.interfaces.add(new)
        for interface in self._existing.values():
            self._rows.interfaces.save(interface)


def _wanted_interface(device: NewDevice, tags: Tags) -> NewInterface:
    return NewInterface(
        subnet_id=device.subnet_id,
        description=device.description,
        groups=device.groups,
        addresses=WantedAddresses(primary=device.private_address),
        tags=tags,
    )


def _let_go(rows: Rows, interfaces: Sequence[NetworkInterface]) -> None:
    """Of what was attached to an instance that is terminated: remove it, or detach it."""
    going = [one for one in interfaces if one.goes_with_its_instance]
    going_ids = [one.network_interface_id for one in going]
    rows.addresses.end_associations(going_ids)
    rows.interfaces.remove(going_ids)
    for interface in interfaces:
        if interface not in going:
            rows.interfaces.save(replace(interface, attachment=None))


def _tell_of_interfaces(rows: Rows, moved: Iterable[AssociatedInterface]) -> None:
    tell_of_changed(rows, [holder for one in moved for holder in one.holders])


def _attached(
    rows: Rows,
    caller: Caller,
    instance_ids: Collection[str],
    since: datetime,
    after: str | None,
) -> Iterator[tuple[str, AttachedInstance]]:
    for some in rows.instances.all(caller, ids=instance_ids, after=after):
        shown = [(key, instance) for key, instance in some if instance.is_shown(since)]
        attached = rows.interfaces.of_instances(
            [instance.instance_id for _, instance in shown], lock=False
        )
        every = [one for interfaces in attached.values() for one in interfaces]
        associated = {
            one.interface.network_interface_id: one for one in with_elastic_ips(rows, every)
        }
        for key, instance in shown:
            interfaces = attached.get(instance.instance_id, ())
            yield (
                key,
                AttachedInstance(
                    instance, [associated[one.network_interface_id] for one in interfaces]
                ),
            )


def _check_known(
    rows: Rows, caller: Caller, instance_ids: Collection[str], since: datetime
) -> None:
    if not instance_ids:
        return
    every = rows.instances.all(caller, ids=instance_ids, after=None)
    known = {
        instance.instance_id for some in every for _, instance in some if instance.is_shown(since)
    }
    for instance_id in instance_ids:
        if instance_id not in known:
            raise INSTANCE.unknown(instance_id)
