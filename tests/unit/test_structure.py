"""The house rules that a machine can hold: import direction, file sizes, first lines, settings."""

import ast
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from messenger_shared.common_settings import StoreSettings

ROOT = Path(__file__).parents[2]
MAX_LINES = 300
MAX_FUNCTION_LINES = 40
SOURCES = sorted(
    path
    for top in ("shared/src", "services", "deploy/local/src", "tests")
    for path in (ROOT / top).rglob("*.py")
    if ".venv" not in path.parts
)


def test_the_one_way_import_rule_holds() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short_and_modules_say_what_they_own(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    module = ast.parse(text)
    assert ast.get_docstring(module), "no first line that says what the module owns"
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION_LINES, node.name


def test_no_service_has_the_address_of_another() -> None:
    """The gateway knows Redis alone; the others Redis and PostgreSQL."""
    addresses = {"redis_urls", "database_url"}
    gateway = {field.name for field in fields(GatewaySettings)}
    store = {field.name for field in fields(StoreSettings)}
    assert gateway & addresses == {"redis_urls"}
    assert store & addresses == addresses
    for name in (gateway | store) - addresses:
        assert not name.endswith(("url", "urls", "host", "address", "port")), name
