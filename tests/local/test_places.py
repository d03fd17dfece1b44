"""Where users start the stack: a clone in root's home, strange paths, no shared memory, no home."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import psycopg2
import pytest

from messenger_local.datadir import DataDir
from messenger_local.failure import StackError
from tests.local.conftest import running_supervisor
from tests.local.unusual_machines import (
    SHARED_MEMORY,
    bare_environment,
    can_mount,
    closed,
    copy_of_checkout,
    install_postgres,
    with_shared_memory,
)
from tests.stack import MESSENGER, STOP_LIMIT_S, RunningStack, StackFailed, launch, running_stack
from tests.waiting import until

ROOT = Path(__file__).parents[2]
PYTHON = Path(sys.executable).resolve()
START_S = 60.0
MAKE_S = 240.0
ADDING = "adding the people of the demo"
FEW = "gateway=1,chat-api=1"
STRANGE = ["a place", "한글 집", "it's", "100% #1 (new); & co", "long" * 60]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")


def answers(url: Path) -> bool:
    """Whether the PostgreSQL whose URL is in the file takes a query."""
    try:
        connection = psycopg2.connect(url.read_text(), dbname="postgres", connect_timeout=2)
    except (psycopg2.OperationalError, FileNotFoundError):
        return False
    connection.close()
    return True


@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["", "under umask 077"])
async def test_postgres_runs_from_an_installation_in_a_closed_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    directory = closed(tmp_path, "a clone")
    monkeypatch.setenv("PYTHONPATH", str(install_postgres(directory / "site", mode=mode)))
    async with running_supervisor(directory / "data", postgres="postgres") as supervisor:
        await until(lambda: answers(supervisor.root / "postgres-url"), START_S)
        assert program_of(await supervisor.new_pid("postgres")).is_relative_to(directory / "site")
        await supervisor.stop()


@pytest.mark.parametrize("name", STRANGE, ids=lambda name: name[:12])
async def test_the_data_may_be_in_a_closed_home_of_any_name(tmp_path: Path, name: str) -> None:
    directory = closed(tmp_path, name)
    async with running_supervisor(
        directory / name / "data", postgres="postgres", redis="redis"
    ) as supervisor:
        await until(lambda: answers(supervisor.root / "postgres-url"), START_S)
        await supervisor.stop()


def program_of(pid: int) -> Path:
    return Path(f"/proc/{pid}/exe").readlink()


def capabilities_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("CapPrm")).split()[1], 16)


@as_root
async def test_postgres_keeps_no_right_of_root_but_to_pass_through_closed_directories(
    tmp_path: Path,
) -> None:
    async with running_supervisor(closed(tmp_path, "x") / "data", postgres="postgres") as supervisor:
        pid = await supervisor.new_pid("postgres")
        await until(lambda: answers(supervisor.root / "postgres-url"), START_S)
        assert os.stat(f"/proc/{pid}").st_uid != 0
        assert capabilities_of(pid) == 1 << 2
        await supervisor.stop()


@as_root
@pytest.mark.parametrize(
    ("withheld", "reason"),
    [
        ("-setuid,-setgid", "root may not become user"),
        ("-dac_read_search,-dac_override", "cannot reach"),
        ("-all", "start as an ordinary user"),
    ],
)
def test_where_it_cannot_start_one_line_says_what_to_do(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int], withheld: str, reason: str
) -> None:
    data, port = closed(tmp_path, "a clone") / "data", str(unused_tcp_port_factory())
    result = subprocess.run(
        ["setpriv", "--bounding-set", withheld, *MESSENGER, "up", "--port", port, "--data-dir", str(data)],
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("messenger: ")
    assert (result.stderr.count("\n"), reason in result.stderr) == (1, True), result.stderr
    assert "start" in result.stderr


@pytest.mark.skipif(not can_mount(), reason="needs mounts of its own")
@pytest.mark.parametrize("state", SHARED_MEMORY)
async def test_it_needs_no_shared_memory_of_the_system(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int], state: str
) -> None:
    port, within = unused_tcp_port_factory(), with_shared_memory(state)
    async with running_stack(tmp_path / "data", port, FEW, within=within) as stack:
        async with aiohttp.ClientSession() as http, http.get(f"{stack.url}/metrics") as response:
            assert response.status == 200
        assert " error " not in stack.output


async def test_the_home_and_the_place_for_temporary_files_may_be_missing(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOME", raising=False)
    env = {"TMPDIR": str(tmp_path / "missing" / ("long" * 60))}
    async with running_stack(tmp_path / "data", unused_tcp_port_factory(), FEW, env) as stack:
        assert " error " not in stack.output


def test_a_home_that_nobody_knows_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StackError, match="cannot tell where"):
        DataDir.at("~nobody-of-this-name/data")


async def test_a_path_that_initdb_cannot_take_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port_factory: Callable[[], int]
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(install_postgres(tmp_path / 'a "place" $HOME')))
    stack = await launch(tmp_path / "data", unused_tcp_port_factory(), FEW)
    with pytest.raises(StackFailed, match=r"messenger: PostgreSQL's initdb cannot be run from .* move the"):
        await stack.wait_ready()


class Make:
    """Runs `make run` in a copy of the checkout, with only what a bare container has."""

    def __init__(self, tmp_path: Path, port: int) -> None:
        shims = tmp_path / "bin"
        shims.mkdir(mode=0o755)
        # The client takes a minute to build, and is not under test here.
        (shims / "node").write_text("#!/bin/sh\nexit 1\n")
        (shims / "node").chmod(0o755)
        path = f"{shims}:{os.environ['PATH']}"
        self.env = {"MESSENGER_PORT": str(port), "TMPDIR": "/does/not/exist", "PATH": path}

    async def run(self, checkout: Path, *within: str, **env: str) -> RunningStack:
        """Starts it there; `within` is a command that runs in place of make."""
        output = checkout.with_name("run.log")
        start = output.stat().st_size if output.exists() else 0
        with output.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(within or ("make", "run", f"PYTHON={PYTHON}")),
                cwd=checkout,
                env=bare_environment() | self.env | env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
            )
        return RunningStack(process, checkout / ".messenger", output, start)


def give_uv(checkout: Path) -> None:
    """Links an environment that has uv already, so that the test fetches nothing that this checkout has."""
    venv = checkout / ".venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", venv], check=True, timeout=START_S)
    shutil.copy2(Path(sys.prefix) / "bin" / "uv", venv / "bin" / "uv")


async def is_up_and_stops(stack: RunningStack) -> None:
    """Checks that the stack becomes ready, and that Ctrl-C ends make and all the rest."""
    try:
        await until(lambda: "Messenger is at" in stack.output or stack.process.returncode is not None, MAKE_S)
        assert stack.process.returncode is None, stack.output[-2_000:]
    finally:
        if stack.process.returncode is None:
            os.killpg(stack.process.pid, signal.SIGINT)
    await asyncio.wait_for(stack.process.wait(), STOP_LIMIT_S)
    await until(lambda: "stopped" in stack.output.splitlines()[-1] or "Interrupt" in stack.output, START_S)


async def test_make_run_works_in_a_closed_home_of_a_strange_name_and_after_a_move(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    directory = closed(tmp_path, "한글 집 it's")
    checkout = directory / ("messenger " + "long" * 40)
    copy_of_checkout(ROOT, checkout)
    give_uv(checkout)
    make = Make(tmp_path, unused_tcp_port_factory())
    first = await make.run(checkout)
    await is_up_and_stops(first)
    assert ADDING in first.output
    moved = checkout.rename(directory / "elsewhere")
    second = await make.run(moved)
    await is_up_and_stops(second)
    assert ADDING not in second.output
    if can_mount():
        await read_only(make, moved, tmp_path)


async def read_only(make: Make, checkout: Path, tmp_path: Path) -> None:
    """Starts it once more, with nothing of the checkout writable and the data elsewhere."""
    within = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && cd "$0" && exec make run'
    command = ["unshare", "--mount", "sh", "-c", within, str(checkout)]
    refused = await asyncio.to_thread(
        subprocess.run,
        command,
        env=bare_environment(MESSENGER_DATA_DIR=str(checkout / "none")) | make.env,
        capture_output=True,
        text=True,
        timeout=MAKE_S,
        check=False,
    )
    assert "MESSENGER_DATA_DIR names another" in refused.stderr, refused.stderr
    assert "Traceback" not in refused.stderr
    data = str(tmp_path / "data elsewhere")
    await is_up_and_stops(await make.run(checkout, *command, MESSENGER_DATA_DIR=data))
