"""Which revision a folder of migrations leads to, read without running any of it."""

import ast
from pathlib import Path
from threading import Lock
from typing import Any

# CPython counts the depth of what it parses once for all threads, and fails where two parse at a
# time (python/cpython#106905).
_PARSING = Lock()


def heads(folder: Path) -> set[str]:
    """The revisions in ``folder`` that no other one follows; usually it is one."""
    headers = [_header(path) for path in folder.glob("*.py") if path.stem != "__init__"]
    followed: set[str] = set()
    for header in headers:
        below = header.get("down_revision") or ()
        followed.update([below] if isinstance(below, str) else below)
    return {header["revision"] for header in headers} - followed


def _header(path: Path) -> dict[str, Any]:
    """The module's constants, ``revision`` and ``down_revision`` among them."""
    found: dict[str, Any] = {}
    source = path.read_text(encoding="utf-8")
    with _PARSING:
        module = ast.parse(source, path.name)
    for statement in module.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if name in {"revision", "down_revision"}:
                found[name] = ast.literal_eval(value)
    return found
