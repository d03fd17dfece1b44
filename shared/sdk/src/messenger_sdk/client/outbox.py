"""Messages on their way to the messenger, one after the other."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from messenger_sdk.back_off import BackOff
from messenger_sdk.client.socket import Socket
from messenger_sdk.errors import UNREACHABLE, MessengerError
from messenger_sdk.models import Message

MAX_WAITING = 1_000


@dataclass
class _Entry:
    fields: dict[str, Any]
    stored: asyncio.Future[Message] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Outbox:
    """Keeps messages in order until the messenger has stored them, over any number of sockets.

    Each has a `client_message_id`, so a repeat is stored once.
    """

    def __init__(self) -> None:
        self._waiting: deque[_Entry] = deque()
        self._added = asyncio.Event()
        self._ended: MessengerError | None = None

    async def send(self, fields: dict[str, Any]) -> Message:
        """Returns the stored message. Raises MessengerError.

        The error `overloaded` means that MAX_WAITING messages wait already. If the caller is cancelled, a
        message that has not been sent yet is not sent.
        """
        if self._ended is not None:
            raise self._ended
        if len(self._waiting) >= MAX_WAITING:
            raise MessengerError("overloaded", "the outbox is full", retryable=True)
        entry = _Entry({"client_message_id": uuid.uuid4().hex, **fields})
        self._waiting.append(entry)
        self._added.set()
        return await entry.stored

    async def run(self, socket: Socket) -> MessengerError:
        """Sends what waits. Returns the error of a message that got no answer, and keeps the message."""
        back_off = BackOff()
        while True:
            entry = await self._next()
            try:
                answer = await socket.command("message.send", entry.fields)
            except MessengerError as error:
                if error.code == UNREACHABLE:
                    return error
                if error.retryable:
                    await asyncio.sleep(back_off.next(error.retry_after_s))
                    continue
                self._settle(entry, error)
            else:
                self._settle(entry, answer["data"])
            back_off.reset()

    def fail(self, error: MessengerError) -> None:
        """Nothing will be sent any more: all messages fail, and so do later ones."""
        self._ended = error
        while self._waiting:
            self._settle(self._waiting[0], error)

    async def _next(self) -> _Entry:
        """Waits for the oldest entry, which stays in the outbox."""
        while True:
            while self._waiting and self._waiting[0].stored.done():
                self._waiting.popleft()
            if self._waiting:
                return self._waiting[0]
            self._added.clear()
            await self._added.wait()

    def _settle(self, entry: _Entry, result: Message | MessengerError) -> None:
        self._waiting.popleft()
        if entry.stored.done():
            return
        if isinstance(result, MessengerError):
            entry.stored.set_exception(result)
        else:
            entry.stored.set_result(result)
