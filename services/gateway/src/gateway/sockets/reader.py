"""Reads a socket's frames within its rate limit, a few at a time so that other sockets get their turn."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import WSMsgType

from gateway.connections.connection import Connection
from gateway.metrics import FRAMES
from gateway.sockets.command_queue import CommandQueue
from gateway.sockets.commands import Commands, ref_in
from messenger_shared.contract.close_codes import Close, answer

# After this many frames, other sockets get a turn, even if more frames have already arrived.
FRAMES_PER_TURN: Final = 16
# A longer frame counts as two, so that a flood of the longest brings no more bytes than a flood of these.
LONG_FRAME_CHARS: Final = 65_536


async def read(connection: Connection, queue: CommandQueue, commands: Commands) -> None:
    """Handles frames until the socket is closed or being closed."""
    socket, loop = connection.socket, asyncio.get_running_loop()
    handled = 0
    # Once the socket is being closed, the rest of a flood is ignored.
    while connection.closing is None:
        message = await socket.receive()
        if message.type is WSMsgType.TEXT:
            if wait_ms := _count(connection, loop, 2 if len(message.data) > LONG_FRAME_CHARS else 1):
                connection.send_rate_limited(wait_ms, ref_in(message.data))
            else:
                await commands.handle(connection, queue, message.data)
        elif message.type is WSMsgType.PONG:
            connection.pinged_at = 0.0
        elif message.type is WSMsgType.PING:
            if wait_ms := _count(connection, loop, 1):
                connection.send_rate_limited(wait_ms)
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
        handled += 1
        if not handled % FRAMES_PER_TURN:
            await asyncio.sleep(0)


def _count(connection: Connection, loop: asyncio.AbstractEventLoop, number: int) -> int:
    """Counts a frame as `number` frames; returns 0 within the limit, else how many milliseconds to wait."""
    FRAMES.count()
    return connection.frame_limit.take(loop.time(), number)
