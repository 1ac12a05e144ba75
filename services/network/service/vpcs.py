"""What can be done to VPCs."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from services.network.changes import ChangeKind, changes_of
from services.network.cidr_blocks import RULES, BlockSource
from services.network.errors import VpcLimitExceeded
from services.network.quotas import Quotas
from services.network.resource import CidrAssociation
from services.network.service.rows import Rows, Store
from services.network.service.undertaking import Block, Undertakings
from services.network.subnet import check_unused
from services.network.vpc import Attributes, Tenancy, Vpc
from services.network.vpc_defaults import defaults_of
from shared.caller import Caller
from shared.cidr import AddressFamily
from shared.errors import DependencyViolation
from shared.ids import VPC, VPC_CIDR_ASSOCIATION
from shared.tags import Tags

T = TypeVar("T")
VpcsAfter = Callable[[str | None], Iterator[tuple[str, Vpc]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVpc:
    """What a caller wants created."""

    ipv4: BlockSource
    ipv6: BlockSource | None
    instance_tenancy: Tenancy
    tags: Tags


class Vpcs:
    """A VPC of another account or region is answered like one that does not exist (BEY-12)."""

    def __init__(self, store: Store, undertakings: Undertakings, quotas: Quotas) -> None:
        self._store, self._undertakings, self._quotas = store, undertakings, quotas

    async def create(self, caller: Caller, wanted: NewVpc, *, dry_run: bool) -> Vpc:
        """Make a VPC, with blocks given or allocated; a refusal leaves nothing behind (VPC-1).

        Its network ACL, route table and security group are made with it.
        """
        new = Vpc(
            vpc_id=VPC.new(),
            owner_id=caller.account_id,
            region=caller.region,
            instance_tenancy=wanted.instance_tenancy,
            tags=wanted.tags,
        )
        blocks = [_block(AddressFamily.IPV4, wanted.ipv4)]
        if wanted.ipv6:
            blocks.append(_block(AddressFamily.IPV6, wanted.ipv6))

        def establish(rows: Rows, associations: tuple[CidrAssociation, ...]) -> Vpc:
            vpc = replace(new, associations=associations)
            rows.vpcs.add(vpc)
            rows.vpc_defaults.add(defaults_of(vpc))
            rows.feed.append(changes_of(vpc.holder, ChangeKind.CIDR_ASSOCIATED, associations))
            # Counted after the append, which makes this the only one to count.
            self._check_quota(rows, new, others=0)
            return vpc

        await self._store.read(lambda rows: self._check_quota(rows, new, others=1))
        return await self._undertakings.carry_out(new.holder, blocks, establish, dry_run=dry_run)

    async def describe(
        self, caller: Caller, vpc_ids: Collection[str], select: Callable[[VpcsAfter], T]
    ) -> T:
        """What ``select`` makes of the caller's VPCs, or of those with these ids.

        Raises:
            UnknownId: one of ``vpc_ids`` is none of theirs.
        """

        def use_case(rows: Rows) -> T:
            _check_known(rows, caller, vpc_ids)
            return select(lambda after: rows.vpcs.all(caller, ids=vpc_ids, after=after))

        return await self._store.read(use_case)

    async def vpc(self, caller: Caller, vpc_id: str) -> Vpc:
        return await self._store.read(lambda rows: vpc_of(rows, caller, vpc_id, lock=False))

    async def delete(self, caller: Caller, vpc_id: str, *, dry_run: bool) -> None:
        """Remove it and tell so: whoever reads the feed gives the allocations back (BEY-1).

        What was made with it goes with it.

        Raises:
            DependencyViolation: it has subnets.
        """

        def use_case(rows: Rows) -> None:
            vpc = vpc_of(rows, caller, vpc_id, lock=True)
            _check_empty(rows, vpc)
            rows.vpc_defaults.remove(vpc.vpc_id)
            rows.vpcs.remove(vpc)
            rows.feed.append(
                changes_of(vpc.holder, ChangeKind.CIDR_DISASSOCIATED, vpc.associations)
            )

        await self._store.write(use_case, dry_run=dry_run)

    async def associate(
        self, caller: Caller, vpc_id: str, family: AddressFamily, source: BlockSource
    ) -> tuple[Vpc, CidrAssociation]:
        """Give a VPC one more block; a refusal leaves nothing behind (VPC-1)."""
        quota = self._block_quota(caller, family)

        def check(rows: Rows) -> Vpc:
            vpc = vpc_of(rows, caller, vpc_id, lock=False)
            vpc.check_room(family, quota=quota)
            if source.cidr:
                vpc.check_apart(source.cidr)
            return vpc

        def establish(
            rows: Rows, associations: tuple[CidrAssociation, ...]
        ) -> tuple[Vpc, CidrAssociation]:
            [added] = associations
            vpc = vpc_of(rows, caller, vpc_id, lock=True).with_association(added, quota=quota)
            rows.blocks.add(vpc.holder, added)
            rows.feed.append(changes_of(vpc.holder, ChangeKind.CIDR_ASSOCIATED, [added]))
            return vpc, added

        vpc = await self._store.read(check)
        return await self._undertakings.carry_out(vpc.holder, [_block(family, source)], establish)

    async def disassociate(
        self, caller: Caller, association_id: str
    ) -> tuple[Vpc, CidrAssociation]:
        """Take a block from its VPC, and tell so.

        Raises:
            CidrBlockInUse: a subnet lies in it.
        """

        def use_case(rows: Rows) -> tuple[Vpc, CidrAssociation]:
            vpc_id = rows.vpcs.with_association(caller, association_id)
            vpc = rows.vpcs.get(caller, vpc_id, lock=True) if vpc_id else None
            if vpc is None:
                raise VPC_CIDR_ASSOCIATION.unknown(association_id)
            removed = vpc.check_removable(association_id)
            check_unused(removed.cidr, vpc, rows.subnets.in_vpc(vpc.vpc_id))
            rows.blocks.remove([association_id])
            rows.feed.append(changes_of(vpc.holder, ChangeKind.CIDR_DISASSOCIATED, [removed]))
            return vpc, removed

        return await self._store.write(use_case)

    async def change_attributes(
        self, caller: Caller, vpc_id: str, change: Callable[[Attributes], Attributes]
    ) -> None:
        def use_case(rows: Rows) -> None:
            vpc = vpc_of(rows, caller, vpc_id, lock=True)
            rows.vpcs.save(replace(vpc, attributes=change(vpc.attributes)))

        await self._store.write(use_case)

    def _check_quota(self, rows: Rows, vpc: Vpc, *, others: int) -> None:
        quota = self._quotas.vpcs_per_region.of(vpc.owner_id)
        count = rows.vpcs.count(vpc.owner_id, vpc.region) + others
        if count > quota:
            # Counted with the new one.
            raise VpcLimitExceeded(vpc.owner_id, vpc.region, count - 1, quota)

    def _block_quota(self, caller: Caller, family: AddressFamily) -> int:
        quotas = {
            AddressFamily.IPV4: self._quotas.ipv4_cidr_blocks_per_vpc,
            AddressFamily.IPV6: self._quotas.ipv6_cidr_blocks_per_vpc,
        }
        return quotas[family].of(caller.account_id)


def _block(family: AddressFamily, source: BlockSource) -> Block:
    return Block(VPC_CIDR_ASSOCIATION.new(), source, RULES[family].check)


def vpc_of(rows: Rows, caller: Caller, vpc_id: str, *, lock: bool) -> Vpc:
    vpc = rows.vpcs.get(caller, vpc_id, lock=lock)
    if vpc is None:
        raise VPC.unknown(vpc_id)
    return vpc


def _check_empty(rows: Rows, vpc: Vpc) -> None:
    if rows.subnets.in_vpc(vpc.vpc_id):
        raise DependencyViolation(
            f"The vpc '{vpc.vpc_id}' has dependencies and cannot be deleted: delete its subnets"
            " first",
            vpc_id=vpc.vpc_id,
        )


def _check_known(rows: Rows, caller: Caller, vpc_ids: Collection[str]) -> None:
    if not vpc_ids:
        return
    known = {vpc.vpc_id for _, vpc in rows.vpcs.all(caller, ids=vpc_ids, after=None)}
    for vpc_id in vpc_ids:
        if vpc_id not in known:
            raise VPC.unknown(vpc_id)
