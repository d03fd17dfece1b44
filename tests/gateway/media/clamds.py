"""Two clamds for tests: Debian's real one with one signature of our own, and a stand-in over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

# In two pieces, so that no scanner finds this file.
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
# A stream may have so many bytes.
MAX_BYTES = 1024**2
START_S = 120
_CONFIGURATION = """
Foreground yes
DatabaseDirectory {folder}/signatures
LocalSocket {folder}/clamd.sock
TCPSocket {port}
TCPAddr 127.0.0.1
StreamMaxLength 1M
"""


class Addresses(NamedTuple):
    """Where a clamd listens."""

    path: str
    port: int


@contextlib.contextmanager
def real_clamd() -> Iterator[Addresses]:
    """Runs the installed clamd. Skips the test where there is none."""
    program = shutil.which("clamd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        pytest.skip("no clamd is installed, so only the stand-in was asked (Debian: clamav-daemon)")
    # The path of a socket must be short.
    with tempfile.TemporaryDirectory() as name, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        folder, port = Path(name), free.getsockname()[1]
        free.close()
        (folder / "signatures").mkdir()
        (folder / "signatures" / "test.ndb").write_text(f"Eicar-Test:0:*:{EICAR.hex()}\n")
        settings = folder / "clamd.conf"
        settings.write_text(_CONFIGURATION.format(folder=folder, port=port))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([program, f"--config-file={settings}"], stdout=log, stderr=log)
        try:
            _wait_for(folder / "clamd.sock", process, folder / "log")
            yield Addresses(str(folder / "clamd.sock"), port)
        finally:
            process.kill()
            process.wait()


def _wait_for(path: Path, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(str(path))
            return
        time.sleep(0.05)
    raise AssertionError(f"clamd doesn't start: {log.read_text()}")


@contextlib.asynccontextmanager
async def stand_in() -> AsyncIterator[Addresses]:
    """Runs a server that knows INSTREAM and EICAR, and answers as clamd 1.4 does."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/clamd.sock"
        async with (
            await asyncio.start_unix_server(_scan, path),
            await asyncio.start_server(_scan, "127.0.0.1", 0) as server,
        ):
            yield Addresses(path, server.sockets[0].getsockname()[1])


async def _scan(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
    content = b""
    while length := int.from_bytes(await reader.readexactly(4), "big"):
        if len(content) + length > MAX_BYTES:
            writer.write(b"INSTREAM size limit exceeded. ERROR\0")
            break
        content += await reader.readexactly(length)
    else:
        writer.write(b"stream: Eicar-Test FOUND\0" if EICAR in content else b"stream: OK\0")
    with contextlib.suppress(OSError):
        await writer.drain()
    writer.close()
