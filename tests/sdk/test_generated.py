"""The SDK's generated modules are those of the present documents."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SDK = Path(__file__).parents[2] / "shared/sdk"


@pytest.mark.parametrize("name", ["models.py", "blocking.py"])
def test_what_is_committed_is_what_make_contract_writes(name: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(SDK / "generate.py"), str(tmp_path)], check=True)
    assert (SDK / "src/messenger_sdk" / name).read_text() == (tmp_path / name).read_text()
