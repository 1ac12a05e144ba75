"""Verifying that an account controls what it brings along (BYOIP-1 to BYOIP-3, ASN-1)."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from services.control_plane.verification.by_record import record_verdict
from services.control_plane.verification.by_token import NoAnswer, TxtAnswer, token_verdict
from services.control_plane.verification.claim import (
    Claim,
    DnsToken,
    Proof,
    RangeClaim,
    SignedMessage,
)
from services.control_plane.verification.errors import MalformedSignature, MessageRefused
from services.control_plane.verification.message import check_message
from services.control_plane.verification.rdap_records import Record
from services.control_plane.verification.reverse_zones import record_names
from services.control_plane.verification.signature import decode_signature
from services.control_plane.verification.verdict import Refuted, Unproven, Verdict
from shared.cidr import Cidr

LOOK_UPS_AT_ONCE = 16
"""A range just off a boundary has 128 zones, and a server may take so many questions for abuse."""


class LookUpFailed(Exception):
    """A server did not tell what was asked, and may do so later; the message says what it did.

    The message is for the account, so it names no server of this installation.
    """


class RdapLookUp(Protocol):
    """Asks a registry by RDAP."""

    async def network(self, cidr: Cidr) -> Record | None:
        """The registry's record of the range, if it has one.

        Raises:
            LookUpFailed: that is not known now.
        """

    async def autnum(self, asn: int) -> Record | None:
        """The registry's record of the ASN, if it has one.

        Raises:
            LookUpFailed: that is not known now.
        """


class TxtLookUp(Protocol):
    """Asks the DNS."""

    async def txt(self, name: str) -> Sequence[str]:
        """The values of a name's TXT records, each with its strings joined; none: no such record.

        Raises:
            LookUpFailed: that is not known now.
        """


class Verifier:
    """Finds out whether a proof holds. Whatever the outside world says is a verdict, not an error.

    At most `LOOK_UPS_AT_ONCE` names are looked up at a time, for all proofs together.
    """

    def __init__(self, rdap: RdapLookUp, dns: TxtLookUp, clock: Callable[[], datetime]) -> None:
        """``clock`` tells the time with its zone."""
        self._rdap, self._dns, self._clock = rdap, dns, clock
        self._places = asyncio.Semaphore(LOOK_UPS_AT_ONCE)

    async def verify(self, claim: Claim, proof: Proof) -> Verdict:
        """What the proof shows now."""
        if isinstance(proof, SignedMessage):
            return await self._by_signature(claim, proof)
        if isinstance(claim, RangeClaim):
            return await self._by_token(claim, proof)
        return Refuted(f"no token can show control of ASN {claim.subject}; sign a message")

    async def _by_signature(self, claim: Claim, proof: SignedMessage) -> Verdict:
        now = self._clock()
        try:
            check_message(proof.message, claim, now.astimezone(UTC).date())
            signature = decode_signature(proof.signature)
        except (MessageRefused, MalformedSignature) as refusal:
            return Refuted(refusal.message)
        try:
            record = await self._record(claim)
        except LookUpFailed as failure:
            return Unproven(f"the RDAP record of {claim.subject} could not be read: {failure}")
        if record is None:
            return Unproven(f"there is no RDAP record of {claim.subject}")
        # What is in a record is anybody's, and to check it all takes others' time on the loop.
        return await asyncio.to_thread(record_verdict, record, claim, proof.message, signature, now)

    async def _record(self, claim: Claim) -> Record | None:
        if isinstance(claim, RangeClaim):
            return await self._rdap.network(claim.cidr)
        return await self._rdap.autnum(claim.asn)

    async def _by_token(self, claim: RangeClaim, token: DnsToken) -> Verdict:
        names = record_names(token.token_name, claim.cidr)
        answers = await asyncio.gather(*map(self._txt, names))
        return token_verdict(token.token_value, dict(zip(names, answers, strict=True)))

    async def _txt(self, name: str) -> TxtAnswer:
        async with self._places:
            try:
                return await self._dns.txt(name)
            except LookUpFailed as failure:
                return NoAnswer(str(failure))
