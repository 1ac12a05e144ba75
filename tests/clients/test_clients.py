"""Programs in other languages, of generated stubs alone, against a running system."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.installation import REPOSITORY, Installation, installation

CLIENTS = Path(__file__).parent
# Compilers may start with nothing in their caches, on a machine that is busy.
BUILD_SECONDS = 400

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(2 * BUILD_SECONDS)]


@pytest.fixture(scope="module")
def cadastre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("data")) as running:
        yield running


def stubs(name: str) -> Path:
    folder = REPOSITORY / name
    assert folder.is_dir(), "the stubs are not made: make stubs"
    return folder


def needs(*programs: str) -> None:
    missing = [program for program in programs if not shutil.which(program)]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def done(command: Sequence[str | Path], folder: Path) -> str:
    """What a command printed; it must succeed."""
    ended = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def answer_of(program: Sequence[str | Path], folder: Path, cadastre: Installation) -> Any:
    addresses = [f"127.0.0.1:{cadastre.port + offset}" for offset in (1, 2)]
    secret = cadastre.data / "identity" / "secret"
    return json.loads(done([*program, *addresses, secret], folder))


def check(answer: Any, cadastre: Installation, profile: str, refusal: str) -> None:
    """The program's work is there for AWS's clients, too."""
    assert answer["cidr"] == "10.0.0.0/24"
    assert refusal in answer["refusal"]
    client = cadastre.client(profile)
    told = client.get_ipam_pool_allocations(IpamPoolId=answer["ipam_pool_id"])
    assert [allocation["Cidr"] for allocation in told["IpamPoolAllocations"]] == ["10.0.0.0/24"]


def test_a_go_program_makes_a_pool_and_allocates(cadastre: Installation, tmp_path: Path) -> None:
    needs("go")
    stubs(".gen-go")
    program = tmp_path / "client"
    done(["go", "build", "-o", program, "."], CLIENTS / "go")
    answer = answer_of([program], tmp_path, cadastre)
    check(answer, cadastre, "ipam-account", "InsufficientCidrSpace")


def test_a_typescript_program_makes_a_pool_and_allocates(
    cadastre: Installation, tmp_path: Path
) -> None:
    needs("node", "npm")
    folder = tmp_path / "client"
    left_out = shutil.ignore_patterns("built", "node_modules", "stubs")
    shutil.copytree(CLIENTS / "typescript", folder, ignore=left_out)
    shutil.copytree(stubs(".gen-ts"), folder / "stubs", ignore=shutil.ignore_patterns(".made"))
    done(["npm", "ci", "--no-audit", "--no-fund"], folder)
    done(["npm", "run", "build"], folder)
    answer = answer_of(["node", "built/main.js"], folder, cadastre)
    check(answer, cadastre, "member-account", "/7")
