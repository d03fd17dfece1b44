"""The web library: its own tests, its types, its sources, and that it can be imported anywhere."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.edge.contract import documents

WEB = Path(__file__).parents[2] / "services/gateway/web"
NEXT_EXAMPLE = Path(__file__).parents[2] / "shared/sdk/examples/next-receiver"
LIMIT_S = 300


def npm(*arguments: str) -> None:
    """Runs npm in the library's folder; its output is shown when it fails."""
    if shutil.which("npm") is None:
        pytest.skip("Node.js is not installed: the web library was not tested")
    if not (WEB / "node_modules").is_dir():
        pytest.skip("`make web` has not installed what the web library is made of: it was not tested")
    done = subprocess.run(
        ["npm", *arguments], cwd=WEB, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_the_kept_contract_is_the_gateways_own(name: str) -> None:
    kept = (WEB / "contract" / name).read_bytes()
    assert kept == documents()[name], "`make contract` writes it anew"


def test_the_core_holds_over_a_hostile_link() -> None:
    npm("test")


def test_the_types_are_right() -> None:
    npm("run", "types")


def test_the_packed_library_is_imported_without_a_browser() -> None:
    npm("run", "build:lib")
    program = (
        "const all = await import('@messenger/react'); const core = await import('@messenger/react/core');"
        "if (typeof all.useMessages !== 'function' || core.connect !== all.connect) process.exit(1)"
    )
    npm("exec", "--offline", "--", "node", "--input-type=module", "-e", program)


@pytest.mark.parametrize("folder", [WEB, NEXT_EXAMPLE])
def test_lock_files_name_no_registry(folder: Path) -> None:
    lock = (folder / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "://registry" not in lock
