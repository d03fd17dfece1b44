"""Owns reading a socket: each frame is counted, and a few at a time are taken, in turns with others'."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import WSMsgType

from gateway.commands import Commands, ref_in
from gateway.connection import Connection
from gateway.lane import Lane
from gateway.metrics import FRAMES
from messenger_shared.closes import Close, answer

# How many of the frames that came in one piece are taken before everybody else has a turn.
AT_ONCE: Final = 16


async def read(connection: Connection, lane: Lane, commands: Commands) -> None:
    """Carries out what comes, and returns when the socket is closed or being closed."""
    socket, loop = connection.socket, asyncio.get_running_loop()
    taken = 0
    # Once it is being closed, what a flood has left behind is nobody's business any more.
    while connection.closing is None:
        message = await socket.receive()
        if message.type is WSMsgType.TEXT:
            if wait_ms := _count(connection, loop):
                connection.refuse(wait_ms, ref_in(message.data))
            else:
                await commands.handle(connection, lane, message.data)
        elif message.type is WSMsgType.PONG:
            connection.pinged_at = 0.0
        elif message.type is WSMsgType.PING:
            if wait_ms := _count(connection, loop):
                connection.refuse(wait_ms)
            else:
                connection.pong(message.data)
        elif message.type is WSMsgType.BINARY:
            connection.close(Close.PROTOCOL_VIOLATION)
        elif message.type is WSMsgType.CLOSE:
            connection.flush()
            await socket.close(code=answer(message.data), drain=False)
            return
        else:
            return
        taken += 1
        if not taken % AT_ONCE:
            await asyncio.sleep(0)


def _count(connection: Connection, loop: asyncio.AbstractEventLoop) -> int:
    """0 when one more frame is within the limit, else the milliseconds until it will be."""
    FRAMES.count()
    return connection.frames.take(loop.time())
