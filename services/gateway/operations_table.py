"""README's table of the operations that AWS's clients can call, made of the contracts.

``python -m services.gateway.operations_table`` writes it anew.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from google.protobuf.descriptor import FileDescriptor

from services.gateway.routes import (
    CLOUDWATCH_FILES,
    COST_EXPLORER_FILES,
    EC2_FILES,
    IAM_FILES,
    ORGANIZATIONS_FILES,
    RAM_FILES,
    Rpc,
    rpcs_by_action,
)
from shared.settings import Context

README = Path(__file__).parents[2] / "README.md"

_BEGIN, _END = "<!-- operations: made of the contracts -->", "<!-- end of operations -->"
_SERVICES: Mapping[str, Sequence[tuple[Context, FileDescriptor]]] = {
    "EC2": EC2_FILES,
    "AWS Organizations": ORGANIZATIONS_FILES,
    "AWS RAM": RAM_FILES,
    "IAM": IAM_FILES,
    "CloudWatch": CLOUDWATCH_FILES,
    "Cost Explorer": COST_EXPLORER_FILES,
}


def table() -> str:
    """Markdown: a row for each contract, with what it serves in alphabetical order."""
    return "\n".join(["| of | served by | operations |", "| --- | --- | --- |", *_rows()])


def write(readme: Path) -> None:
    """Put the table in its place."""
    before, _, rest = readme.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    readme.write_text(f"{before}{_BEGIN}\n\n{table()}\n\n{_END}{after}", encoding="utf-8")


def _rows() -> Iterator[str]:
    for name, files in _SERVICES.items():
        for (context, contract), operations in sorted(_by_contract(files).items()):
            yield f"| {name} | {context}, `{contract}` | {', '.join(sorted(operations))} |"


def _by_contract(
    files: Iterable[tuple[Context, FileDescriptor]],
) -> Mapping[tuple[str, str], Sequence[str]]:
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for operation, rpcs in rpcs_by_action(files).items():
        for rpc in rpcs:
            found[_contract(rpc)].append(operation)
    return found


def _contract(rpc: Rpc) -> tuple[str, str]:
    return rpc.context, rpc.descriptor.containing_service.name


if __name__ == "__main__":
    write(README)
