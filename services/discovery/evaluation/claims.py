"""Resources that several accounts say they have (MON-4)."""

from collections import defaultdict
from collections.abc import Iterable

from services.discovery.evaluation.blocks import named_block
from services.discovery.evaluation.model import Candidate
from services.discovery.evaluation.standing import Standing


class Claims:
    """Which accounts have what can be managed, under the same id and with the same CIDR.

    A source tells whatever ids it likes; where two tell the same one, nobody knows whose it is.
    """

    def __init__(self, standings: Iterable[Standing]) -> None:
        first: dict[tuple[str, int], str] = {}
        self._several: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        for standing in standings:
            if standing.state is not None:
                candidate = standing.candidate
                claimed = _claimed(candidate)
                owner_id = first.setdefault(claimed, candidate.owner_id)
                if owner_id != candidate.owner_id:
                    self._several[claimed] |= {owner_id, candidate.owner_id}

    def of_others(self, candidate: Candidate) -> list[str]:
        """Other accounts that have the same, by id; in whatever region."""
        if not self._several:
            return []
        return sorted(self._several.get(_claimed(candidate), set()) - {candidate.owner_id})


def _claimed(candidate: Candidate) -> tuple[str, int]:
    return named_block(candidate)[1:]
