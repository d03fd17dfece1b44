"""Polls until something outside this process is true, such as a service being ready."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

_POLL_S = 0.02
_ANSWER_LIMIT_S = 5.0


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Polls `check` until it is true. Other processes can't notify us, so there is no better way."""
    while True:
        if await check():
            return
        await asyncio.sleep(_POLL_S)


async def ask(host: str, port: int, question: str, answer_lines: int) -> bytes:
    """Sends `question` over TCP and returns the first lines of the answer, or b"" after a failure or 5 s."""
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER_LIMIT_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(question.encode())
                return b"".join([await reader.readline() for _ in range(answer_lines)])
            finally:
                writer.close()
    return b""


async def is_ready(host: str, port: int) -> bool:
    """Whether `GET /readyz` answers 200: the same check that an orchestrator makes."""
    question = f"GET /readyz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    return b" 200 " in await ask(host, port, question, answer_lines=1)
