"""The command line without a running stack: errors are one line, and tokens are valid."""

import subprocess
import time
from pathlib import Path

import pytest

from messenger_local.datadir import DataDir
from messenger_shared.contract import tokens
from tests.local.conftest import verify
from tests.stack import MESSENGER

LIMIT_S = 120


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs one `messenger` command."""
    return subprocess.run(
        [*MESSENGER, *arguments], cwd=cwd, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "COMMAND"),
        (("fly",), "invalid choice"),
        (("up", "--port", "x"), "invalid int value"),
        (("up", "--port", "0"), "--port: 0 is not between 1 and 65535"),
        (("up", "--workers", "gateway=none"), "--workers: gateway needs a number"),
        (("up", "--redis", "localhost:6379"), "--redis: a Redis URL must begin with"),
        (("up", "--host", "192.0.2.1"), "cannot listen on 192.0.2.1:8080"),
        (("status",), "no stack is running"),
        (("status", "--json"), "no stack is running"),
        (("check",), "no stack is running"),
        (("seed-demo",), "no stack is running"),
        (("token", "1"), "no signing secret"),
        (("disconnect", "1"), "no stack is running"),
        (("disconnect", "x"), "'x' is not a user id"),
        (("token", "0"), "'0' is not a user id"),
        (("token", str(2**53)), "a whole number from 1 to 9007199254740991"),
        (("disconnect", str(2**53)), "a whole number from 1 to 9007199254740991"),
        (("token", "1", "--ttl", "9999999999"), "more than a hundred years"),
    ],
)
def test_an_error_is_one_line_and_exit_code_1(
    tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    result = run(*arguments, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert reason in result.stderr
    assert result.stderr.startswith("messenger: ")
    assert result.stderr.count("\n") == 1


def test_a_wish_for_the_demo_that_is_neither_yes_nor_no_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESSENGER_DEMO", "2")
    result = run("up", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (1, "messenger: MESSENGER_DEMO must be 0 or 1\n")


def test_a_token_is_printed_and_nothing_else(tmp_path: Path) -> None:
    data = DataDir.at(str(tmp_path / ".messenger"))
    with data.opened():
        secret = data.signing_secret()
    result = run("token", "7", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    user_id, expiry, *_ = verify(result.stdout.removesuffix("\n"), secret)
    assert user_id == 7
    assert expiry == pytest.approx(time.time() + 86_400, abs=LIMIT_S)


def test_a_negative_ttl_makes_an_expired_token(tmp_path: Path) -> None:
    data = DataDir.at(str(tmp_path / "elsewhere"))
    with data.opened():
        secret = data.signing_secret()
    result = run("token", "7", "--ttl", "-60", "--data-dir", "elsewhere", cwd=tmp_path)
    with pytest.raises(tokens.InvalidToken):
        verify(result.stdout.strip(), secret)
