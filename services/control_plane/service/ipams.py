"""What can be done to an IPAM."""

from dataclasses import replace
from datetime import datetime

from services.control_plane.errors import IpamLimitExceeded, StillInUse
from services.control_plane.ipam import (
    Ipam,
    IpamChange,
    NewIpam,
    Tier,
    changed,
    check_fits_free,
    check_locales_remain,
)
from services.control_plane.lifecycle import State
from services.control_plane.metering import MeteredAccount, Metering, check_may_distribute
from services.control_plane.quotas import Quotas
from services.control_plane.regions import operating_regions
from services.control_plane.resource_discoveries.association import default_association
from services.control_plane.resource_discoveries.resource_discovery import (
    default_resource_discovery,
    following,
)
from services.control_plane.scope import Scope, ScopeType
from services.control_plane.service.delegation import held_administered_organization
from services.control_plane.service.holding import hold_ipam
from services.control_plane.service.identity.roles import give_role_to_account
from services.control_plane.service.resource_discoveries import settling_discovery
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep, StepKind
from shared.caller import Caller
from shared.ids import (
    IPAM,
    IPAM_RESOURCE_DISCOVERY,
    IPAM_RESOURCE_DISCOVERY_ASSOCIATION,
    IPAM_SCOPE,
)


def create_ipam(
    rows: Rows, caller: Caller, wanted: NewIpam, quotas: Quotas, now: datetime
) -> Accepted[Ipam]:
    """Make an IPAM with all that comes with it (IPAM-1)."""
    administers_ipam = _administers_ipam(rows, caller, wanted.metered_account)
    if rows.ipam_in(caller.account_id, caller.region, lock=True):
        raise IpamLimitExceeded(caller.account_id, caller.region)
    ipam_id = IPAM.new()
    ipam = Ipam(
        ipam_id=ipam_id,
        owner_id=caller.account_id,
        region=caller.region,
        description=wanted.description,
        operating_regions=operating_regions(caller.region, wanted.operating_regions),
        tier=wanted.tier,
        enable_private_gua=wanted.enable_private_gua,
        metering=Metering().changed(
            wanted.metered_account, ipam_id=ipam_id, administers_ipam=administers_ipam, now=now
        ),
        public_default_scope_id=IPAM_SCOPE.new(),
        private_default_scope_id=IPAM_SCOPE.new(),
        default_resource_discovery_id=IPAM_RESOURCE_DISCOVERY.new(),
        default_resource_discovery_association_id=IPAM_RESOURCE_DISCOVERY_ASSOCIATION.new(),
        tags=wanted.tags,
        cidr_quota=quotas.cidrs_per_pool.of(caller.account_id),
        amazon_block_quotas=quotas.amazon_blocks_of(caller.account_id),
    )
    rows.add_ipam(ipam)
    for scope in default_scopes(ipam):
        rows.add_scope(scope)
    rows.discoveries.add_discovery(default_resource_discovery(ipam))
    rows.discoveries.add_association(default_association(ipam))
    give_role_to_account(rows, ipam.owner_id)
    return Accepted(ipam, (NextStep(StepKind.SETTLE_IPAM, ipam.ipam_id, ipam.version),))


def default_scopes(ipam: Ipam) -> list[Scope]:
    """The scopes an IPAM is made with, complete as soon as it is there."""
    by_type = {
        ScopeType.PUBLIC: ipam.public_default_scope_id,
        ScopeType.PRIVATE: ipam.private_default_scope_id,
    }
    return [
        Scope(
            ipam_scope_id=ipam_scope_id,
            ipam_id=ipam.ipam_id,
            owner_id=ipam.owner_id,
            ipam_region=ipam.region,
            scope_type=scope_type,
            is_default=True,
            description=None,
            tags={},
            state=State.CREATE_COMPLETE,
        )
        for scope_type, ipam_scope_id in by_type.items()
    ]


def modify_ipam(
    rows: Rows, caller: Caller, ipam_id: str, change: IpamChange, now: datetime
) -> Accepted[Ipam]:
    """Change an IPAM's own members; the ledger hears of what concerns it."""
    administers_ipam = _administers_ipam(rows, caller, change.metered_account)
    before = hold_ipam(rows, caller, ipam_id)
    after = changed(before, change)
    if change.metered_account:
        metering = before.metering.changed(
            change.metered_account, ipam_id=ipam_id, administers_ipam=administers_ipam, now=now
        )
        after = replace(after, metering=metering)
    if change.remove_operating_regions:
        check_locales_remain(ipam_id, after.operating_regions, _locales(rows, ipam_id))
    if (before.tier, after.tier) == (Tier.ADVANCED, Tier.FREE):
        _check_fits_free(rows, after)
    is_for_ledger = (before.enable_private_gua, before.tier) != (
        after.enable_private_gua,
        after.tier,
    )
    if is_for_ledger:
        after = replace(after, definition_version=after.version)
    rows.save_ipam(after)
    kind = StepKind.PUSH_IPAM if is_for_ledger else StepKind.SETTLE_IPAM
    step = NextStep(kind, ipam_id, after.version)
    if before.operating_regions == after.operating_regions:
        return Accepted(after, (step,))
    return Accepted(after, (step, *_default_discovery_follows(rows, after)))


def pools_of(rows: Rows, caller: Caller, ipam_id: str) -> tuple[Ipam, list[str]]:
    """The caller's IPAM, and the ids of all its pools.

    Raises:
        UnknownId: it is not the caller's, or not in this region.
    """
    ipam = rows.ipam_in(caller.account_id, caller.region, lock=False)
    if ipam is None or ipam.ipam_id != ipam_id:
        raise IPAM.unknown(ipam_id)
    return ipam, [pool.ipam_pool_id for pool in rows.pools(ipam_id)]


def delete_ipam(rows: Rows, caller: Caller, ipam_id: str, *, cascade: bool) -> Accepted[Ipam]:
    """Take an IPAM and all that lies under it out of use, then remove it (IPAM-9)."""
    ipam = hold_ipam(rows, caller, ipam_id)
    _check_deletable(rows, ipam, cascade=cascade)
    for pool in rows.pools(ipam_id):
        rows.save_pool(replace(pool, state=State.DELETE_IN_PROGRESS, version=pool.version + 1))
    for scope in rows.scopes(ipam_id):
        rows.save_scope(replace(scope, state=State.DELETE_IN_PROGRESS, version=scope.version + 1))
    ipam = replace(ipam, state=State.DELETE_IN_PROGRESS, version=ipam.version + 1)
    rows.save_ipam(ipam)
    return Accepted(ipam, (NextStep(StepKind.REMOVE_IPAM, ipam_id, ipam.version),))


def adopt_quotas(rows: Rows, quotas: Quotas) -> list[NextStep]:
    """Let IPAMs made under other quotas have today's; the steps tell the ledger."""
    steps = []
    for ipam_id in rows.ipam_ids():
        ipam = rows.ipam(ipam_id, lock=True)
        if ipam is None:
            continue
        after = replace(
            ipam,
            cidr_quota=quotas.cidrs_per_pool.of(ipam.owner_id),
            amazon_block_quotas=quotas.amazon_blocks_of(ipam.owner_id),
        )
        if after != ipam:
            version = ipam.version + 1
            after = replace(after, version=version, definition_version=version)
            rows.save_ipam(after)
            steps.append(NextStep(StepKind.PUSH_IPAM, after.ipam_id, after.version))
    return steps


def _administers_ipam(rows: Rows, caller: Caller, wanted: MeteredAccount | None) -> bool:
    """The caller administers IPAM for an organization; looked up when it says who is to pay.

    Before any IPAM is held: the organization's lock comes first.

    Raises:
        OperationNotPermitted: it wants costs to be distributed, and may not.
    """
    if wanted is None:
        return False
    administers_ipam = held_administered_organization(rows, caller.account_id) is not None
    if wanted is MeteredAccount.RESOURCE_OWNER:
        check_may_distribute(caller.account_id, caller.region, administers_ipam=administers_ipam)
    return administers_ipam


def _default_discovery_follows(rows: Rows, ipam: Ipam) -> tuple[NextStep, ...]:
    """An IPAM's default resource discovery has its operating regions (DISC-1)."""
    default = rows.discoveries.discovery(ipam.default_resource_discovery_id, lock=True)
    if default is None:
        return ()
    changed_default = following(default, ipam)
    rows.discoveries.save_discovery(changed_default)
    return (settling_discovery(changed_default),)


def _locales(rows: Rows, ipam_id: str) -> dict[str, str]:
    return {pool.ipam_pool_id: pool.locale for pool in rows.pools(ipam_id)}


def _check_fits_free(rows: Rows, ipam: Ipam) -> None:
    scopes = rows.scopes(ipam.ipam_id)
    private = [scope for scope in scopes if scope.scope_type is ScopeType.PRIVATE]
    check_fits_free(
        ipam,
        private_pools=[
            pool_id for scope in private for pool_id in rows.pool_ids_in(scope.ipam_scope_id)
        ],
        private_scopes=[scope.ipam_scope_id for scope in private if not scope.is_default],
        locales=_locales(rows, ipam.ipam_id),
        discovery_associations=[
            association.ipam_resource_discovery_association_id
            for association in rows.discoveries.associations(ipam.ipam_id)
            if not association.is_default
        ],
        policies=[policy.ipam_policy_id for policy in rows.ipam_policies.of_ipam(ipam.ipam_id)],
        registry_associations=_registry_associations(rows, ipam),
    )


def _registry_associations(rows: Rows, ipam: Ipam) -> list[str]:
    found = rows.internet_registries.of_ipam(ipam.ipam_id)
    return [one.ipam_internet_registry_association_id for one in found]


def _check_deletable(rows: Rows, ipam: Ipam, *, cascade: bool) -> None:
    _check_no_asn_in_use(rows, ipam)
    _check_policies_may_go(rows, ipam, cascade=cascade)
    _check_associations_may_go(rows, ipam, cascade=cascade)
    if cascade:
        in_the_way = rows.pool_ids_in(ipam.public_default_scope_id)
        sentence = (
            f"'{ipam.ipam_id}' can't be deleted by cascade while its public scope holds pools"
        )
    else:
        scopes = [s.ipam_scope_id for s in rows.scopes(ipam.ipam_id) if not s.is_default]
        in_the_way = [pool.ipam_pool_id for pool in rows.pools(ipam.ipam_id)] + scopes
        sentence = (
            f"'{ipam.ipam_id}' can't be deleted while it holds pools or scopes besides its default"
            " ones; delete them first, or delete with Cascade"
        )
    if in_the_way:
        raise StillInUse(sentence, ipam.ipam_id, in_the_way)


def _check_policies_may_go(rows: Rows, ipam: Ipam, *, cascade: bool) -> None:
    """By cascade policies go with it, but none that is enabled: it may apply to other accounts."""
    policies = [policy.ipam_policy_id for policy in rows.ipam_policies.of_ipam(ipam.ipam_id)]
    enabled = [policy_id for policy_id in policies if rows.ipam_policies.targets_of(policy_id)]
    if cascade and enabled:
        raise StillInUse(
            f"'{ipam.ipam_id}' can't be deleted while IPAM policies of it are enabled; disable them"
            " first",
            ipam.ipam_id,
            enabled,
        )
    if policies and not cascade:
        raise StillInUse(
            f"'{ipam.ipam_id}' can't be deleted while it has IPAM policies; delete them first, or"
            " delete with Cascade",
            ipam.ipam_id,
            policies,
        )


def _check_associations_may_go(rows: Rows, ipam: Ipam, *, cascade: bool) -> None:
    """By cascade associations with internet registries go with it, and all their ROAs."""
    associations = _registry_associations(rows, ipam)
    if associations and not cascade:
        raise StillInUse(
            f"'{ipam.ipam_id}' can't be deleted while it has associations with internet registries;"
            " delete them first, or delete with Cascade",
            ipam.ipam_id,
            associations,
        )


def _check_no_asn_in_use(rows: Rows, ipam: Ipam) -> None:
    """Its ASNs go with an IPAM, unless CIDRs that came without one may be originated by them."""
    in_use = [
        f"AS{byoasn.asn} ({cidr})"
        for byoasn in rows.byoip.byoasns(ipam.ipam_id)
        if byoasn.is_proven
        for cidr in rows.byoip.associated_with(byoasn.asn)
    ]
    if in_use:
        raise StillInUse(
            f"'{ipam.ipam_id}' can't be deleted while ASNs of it are associated with CIDRs;"
            " disassociate them first",
            ipam.ipam_id,
            in_use,
        )
