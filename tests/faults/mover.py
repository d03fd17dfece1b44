"""Owns comings and goings: takes people out of conversations and back in, and notes from where to where."""

from __future__ import annotations

import asyncio
from random import Random

from tests.faults.asking import Outcome, until_certain
from tests.faults.database import TableReader
from tests.faults.device import Device
from tests.faults.history import Absence, History

PAUSE_S = (0.2, 1.5)
AWAY_S = (0.2, 2.0)
_OUT_ALREADY = "not_found"


class Mover:
    """The admin of one conversation, who lets one member at a time go and come."""

    def __init__(
        self, admin: Device, room: str, others: list[int], tables: TableReader, random: Random
    ) -> None:
        self._admin = admin
        self._room = room
        self._others = others
        self._tables = tables
        self._random = random
        self._history: History = admin.history
        self._settled = False
        self._moving: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Moves people from now on."""
        self._moving = asyncio.create_task(self._move(), name=f"mover of {self._room}")

    async def settle(self, timeout_s: float) -> None:
        """Ends when everybody is in again."""
        self._settled = True
        if self._moving is not None:
            done, _ = await asyncio.wait([self._moving], timeout=timeout_s)
            if not done:
                self._history.refused(self._admin.seat[0], f"no certainty who is in {self._room}")
            else:
                await self._moving

    async def stop(self) -> None:
        """Leaves all as it is."""
        if self._moving is not None:
            self._moving.cancel()
            await asyncio.gather(self._moving, return_exceptions=True)

    async def _move(self) -> None:
        while not self._settled:
            await asyncio.sleep(self._random.uniform(*PAUSE_S))
            user_id = self._random.choice(self._others)
            out = await self._remove(user_id)
            self._history.absences.append(Absence(user_id, self._room, out, None))
            await asyncio.sleep(self._random.uniform(*AWAY_S))
            back = await self._add(user_id)
            self._history.absences[self._index(user_id)] = Absence(user_id, self._room, out, back)

    async def _remove(self, user_id: int) -> int:
        path = f"/conversations/{self._room}/participants/{user_id}"
        outcome = await self._until_certain("DELETE", path, None)
        # Asked again, it may have been done before.
        if outcome.data is None and outcome.code != _OUT_ALREADY:
            self._history.refused(user_id, f"removing: {outcome.code}")
        return await self._tables.member_pos(self._room, user_id)

    async def _add(self, user_id: int) -> int:
        path = f"/conversations/{self._room}/participants"
        outcome = await self._until_certain("POST", path, {"user_ids": [user_id]})
        if outcome.data is None:
            self._history.refused(user_id, f"adding: {outcome.code}")
        return await self._tables.member_pos(self._room, user_id)

    async def _until_certain(self, method: str, path: str, body: dict[str, object] | None) -> Outcome:
        async def ask() -> Outcome:
            return Outcome.of_reply(await self._admin.door.call(method, path, self._admin.token, body))

        return await until_certain(ask, self._random)

    def _index(self, user_id: int) -> int:
        absences = self._history.absences
        return max(i for i, a in enumerate(absences) if (a.user_id, a.room) == (user_id, self._room))
