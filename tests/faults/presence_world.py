"""Users whose devices come and go, and observers who compare the presence they get with the truth."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import aiohttp

from tests.client import Frame, NoSuchFrame, Socket, User
from tests.e2e.seen_presence import rows_of

GONE = (aiohttp.ClientError, NoSuchFrame, TimeoutError, ConnectionError)
BACKOFF_S = (0.05, 0.4)
SILENCE_S = 300.0
# A change may be under way for so long at most: it waits for its batch, on a busy machine.
UNDER_WAY_S = 3.0
CLOCKS_DIFFER = timedelta(milliseconds=100)
CHURN_S = 0.02
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class ObservedUser:
    """A user whose devices come and go."""

    user: User
    connected: set[Device] = field(default_factory=set)
    connected_since: float = 0.0
    last_seen: datetime = NEVER

    def check_last_seen(self, text: str | None) -> str | None:
        """Takes a last-seen time; returns what is wrong with it, or None."""
        if text is None:
            return None
        seen = datetime.fromisoformat(text)
        before, self.last_seen = self.last_seen, max(seen, self.last_seen)
        if seen < before:
            return f"last seen of {self.user.user_id} went back: {seen} after {before}"
        if seen > datetime.now(UTC) + CLOCKS_DIFFER:
            return f"last seen of {self.user.user_id} is in the future: {seen}"
        return None


class Device:
    """Keeps a socket open while it is wanted, however often the socket ends."""

    def __init__(self, observed: ObservedUser, random: Random) -> None:
        self.wanted = asyncio.Event()
        self.observed = observed
        self._random = random
        self._unwanted = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="device")

    def toggle(self) -> None:
        """Connects or disconnects."""
        if self.wanted.is_set():
            self.wanted.clear()
            self._unwanted.set()
        else:
            self._unwanted.clear()
            self.wanted.set()

    async def stop(self) -> None:
        """Ends the device."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self.wanted.wait()
            with suppress(*GONE):
                socket = await self.observed.user.connect()
                try:
                    self._set_connected(True)
                    await self._wait_until_unwanted(socket)
                finally:
                    self._set_connected(False)
                    self.observed.user.sockets.remove(socket)
                    await socket.close()
            if self.wanted.is_set():
                await asyncio.sleep(self._random.uniform(*BACKOFF_S))

    async def _wait_until_unwanted(self, socket: Socket) -> None:
        """Returns when the socket isn't wanted any more, or ends."""
        ended = asyncio.create_task(socket.wait_end(SILENCE_S))
        unwanted = asyncio.create_task(self._unwanted.wait())
        try:
            await asyncio.wait((ended, unwanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ended, unwanted):
                task.cancel()
            await asyncio.gather(ended, unwanted, return_exceptions=True)

    def _set_connected(self, is_connected: bool) -> None:
        observed = self.observed
        if is_connected and not observed.connected:
            observed.connected_since = time.monotonic()
        (observed.connected.add if is_connected else observed.connected.discard)(self)


class Observer:
    """Watches the common conversation, keeps the states it gets, and records impossible ones."""

    def __init__(
        self, user: User, room: str, observed_users: dict[int, ObservedUser], errors: list[str]
    ) -> None:
        self.user = user
        self.believed: dict[int, bool] = {}
        self.is_watching = False
        self._room = room
        self._observed_users = observed_users
        self._errors = errors
        self._task = asyncio.create_task(self._run(), name="observer")

    async def stop(self) -> None:
        """Ends the observer."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            with suppress(*GONE):
                await self._watch(await self.user.connect())
            self.is_watching = False
            await asyncio.sleep(BACKOFF_S[0])

    async def _watch(self, socket: Socket) -> None:
        while True:
            answer = await socket.request("subscribe", conversation_id=self._room)
            if answer["type"] == "subscribed":
                break
            await asyncio.sleep(BACKOFF_S[0])
        self.believed = {user_id: user_id in answer["online"] for user_id in self._observed_users}
        self.is_watching = True
        while True:
            frame = await socket.wait(lambda frame: True, timeout_s=SILENCE_S)
            for user_id in self._observed_users:
                for row in rows_of(frame, user_id):
                    self._on_status(user_id, row, frame)

    def _on_status(self, user_id: int, row: dict[str, Any], frame: Frame) -> None:
        observed = self._observed_users[user_id]
        self.believed[user_id] = row["status"] != "offline"
        if error := observed.check_last_seen(row.get("last_seen_at")):
            self._errors.append(error)
        connected_for = time.monotonic() - observed.connected_since
        if row["status"] == "offline" and observed.connected and connected_for > UNDER_WAY_S:
            self._errors.append(
                f"{user_id} was shown as offline, and has been connected for {connected_for:.1f} s: {frame}"
            )


class PresenceWorld:
    """All observers, users and devices of a run."""

    def __init__(
        self, observers: list[Observer], observed_users: dict[int, ObservedUser], random: Random
    ) -> None:
        self.observers = observers
        self.observed_users = observed_users
        self.devices: list[Device] = []
        self._random = random

    async def churn(self, seconds: float) -> None:
        """Lets devices come and go for a while."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._random.choice(self.devices).toggle()
            await asyncio.sleep(CHURN_S)

    def mismatches(self) -> list[str]:
        """Returns the states that observers believe and that aren't so."""
        found = [
            f"{observer.user.user_id} doesn't look" for observer in self.observers if not observer.is_watching
        ]
        for device in self.devices:
            if device.wanted.is_set() != (device in device.observed.connected):
                found.append("a device isn't where it wants to be")
        for observer in self.observers:
            for user_id, observed in self.observed_users.items():
                if observer.believed.get(user_id) != bool(observed.connected):
                    found.append(f"{observer.user.user_id} believes wrongly of {user_id}")
        return found

    async def rest_mismatches(self, errors: list[str]) -> list[str]:
        """Compares the states over REST too, and checks the last-seen times there."""
        asker, found = self.observers[0].user, []
        try:
            reply = await asker.get("/presence", user_ids=",".join(map(str, self.observed_users)))
        except GONE as error:
            return [repr(error)]
        if reply.status != 200:
            return [str(reply.status)]
        for row in reply.body["items"]:
            observed = self.observed_users[row["user_id"]]
            if error := observed.check_last_seen(row["last_seen_at"]):
                errors.append(f"over REST: {error}")
            if (row["status"] != "offline") != bool(observed.connected):
                found.append(f"{row['user_id']} is {row['status']} over REST")
        return found

    async def stop(self) -> None:
        """Ends all devices and observers."""
        await asyncio.gather(*(part.stop() for part in (*self.devices, *self.observers)))
