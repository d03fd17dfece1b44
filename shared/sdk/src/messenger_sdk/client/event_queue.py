"""Events between the socket and the application."""

from __future__ import annotations

import asyncio
from collections import deque

from messenger_sdk.client.socket import Frame
from messenger_sdk.errors import MessengerError

MAX_EVENTS = 10_000


class EventQueue:
    """A bounded queue for one reader."""

    def __init__(self, max_events: int = MAX_EVENTS) -> None:
        self._frames: deque[Frame] = deque()
        self._max_events = max_events
        self._ended = False
        self._error: MessengerError | None = None
        self._wakeup = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def offer(self, frame: Frame) -> bool:
        """Adds a frame. Returns False if there is no room."""
        if len(self._frames) >= self._max_events:
            return False
        self._frames.append(frame)
        self._empty.clear()
        self._wakeup.set()
        return True

    async def drained(self) -> None:
        """Waits until the application has taken everything."""
        await self._empty.wait()

    def end(self, error: MessengerError | None) -> None:
        """Nothing more comes. The reader gets what is left, and then the error of the first call."""
        if not self._ended:
            self._ended, self._error = True, error
        self._wakeup.set()

    def __aiter__(self) -> EventQueue:
        return self

    async def __anext__(self) -> Frame:
        while not self._frames:
            self._empty.set()
            if self._ended:
                raise self._error or StopAsyncIteration
            self._wakeup.clear()
            await self._wakeup.wait()
        return self._frames.popleft()
