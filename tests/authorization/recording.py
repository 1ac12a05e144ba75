"""All questions and answers of a world, asked once; what is wrong with them is told by tests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor import ServiceDescriptor

from cadastre.common.v1 import options_pb2
from tests.authorization.api import Answer, all_services
from tests.authorization.asking import Asked, Asking
from tests.authorization.callers import CALLERS, MEMBER, unsigned
from tests.authorization.installation import Installation, contexts_of, installation
from tests.authorization.making import a_world
from tests.authorization.table import WITH_EFFECT, WITHOUT_EFFECT
from tests.authorization.world import World


@dataclass(frozen=True)
class Record:
    """Of one world."""

    asked: Sequence[Asked]
    known_by: Mapping[str, frozenset[str]]
    """As `World.known_by`."""
    unsigned: Mapping[str, Mapping[str, Answer]]
    """By what was wrong with the proof; of every RPC of every service."""
    internal: Mapping[str, Mapping[str, Answer]]
    """By RPC, what every caller was told by whatever is not open to accounts."""
    before: Sequence[Answer]
    after: Sequence[Answer]
    """What owners read of their things before and after everybody's dry runs and refusals."""

    def of(self, name: str) -> list[Asked]:
        """What the row of that name was asked for."""
        return [one for one in self.asked if one.row.name == name]


async def recorded(folder: Path) -> Record:
    async with installation(folder) as it:
        world = await a_world(it)
        asking = Asking(it, world)
        before = await asking.own_view(WITHOUT_EFFECT)
        proofs = unsigned(it.secret, world.accounts[MEMBER])
        refused = {wrong: await _by_all(it, proof) for wrong, proof in proofs.items()}
        internal = await _by_internal(it, world)
        without_effect = await asking.ask_all(WITHOUT_EFFECT)
        after = await asking.own_view(WITHOUT_EFFECT)
        with_effect = await asking.ask_all(WITH_EFFECT)
    return Record(
        asked=[*without_effect, *with_effect],
        known_by=world.known_by(),
        unsigned=refused,
        internal=internal,
        before=before,
        after=after,
    )


def open_rpcs() -> set[str]:
    """Those of all contracts that are not for services alone, as ``service/rpc``."""
    return {path for service, path in _rpcs() if not is_internal(service)}


def internal_rpcs() -> set[str]:
    return {path for service, path in _rpcs() if is_internal(service)}


def is_internal(service: ServiceDescriptor) -> bool:
    return service.GetOptions().Extensions[options_pb2.internal]


def _rpcs() -> Iterator[tuple[ServiceDescriptor, str]]:
    for name, service in all_services().items():
        for rpc in service.methods_by_name:
            yield service, f"{name}/{rpc}"


async def _by_all(it: Installation, proof: str) -> dict[str, Answer]:
    """What every RPC of every context answers to a proof and an empty request."""
    answers = {}
    for _, path in _rpcs():
        service, rpc = path.split("/")
        for context in contexts_of(service):
            answer = await it.apis[context].ask(service, rpc, {}, proof)
            answers[f"{context}: {path}"] = answer
    return answers


async def _by_internal(it: Installation, world: World) -> dict[str, dict[str, Answer]]:
    answers: dict[str, dict[str, Answer]] = {}
    for path in sorted(internal_rpcs()):
        service, rpc = path.split("/")
        answers[path] = {
            f"{caller} of {context}": await it.apis[context].ask(
                service, rpc, {}, it.proof_of(world.accounts[caller])
            )
            for context in contexts_of(service)
            for caller in CALLERS
        }
    return answers
