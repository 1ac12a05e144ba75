"""What is there of one source, account and region, and what a snapshot changes of it (DISC-6)."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.discovery.resource_cidr import ResourceCidr

FINGERPRINT_BYTES = 16
DIGEST_BYTES = 32

Key = TypeVar("Key")
Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Fingerprinted(Generic[Told]):
    """Something that a snapshot tells, with what all its members make."""

    told: Told
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Difference(Generic[Told]):
    """What to do to rows so that they tell what was told."""

    added: Sequence[Fingerprinted[Told]]
    changed: Sequence[tuple[int, Fingerprinted[Told]]]
    """With their rows."""
    removed: Sequence[int]
    """Rows."""

    @property
    def is_nothing(self) -> bool:
        return not (self.added or self.changed or self.removed)


def fingerprint_of(one: ResourceCidr) -> bytes:
    """The same for two records only if all their members are."""
    resource_type, anchor_id, cidr = one.key
    content = repr(
        (
            resource_type.value,
            anchor_id,
            cidr.family is cidr.family.IPV4,
            cidr.first,
            cidr.prefix_length,
            one.resource_id,
            one.owner_id,
            sorted(one.tags.items()),
            one.vpc_id,
            one.subnet_id,
            one.availability_zone_id,
            one.container_id,
            one.ip_source.value,
            one.ip_usage,
            one.is_attached,
        )
    )
    return hashlib.blake2b(content.encode(), digest_size=FINGERPRINT_BYTES).digest()


def digest_of(fingerprints: Iterable[bytes]) -> bytes:
    """The same for two snapshots only if they tell the same, in whatever order."""
    return hashlib.blake2b(b"".join(sorted(fingerprints)), digest_size=DIGEST_BYTES).digest()


def difference(
    known: Mapping[Key, tuple[int, bytes]], told: Mapping[Key, Fingerprinted[Told]]
) -> Difference[Told]:
    """What ``told`` changes of ``known``: rows and fingerprints by key."""
    added = [one for key, one in told.items() if key not in known]
    changed = [
        (row_id, one)
        for key, one in told.items()
        if (found := known.get(key))
        for row_id, fingerprint in [found]
        if fingerprint != one.fingerprint
    ]
    removed = [row_id for key, (row_id, _) in known.items() if key not in told]
    return Difference(added, changed, removed)
