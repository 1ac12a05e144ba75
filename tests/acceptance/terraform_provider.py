"""What Terraform's AWS provider does around its resources, as far as its source code tells.

Its waiters poll at once here, not after seconds, so they see more states than Terraform would.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import pytest
from botocore.exceptions import ClientError

from tests.acceptance.installation import Installation

WAIT_SECONDS = 20
POLL_SECONDS = 0.02

Attributes = dict[str, Any]


class NotFound(Exception):
    """The provider takes it for gone."""


@contextmanager
def not_found(*codes: str) -> Iterator[None]:
    """What is refused with one of ``codes`` does not exist."""
    try:
        yield
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] in codes:
            raise NotFound from refusal
        raise


def single(records: Sequence[Any]) -> Any:
    """The only record; more than one is an error for the provider."""
    if not records:
        raise NotFound
    assert len(records) == 1, f"too many results: {records}"
    return records[0]


def wait_for_state(
    refresh: Callable[[], Any], *, pending: Collection[str], target: Collection[str]
) -> Any:
    """Poll until the state is one of ``target``; without any, until nothing is found.

    States that are neither are errors for the provider.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    state = None
    while time.monotonic() < deadline:
        try:
            found = refresh()
        except NotFound:
            if not target:
                return None
        else:
            state = found["State"]
            if state in target:
                return found
            assert state in pending, f"unexpected state '{state}', wanted target '{target}'"
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"timeout while waiting for {target}; last state '{state}'")


def wait_until_not_found(find: Callable[[], Any]) -> None:
    """Poll until nothing is found, whatever it was before."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        try:
            find()
        except NotFound:
            return
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"found still after {WAIT_SECONDS} s")


def specified(resource_type: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """Tags of what is created; the provider leaves the member out when there are none."""
    if not tags:
        return []
    return [{"ResourceType": resource_type, "Tags": tag_list(tags)}]


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tags_of(record: Mapping[str, Any], member: str = "Tags") -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in record.get(member, [])}


def filters(**values: str) -> list[dict[str, Any]]:
    return [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in values.items()]


@dataclass(frozen=True)
class Provider:
    """One ``provider "aws"`` block."""

    cadastre: Installation
    profile: str
    region: str

    @property
    def ec2(self) -> Any:
        return self._client("ec2")

    @property
    def organizations(self) -> Any:
        return self._client("organizations")

    @property
    def sts(self) -> Any:
        return self._client("sts")

    def pages(self, operation: str, member: str, **request: Any) -> list[Any]:
        """Everything that an EC2 list tells; what is gone between two pages is no matter here."""
        answer = getattr(self.ec2, operation)(**request)
        found = list(answer[member])
        while token := answer.get("NextToken"):
            answer = getattr(self.ec2, operation)(**request, NextToken=token)
            found += answer[member]
        return found

    def update_tags(self, resource_id: str, before: Attributes, after: Attributes) -> None:
        """As every taggable resource does it, removals first."""
        old, new = before.get("tags", {}), after.get("tags", {})
        removed = {key: value for key, value in old.items() if key not in new}
        changed = {key: value for key, value in new.items() if old.get(key) != value}
        if removed:
            self.ec2.delete_tags(Resources=[resource_id], Tags=tag_list(removed))
        if changed:
            self.ec2.create_tags(Resources=[resource_id], Tags=tag_list(changed))

    def _client(self, service: str) -> Any:
        key = (id(self.cadastre), self.profile, self.region, service)
        if key not in _clients:
            _clients[key] = self.cadastre.client(self.profile, self.region, service=service)
        return _clients[key]


_clients: dict[tuple[int, str, str, str], Any] = {}
"""Making one takes longer than most requests."""


class Resource(Protocol):
    """A type of resource. ``state`` are the attributes of its last read, and its arguments."""

    defaults: ClassVar[Mapping[str, Any]]
    """Arguments that the schema gives when the configuration doesn't."""
    unread: ClassVar[Collection[str]]
    """Arguments that are kept as they were given, as nothing tells of them."""

    def create(self, config: Attributes) -> str:
        """With its waiters; the id."""

    def read(self, resource_id: str, state: Attributes) -> Attributes:
        """Raises NotFound."""

    def update(self, resource_id: str, state: Attributes, config: Attributes) -> None: ...

    def delete(self, resource_id: str, state: Attributes) -> None:
        """With its waiters; also of what is gone already."""


class DeletedOnce:
    """A resource whose deletion the provider can't repeat."""


@dataclass
class Applied:
    """A resource in Terraform's state."""

    resource: Resource
    id: str
    config: Attributes
    state: Attributes = field(default_factory=dict)

    def __getitem__(self, attribute: str) -> Any:
        return self.state[attribute]

    def plan(self) -> None:
        """Refresh the state: there is no difference to it, nor to the configuration."""
        before = self.state
        self.state = self._read(before)
        if before:
            assert before == self.state
        for argument in self.config.keys() - set(self.resource.unread):
            assert self.state[argument] == self.config[argument], argument

    def update(self, **arguments: Any) -> None:
        """Change arguments in place; None removes one. Then there is no difference."""
        changed = {**self.config, **arguments}
        config = {key: value for key, value in changed.items() if value is not None}
        config = {**self.resource.defaults, **config}
        self.resource.update(self.id, self.state, config)
        self.config, self.state = config, {}
        self.plan()
        self.plan()

    def check_import(self) -> None:
        """``terraform import``: all that can be read is read by the id alone."""
        unread = set(self.resource.unread)
        imported = self.resource.read(self.id, {})
        assert {key: imported[key] for key in imported if key not in unread} == {
            key: self.state[key] for key in imported if key not in unread
        }

    def destroy(self) -> None:
        """Delete it, and once more: what somebody else deleted meanwhile is no error."""
        self.resource.delete(self.id, self.state)
        with pytest.raises(NotFound):
            self._read(self.state)
        if not isinstance(self.resource, DeletedOnce):
            self.resource.delete(self.id, self.state)

    def _read(self, state: Attributes) -> Attributes:
        return {**self.config, **self.resource.read(self.id, {**self.config, **state})}


def apply(resource: Resource, **arguments: Any) -> Applied:
    """Create it, read it, and plan again: no difference."""
    config = {**resource.defaults, **arguments}
    applied = Applied(resource, resource.create(config), config)
    applied.plan()
    applied.plan()
    return applied
