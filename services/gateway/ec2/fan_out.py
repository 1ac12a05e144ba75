"""Actions that several contexts share, such as CreateTags: each gets the ids it serves."""

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from cadastre.common.v1 import options_pb2
from services.gateway.errors import InvalidId
from services.gateway.routes import Rpc

Request = tuple[Rpc, Message]


def split(requests: Sequence[Request]) -> list[Request]:
    """Leave in each request the ids its RPC serves; requests without ids are dropped.

    Every RPC of a shared action has one list of ids, whose ``id_prefixes`` rule says which are its;
    the longest prefix decides. A request without any ids goes to the first RPC, to be refused there
    by its own rules.

    The parts are separate transactions: when one context refuses its part, another may have done
    its own. Each part is all or nothing, and the actions that are shared can be repeated.

    Raises:
        InvalidId: an id that none of them serves.
    """
    owners = {prefix: rpc for rpc, _ in requests for prefix in _rule(rpc).id_prefixes}
    for rpc, request in requests:
        ids = getattr(request, _field_name(rpc))
        mine = [i for i in ids if _owner(i, owners) is rpc]
        del ids[:]
        ids.extend(mine)
    return [r for r in requests if getattr(r[1], _field_name(r[0]))] or [requests[0]]


def _owner(resource_id: str, owners: Mapping[str, Rpc]) -> Rpc:
    prefix = max((p for p in owners if resource_id.startswith(p)), key=len, default=None)
    if prefix is None:
        raise InvalidId(resource_id)
    return owners[prefix]


def _field_name(rpc: Rpc) -> str:
    return next(
        field.name
        for field in rpc.descriptor.input_type.fields
        if field.GetOptions().Extensions[options_pb2.rules].id_prefixes
    )


def _rule(rpc: Rpc) -> Any:
    field = rpc.descriptor.input_type.fields_by_name[_field_name(rpc)]
    return field.GetOptions().Extensions[options_pb2.rules]
