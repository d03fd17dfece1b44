"""The house rules that a machine can check: import direction, file sizes, first lines, settings."""

import ast
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from messenger_shared.settings.common import StoreSettings

ROOT = Path(__file__).parents[2]
MAX_LINES = 300
MAX_FUNCTION_LINES = 40
MAX_MODULES = 13
SOURCES = sorted(
    path
    for top in ("shared/src", "shared/sdk", "services", "deploy/local/src", "tests")
    for path in (ROOT / top).rglob("*.py")
    # The SDK's models are generated.
    if ".venv" not in path.parts and path.name != "models.py"
)


def test_the_one_way_import_rule_holds() -> None:
    script = "from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-P", "-c", script, "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short_and_modules_have_docstrings(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    module = ast.parse(text)
    assert ast.get_docstring(module), "the module has no docstring that says what it is for"
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION_LINES, node.name


def test_no_service_has_the_address_of_another() -> None:
    """The gateway knows only Redis; the others know Redis and PostgreSQL."""
    addresses = {"redis_urls", "database_url"}
    gateway = {field.name for field in fields(GatewaySettings)}
    store = {field.name for field in fields(StoreSettings)}
    assert gateway & addresses == {"redis_urls"}
    assert store & addresses == addresses
    for name in (gateway | store) - addresses:
        assert not name.endswith(("url", "urls", "host", "address", "port")), name


def test_a_folder_has_about_ten_modules() -> None:
    """The root of a package may hold more modules than a sub-package, since a reader opens it first."""
    for package in ("gateway", "messenger_shared", "messenger_sdk"):
        for folder in ROOT.glob(f"*/**/src/{package}/**/"):
            modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            assert len(modules) <= MAX_MODULES, folder
