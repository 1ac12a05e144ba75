"""How steps about what was brought along end: what they do to the rows (design.md section 5)."""

from dataclasses import replace
from datetime import datetime

from services.control_plane.byoip import byoasn as byoasn_rules
from services.control_plane.byoip import new_range, transfer
from services.control_plane.byoip.byoip_cidr import (
    BYOIP_CIDR,
    ByoipCidr,
    ByoipCidrState,
    kept,
    may_be_forgotten,
    settled,
)
from services.control_plane.byoip.token import VerificationToken
from services.control_plane.lifecycle import State, completed
from services.control_plane.service.byoip.holding import settling_step
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted, NextStep


def settle_token(rows: Rows, token_id: str, version: int) -> None:
    """Move a token on, unless it has changed again: then a later step does."""
    token = _held_token(rows, token_id)
    if token and token.version == version:
        rows.byoip.save_token(replace(token, state=completed(token.state)))


def remove_token(rows: Rows, token_id: str) -> None:
    """The end of a token's deletion."""
    token = _held_token(rows, token_id)
    if token and token.state is State.DELETE_IN_PROGRESS:
        rows.byoip.remove_token(token_id)


def remove_byoasn(rows: Rows, byoasn_id: str, version: int, now: datetime) -> None:
    """The end of an ASN's deprovisioning: it is still told for a week (ASN-1)."""
    found = rows.byoip.byoasn(byoasn_id)
    if found and rows.ipam(found.ipam_id, lock=True):
        byoasn = rows.byoip.byoasn(byoasn_id)
        if byoasn and byoasn.version == version:
            rows.byoip.save_byoasn(byoasn_rules.deprovisioned(byoasn, now))


def settle_cidr(rows: Rows, byoip_cidr_id: str, version: int, now: datetime) -> None:
    """Move a CIDR on, unless it has changed again; forget it when nothing is left to tell."""
    cidr = _unchanged(rows, byoip_cidr_id, version)
    if cidr is None:
        return
    after = settled(cidr)
    if may_be_forgotten(after, now):
        rows.byoip.remove_cidr(byoip_cidr_id)
    else:
        rows.byoip.save_cidr(after)


def settle_again(rows: Rows) -> Accepted[None]:
    """Tell the ledger again which CIDRs have to stay: it may have been restored (BEY-14)."""
    staying = rows.byoip.staying_cidrs()
    return Accepted(None, tuple(settling_step(cidr) for cidr in staying))


def forget_cidr(rows: Rows, byoip_cidr_id: str) -> None:
    """The ledger has no such CIDR of a pool any more: nothing is left to tell of it."""
    if rows.byoip.cidr(byoip_cidr_id, lock=True):
        rows.byoip.remove_cidr(byoip_cidr_id)


def end_taking_in(
    rows: Rows, byoip_cidr_id: str, version: int, refusal: str | None, now: datetime
) -> None:
    """A range is provisioned, or has failed."""
    cidr = _unchanged(rows, byoip_cidr_id, version)
    if cidr:
        after = new_range.failed(cidr, refusal, now) if refusal else new_range.taken_in(cidr)
        rows.byoip.save_cidr(after)


def end_removal(rows: Rows, byoip_cidr_id: str, version: int, refusal: str | None) -> None:
    """A range is gone, or usable as before."""
    cidr = _unchanged(rows, byoip_cidr_id, version)
    if cidr and refusal:
        rows.byoip.save_cidr(kept(cidr, ByoipCidrState.FAILED_DEPROVISION, refusal))
    elif cidr:
        rows.byoip.remove_cidr(byoip_cidr_id)


def end_move(
    rows: Rows, byoip_cidr_id: str, version: int, ipam_pool_cidr_id: str
) -> tuple[NextStep, ...]:
    """A range is a pool's; that it is advertised, and its ASNs, are the pool's CIDR's now.

    The ledger keeps that from being deprovisioned; the step that is to follow tells it the reason
    that there is by now.
    """
    found = rows.byoip.cidr(byoip_cidr_id, lock=False)
    pool = rows.pool(found.alone.moved_to or "") if found else None
    if pool:
        rows.ipam(pool.ipam_id, lock=True)
    cidr = _unchanged(rows, byoip_cidr_id, version)
    if cidr is None:
        return ()
    rows.byoip.save_cidr(transfer.moved(cidr))
    if pool is None or not (cidr.is_advertised or cidr.asn_associations):
        return ()
    # The pool's owner may have been as quick as to advertise it before this.
    there = rows.byoip.cidr_of_pool(ipam_pool_cidr_id, lock=True)
    arrived = transfer.arrived(cidr, pool, ipam_pool_cidr_id)
    if there:
        arrived = transfer.joined(there, arrived)
    else:
        arrived = replace(arrived, byoip_cidr_id=BYOIP_CIDR.new(), version=1)
    rows.byoip.save_cidr(arrived)
    return (settling_step(arrived),)


def fail_move(rows: Rows, byoip_cidr_id: str, version: int, refusal: str) -> None:
    """The ledger refused: a range stays where it is, usable as before."""
    cidr = _unchanged(rows, byoip_cidr_id, version)
    if cidr:
        rows.byoip.save_cidr(kept(cidr, ByoipCidrState.FAILED_TRANSFER, refusal))


def _unchanged(rows: Rows, byoip_cidr_id: str, version: int) -> ByoipCidr | None:
    """The CIDR, locked, unless it has changed since its step was made: then a later one follows."""
    cidr = rows.byoip.cidr(byoip_cidr_id, lock=True)
    return cidr if cidr and cidr.version == version else None


def _held_token(rows: Rows, token_id: str) -> VerificationToken | None:
    """The token as it is once its IPAM is locked."""
    found = rows.byoip.token(token_id)
    if found is None or rows.ipam(found.ipam_id, lock=True) is None:
        return None
    return rows.byoip.token(token_id)
