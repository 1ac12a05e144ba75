"""What a parent says that can't be taken, and what an authority must not sign."""

from collections.abc import Sequence

from shared.errors import IncorrectState, InvalidParameterValue


class MessageNotTrusted(Exception):
    """A message that is not, or not provably, the parent's own: it counts as not sent.

    The reason is for people; it names neither keys nor what the message says.
    """


class MessageMalformed(MessageNotTrusted):
    """The parent's own, but no message that it may send here."""


class MessageReplayed(MessageNotTrusted):
    """Signed before one that was taken already (RFC 6492)."""


class RefusedByParent(Exception):
    """The parent answered with an error (RFC 6492, section 3.6)."""

    def __init__(self, code: int, description: str | None) -> None:
        meaning = description or "no description"
        super().__init__(f"the parent refused the request with status {code}: {meaning}")
        self.code = code
        """1101: it works on the same request already; 1201: no such resource class; …"""
        self.description = description
        """In the parent's words."""

    @property
    def may_pass(self) -> bool:
        """The same request may succeed later: the parent is busy with it, or has a fault."""
        return self.code in {1101, 1104, 2001}


class CertificateNotUsable(Exception):
    """The parent issued a certificate that is not the one asked for."""


class RoasNotCovered(IncorrectState):
    """ROAs for addresses that the authority's certificate has not (RFC 9582, section 5)."""

    def __init__(self, cidrs: Sequence[object]) -> None:
        named = ", ".join(str(cidr) for cidr in cidrs)
        super().__init__(
            f"The registry's certificate does not cover {named}; ROAs are for what it covers",
            cidrs=named,
        )


class ParentResponseRefused(InvalidParameterValue):
    """A member of the parent response (RFC 8183) that can't be right."""

    def __init__(self, member: str, value: str, why: str) -> None:
        shown = value if len(value) <= 60 else f"{value[:60]}…"
        super().__init__(
            f"Value ({shown}) for parameter {member} is invalid; {why}",
            parameter=member,
            value=shown,
        )
