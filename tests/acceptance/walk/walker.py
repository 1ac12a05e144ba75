"""Who walks: clients of the guide's accounts, all listened to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.acceptance.command_lines import HOME, IPAM, IPAM_ID, LOCALE
from tests.acceptance.installation import Installation
from tests.acceptance.walk.recorder import Recorder
from tests.waiting import wait_until

_PERMISSIONS = ("AWSRAMDefaultPermissionsIpamPool", "AWSRAMPermissionIpamPoolByoipCidrImport")


@dataclass
class Walker:
    """Asks an installation, and remembers what it made by name."""

    cadastre: Installation
    recorder: Recorder = field(default_factory=Recorder)
    made: dict[str, Any] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _unheard: dict[str, Any] = field(default_factory=dict)

    def client(self, profile: str = IPAM, region: str = HOME) -> Any:
        """One boto3 EC2 client for each profile and region."""
        key = (profile, region)
        if key not in self._clients:
            self._clients[key] = self.recorder.listen_to(self.cadastre.client(profile, region))
        return self._clients[key]

    def unheard(self, region: str) -> Any:
        """The IPAM's administrator, for what is no part of the walk."""
        if region not in self._unheard:
            self._unheard[region] = self.cadastre.client(IPAM, region)
        return self._unheard[region]

    def share(self, pool_id: str, account_id: str) -> None:
        """Let an account allocate from a pool, and move its ranges to it."""
        for permission in _PERMISSIONS:
            self.cadastre.client(IPAM, HOME, service="ram").create_resource_share(
                name=permission,
                resourceArns=[f"arn:aws:ec2::{IPAM_ID}:ipam-pool/{pool_id}"],
                principals=[account_id],
                permissionArns=[f"arn:aws:ram::aws:permission/{permission}"],
            )

    @property
    def home(self) -> Any:
        """The IPAM's administrator in its home region."""
        return self.client()

    @property
    def away(self) -> Any:
        """The same in the pools' locale."""
        return self.client(region=LOCALE)


def settled(
    ask: Callable[[], Mapping[str, Any]], *states: str, having: Callable[[Any], bool] | None = None
) -> Any:
    """The only record that ``ask`` lists, once it is in one of the states."""

    def only() -> Any:
        [record] = _records(ask())
        fits = record["State"] in states and (having is None or having(record))
        return record if fits else None

    return wait_until(only)


def gone(ask: Callable[[], Mapping[str, Any]]) -> None:
    """Wait until ``ask`` lists nothing any more."""
    wait_until(lambda: not _records(ask()))


def tags(resource_type: str, name: str) -> list[Any]:
    """A tag specification."""
    return [{"ResourceType": resource_type, "Tags": [{"Key": "Name", "Value": name}]}]


def _records(answer: Mapping[str, Any]) -> Sequence[Any]:
    [records] = [value for value in answer.values() if isinstance(value, list)]
    return records
