"""What the use cases need of the database.

Locks are taken in this order: client tokens, pending blocks, VPCs, subnets, instances, interfaces,
public IPv4 pools, addresses, prefix lists, VPCs' defaults, the feed; of one kind in the order of
ids.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from services.network.service.address_rows import AddressRows, AddressTransferRows
from services.network.service.block_rows import BlockRows
from services.network.service.feed_rows import FeedRows
from services.network.service.instance_rows import InstanceRows
from services.network.service.interface_rows import InterfaceRows
from services.network.service.prefix_list_rows import PrefixListRows
from services.network.service.public_ipv4_pool_rows import PublicIpv4PoolRows
from services.network.service.subnet_rows import SubnetRows
from services.network.service.token_rows import TokenRows
from services.network.service.vpc_default_rows import VpcDefaultRows
from services.network.service.vpc_rows import VpcRows

T = TypeVar("T")


class Rows(Protocol):
    """The rows of one transaction."""

    @property
    def vpcs(self) -> VpcRows: ...

    @property
    def vpc_defaults(self) -> VpcDefaultRows: ...

    @property
    def subnets(self) -> SubnetRows: ...

    @property
    def instances(self) -> InstanceRows: ...

    @property
    def interfaces(self) -> InterfaceRows: ...

    @property
    def public_ipv4_pools(self) -> PublicIpv4PoolRows: ...

    @property
    def addresses(self) -> AddressRows: ...

    @property
    def address_transfers(self) -> AddressTransferRows: ...

    @property
    def prefix_lists(self) -> PrefixListRows: ...

    @property
    def blocks(self) -> BlockRows: ...

    @property
    def tokens(self) -> TokenRows: ...

    @property
    def feed(self) -> FeedRows: ...


class Store(Protocol):
    """Runs use cases, each in one transaction."""

    async def read(self, use_case: Callable[[Rows], T]) -> T:
        """In one consistent snapshot."""

    async def write(self, use_case: Callable[[Rows], T], *, dry_run: bool = False) -> T:
        """Commit what it did; with ``dry_run`` undo it and raise DryRunOperation."""
