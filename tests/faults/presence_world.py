"""Owns people whose devices come and go while they are looked at: what is true, and what is believed."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import aiohttp

from tests.client import Frame, NoSuchFrame, Person, Socket
from tests.e2e.presences import rows_of

GONE = (aiohttp.ClientError, NoSuchFrame, TimeoutError, ConnectionError)
BACKOFF_S = (0.05, 0.4)
SILENCE_S = 300.0
# A change is under way for so long at most: gathered, and on a busy machine.
UNDER_WAY_S = 3.0
CLOCKS_DIFFER = timedelta(milliseconds=100)
CHURN_S = 0.02
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Subject:
    """Somebody with devices."""

    person: Person
    up: set[Device] = field(default_factory=set)
    up_since: float = 0.0
    last_seen: datetime = NEVER

    def saw(self, text: str | None) -> str | None:
        """Takes when he was last seen; what is wrong with that."""
        if text is None:
            return None
        seen = datetime.fromisoformat(text)
        before, self.last_seen = self.last_seen, max(seen, self.last_seen)
        if seen < before:
            return f"last seen of {self.person.user_id} went back: {seen} after {before}"
        if seen > datetime.now(UTC) + CLOCKS_DIFFER:
            return f"last seen of {self.person.user_id} is in the future: {seen}"
        return None


class Device:
    """Holds a socket while it is wanted to, however often the socket ends."""

    def __init__(self, subject: Subject, random: Random) -> None:
        self.wanted = asyncio.Event()
        self.subject = subject
        self._random = random
        self._unwanted = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="device")

    def toggle(self) -> None:
        """Comes, or goes."""
        if self.wanted.is_set():
            self.wanted.clear()
            self._unwanted.set()
        else:
            self._unwanted.clear()
            self.wanted.set()

    async def stop(self) -> None:
        """Is no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self.wanted.wait()
            with suppress(*GONE):
                socket = await self.subject.person.connect()
                try:
                    self._is_up(True)
                    await self._hold(socket)
                finally:
                    self._is_up(False)
                    self.subject.person.sockets.remove(socket)
                    await socket.close()
            if self.wanted.is_set():
                await asyncio.sleep(self._random.uniform(*BACKOFF_S))

    async def _hold(self, socket: Socket) -> None:
        """Until it isn't wanted, or the socket ends."""
        ended = asyncio.create_task(socket.wait_end(SILENCE_S))
        unwanted = asyncio.create_task(self._unwanted.wait())
        try:
            await asyncio.wait((ended, unwanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (ended, unwanted):
                task.cancel()
            await asyncio.gather(ended, unwanted, return_exceptions=True)

    def _is_up(self, up: bool) -> None:
        subject = self.subject
        if up and not subject.up:
            subject.up_since = time.monotonic()
        (subject.up.add if up else subject.up.discard)(self)


class Looker:
    """Looks at the conversation of all, believes what it is told, and notes what can't be true."""

    def __init__(self, person: Person, room: str, subjects: dict[int, Subject], faults: list[str]) -> None:
        self.person = person
        self.believed: dict[int, bool] = {}
        self.looks = False
        self._room = room
        self._subjects = subjects
        self._faults = faults
        self._task = asyncio.create_task(self._run(), name="looker")

    async def stop(self) -> None:
        """Looks no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            with suppress(*GONE):
                await self._look(await self.person.connect())
            self.looks = False
            await asyncio.sleep(BACKOFF_S[0])

    async def _look(self, socket: Socket) -> None:
        while True:
            answer = await socket.request("subscribe", conversation_id=self._room)
            if answer["type"] == "subscribed":
                break
            await asyncio.sleep(BACKOFF_S[0])
        self.believed = {user_id: user_id in answer["online"] for user_id in self._subjects}
        self.looks = True
        while True:
            frame = await socket.wait(lambda frame: True, timeout_s=SILENCE_S)
            for user_id in self._subjects:
                for row in rows_of(frame, user_id):
                    self._hear(user_id, row, frame)

    def _hear(self, user_id: int, row: dict[str, Any], frame: Frame) -> None:
        subject = self._subjects[user_id]
        self.believed[user_id] = row["status"] != "offline"
        if fault := subject.saw(row.get("last_seen_at")):
            self._faults.append(fault)
        up_for = time.monotonic() - subject.up_since
        if row["status"] == "offline" and subject.up and up_for > UNDER_WAY_S:
            self._faults.append(f"{user_id} was told to be offline, and is here for {up_for:.1f} s: {frame}")


class PresenceWorld:
    """All of them."""

    def __init__(self, lookers: list[Looker], subjects: dict[int, Subject], random: Random) -> None:
        self.lookers = lookers
        self.subjects = subjects
        self.devices: list[Device] = []
        self._random = random

    async def churn(self, seconds: float) -> None:
        """Devices come and go for a while."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._random.choice(self.devices).toggle()
            await asyncio.sleep(CHURN_S)

    def wrong(self) -> list[str]:
        """Who believes what isn't so."""
        found = [f"{looker.person.user_id} doesn't look" for looker in self.lookers if not looker.looks]
        for device in self.devices:
            if device.wanted.is_set() != (device in device.subject.up):
                found.append("a device isn't where it wants to be")
        for looker in self.lookers:
            for user_id, subject in self.subjects.items():
                if looker.believed.get(user_id) != bool(subject.up):
                    found.append(f"{looker.person.user_id} believes wrongly of {user_id}")
        return found

    async def wrong_over_rest(self, faults: list[str]) -> list[str]:
        """The same over REST, for which last seen is looked at too."""
        asker, found = self.lookers[0].person, []
        try:
            reply = await asker.get("/presence", user_ids=",".join(map(str, self.subjects)))
        except GONE as error:
            return [repr(error)]
        if reply.status != 200:
            return [str(reply.status)]
        for row in reply.body["items"]:
            subject = self.subjects[row["user_id"]]
            if fault := subject.saw(row["last_seen_at"]):
                faults.append(f"over REST: {fault}")
            if (row["status"] != "offline") != bool(subject.up):
                found.append(f"{row['user_id']} is {row['status']} over REST")
        return found

    async def stop(self) -> None:
        """Ends them."""
        await asyncio.gather(*(part.stop() for part in (*self.devices, *self.lookers)))
