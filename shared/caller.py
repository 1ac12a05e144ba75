"""Who calls: the identity every request carries (ORG-10)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    ``account_id`` and ``region`` are those the call acts in. ``service`` names the Cadastre context
    that makes an internal call, possibly on behalf of that account; it is empty for everybody else.
    """

    account_id: str
    region: str
    principal: str
    service: str = ""
