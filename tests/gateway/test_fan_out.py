"""Actions that several contexts share: who gets which ids."""

import pytest

from services.gateway.ec2.operations import operations_of
from services.gateway.ec2.parameters import nested
from services.gateway.errors import InvalidId
from services.gateway.model import load_model

OPERATIONS = operations_of(load_model("ec2"))


def parts(action: str, ids: list[str]) -> dict[str, list[str]]:
    """The ids each context is asked for."""
    parameters = {f"ResourceId.{i}": value for i, value in enumerate(ids, 1)}
    requests = OPERATIONS[action].requests(nested({**parameters, "Tag.1.Key": "k"}))
    assert all([tag.key for tag in request.tags] == ["k"] for _, request in requests)  # type: ignore[attr-defined]
    return {rpc.context: list(request.resources) for rpc, request in requests}  # type: ignore[attr-defined]


@pytest.mark.parametrize("action", ["CreateTags", "DeleteTags"])
@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (["vpc-1"], {"network": ["vpc-1"]}),
        (["ipam-1"], {"control_plane": ["ipam-1"]}),
        (["ipam-pool-1"], {"control_plane": ["ipam-pool-1"]}),
        (["ipam-pool-alloc-1"], {"allocation": ["ipam-pool-alloc-1"]}),
        (
            ["vpc-2", "ipam-pool-alloc-1", "ipam-1", "vpc-1"],
            {
                "control_plane": ["ipam-1"],
                "allocation": ["ipam-pool-alloc-1"],
                "network": ["vpc-2", "vpc-1"],
            },
        ),
        ([], {"control_plane": []}),
    ],
)
def test_each_context_gets_its_own(
    action: str, ids: list[str], expected: dict[str, list[str]]
) -> None:
    assert parts(action, ids) == expected


@pytest.mark.parametrize("bad", ["snap-1", "vpc", "", "x"])
def test_an_id_of_no_kind_is_refused_before_anything_is_called(bad: str) -> None:
    with pytest.raises(InvalidId, match=f"'{bad}' is not valid"):
        parts("CreateTags", ["vpc-1", bad])
