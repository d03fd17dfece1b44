"""The command line of the upload benchmark: 200 uploads of 10 MiB at once, beside chat."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp.test_utils import unused_port

from messenger_sdk import Client
from tests.bench import usage
from tests.bench.command import measured
from tests.bench.generator import generating
from tests.bench.presence.bench_stack import (
    BenchStack,
    pairs_file,
    running_bench_stack,
)
from tests.bench.programs import Programs
from tests.faults.judge.lag import quantile

MIB: Final = 1024 * 1024
RISE_MAX_MIB: Final = 64.0
CHATTERS: Final = 200
MESSAGES_PER_S: Final = 100
FIRST_USER: Final = 1_000_001
_QUIET_S: Final = 10
_SAMPLE_S: Final = 0.25
_GATEWAY: Final = "gateway"


@dataclass(frozen=True, slots=True)
class Uploads:
    """The uploads of one run. `rise_mib` is how far the gateway's memory rose at most."""

    number: int
    mib: int
    seconds: float
    rise_mib: float


def main() -> None:
    """Exits with 1 when the gateway's memory rises too far."""
    options = _parser().parse_args()
    found = measured("uploads", lambda programs, place: _measure(options, programs, place))
    if found is None:
        return
    sys.exit(0 if found.rise_mib <= RISE_MAX_MIB else 1)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.uploads", description="Many uploads at once, and chat beside them."
    )
    parser.add_argument("--uploads", type=int, default=200, metavar="N", help="at once (200)")
    parser.add_argument("--mib", type=int, default=10, metavar="N", help="the size of each in MiB (10)")
    parser.add_argument("--workers", default="gateway=2,chat-api=1,presence=1", help="of the stack")
    return parser


async def _measure(options: argparse.Namespace, programs: Programs, directory: Path) -> Uploads:
    path = directory / "content.bin"
    path.write_bytes(random.Random(7).randbytes(options.mib * MIB))
    async with running_bench_stack(directory, unused_port(), options.workers) as stack:
        chat = await pairs_file(stack, directory, range(FIRST_USER, FIRST_USER + CHATTERS))
        async with _chatting(stack, programs, chat, "without uploads", _QUIET_S):
            pass
        async with _chatting(stack, programs, chat, "beside uploads", _QUIET_S):
            found = await _upload_all(stack, path, options.uploads, options.mib)
    print(
        f"{found.number} uploads of {found.mib} MiB in {found.seconds:.1f} s "
        f"({found.number * found.mib / found.seconds:.0f} MiB/s), gateway +{found.rise_mib:.1f} MiB at most"
    )
    return found


@contextlib.asynccontextmanager
async def _chatting(
    stack: BenchStack, programs: Programs, chat: Path, title: str, seconds: int
) -> AsyncIterator[None]:
    """Chats while the block runs, and prints the latencies."""
    latencies = chat.with_name("latencies")
    pace = ("-d", str(seconds), "-r", str(MESSAGES_PER_S), "-o", str(latencies))
    async with generating(programs.load, "durable", stack.port, chat, options=pace) as chatters:
        running = asyncio.create_task(chatters.run())
        try:
            yield
            await running
        finally:
            running.cancel()
        await chatters.close()
    found = [int(line) / 1e3 for line in latencies.read_text().split()]
    print(f"chat {title}: p50 {quantile(found, 0.5):.1f} ms, p99 {quantile(found, 0.99):.1f} ms", flush=True)


async def _upload_all(stack: BenchStack, path: Path, number: int, mib: int) -> Uploads:
    users = range(FIRST_USER + CHATTERS, FIRST_USER + CHATTERS + number)
    before = _gateway_mib(stack)
    peak = before
    begun = time.monotonic()
    uploads = asyncio.gather(*(_upload(stack, user, path) for user in users))
    while not uploads.done():
        peak = max(peak, _gateway_mib(stack))
        await asyncio.wait([uploads], timeout=_SAMPLE_S)
    await uploads
    return Uploads(number, mib, time.monotonic() - begun, peak - before)


async def _upload(stack: BenchStack, user: int, path: Path) -> None:
    client = Client(f"http://127.0.0.1:{stack.port}", lambda: stack.token(user))
    try:
        await client.upload(path)
    finally:
        await client.close()


def _gateway_mib(stack: BenchStack) -> float:
    return usage.memory_kib(stack.roots)[_GATEWAY] / 1024


if __name__ == "__main__":
    main()
