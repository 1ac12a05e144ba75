"""What block a request asks for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.cidr import Cidr
from shared.errors import InvalidParameterCombination


@dataclass(frozen=True, slots=True)
class WantedBlock:
    """A certain block, any block of a length, or - with neither - whatever is the default.

    A block of a length lies inside one of ``allowed``, unless that is None, and overlaps none of
    ``disallowed`` (ALLOC-1).
    """

    cidr: Cidr | None = None
    netmask_length: int | None = None
    allowed: tuple[Cidr, ...] | None = None
    disallowed: tuple[Cidr, ...] = ()

    @property
    def cidrs(self) -> Iterable[Cidr]:
        """All it names."""
        named = (self.cidr,) if self.cidr else ()
        return (*named, *(self.allowed or ()), *self.disallowed)

    @classmethod
    def parse(
        cls,
        *,
        cidr: str | None = None,
        netmask_length: int | None = None,
        allowed: Sequence[str] = (),
        disallowed: Sequence[str] = (),
    ) -> "WantedBlock":
        """Read a request's members; an empty ``allowed`` allows everything.

        Raises:
            InvalidParameterValue: not a CIDR.
            InvalidParameterCombination: what chooses a block comes with a block.
        """
        if cidr is not None:
            _refuse_beside(cidr, "NetmaskLength", netmask_length is not None)
            _refuse_beside(cidr, "AllowedCidrs", bool(allowed))
            _refuse_beside(cidr, "DisallowedCidrs", bool(disallowed))
            return cls(Cidr.parse(cidr))
        return cls(
            netmask_length=netmask_length,
            # Told apart first, for most requests have neither.
            allowed=_cidrs(allowed, "allowedCidrs") if allowed else None,
            disallowed=_cidrs(disallowed, "disallowedCidrs") if disallowed else (),
        )


def _cidrs(texts: Sequence[str], parameter: str) -> tuple[Cidr, ...]:
    return tuple(
        Cidr.parse(text, parameter=f"{parameter}.{number}") for number, text in enumerate(texts, 1)
    )


def _refuse_beside(cidr: str, parameter: str, is_given: bool) -> None:
    if is_given:
        raise InvalidParameterCombination(
            f"{parameter} chooses a block, and Cidr ({cidr}) is one already; send one of the two",
            cidr=cidr,
            parameter=parameter,
        )
