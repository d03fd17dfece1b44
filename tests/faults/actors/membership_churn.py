"""Removes users from conversations and adds them again; records the positions between which they were out."""

from __future__ import annotations

import asyncio
from random import Random

from tests.faults.actors.device import Device
from tests.faults.actors.repetition import Outcome, until_certain
from tests.faults.record.database import TableReader
from tests.faults.record.history import Absence, History

PAUSE_S = (0.2, 1.5)
AWAY_S = (0.2, 2.0)
_ALREADY_REMOVED = "not_found"


class MembershipChurn:
    """The admin of one conversation: removes one or two members at a time, and adds them again together."""

    def __init__(
        self, admin: Device, room: str, others: list[int], tables: TableReader, random: Random
    ) -> None:
        self._admin = admin
        self._room = room
        self._others = others
        self._tables = tables
        self._random = random
        self._history: History = admin.history
        self._is_settled = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts to remove and add users."""
        self._task = asyncio.create_task(self._run(), name=f"membership churn of {self._room}")

    async def settle(self, timeout_s: float) -> None:
        """Begins no new change, and returns when everybody is a member again."""
        self._is_settled = True
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=timeout_s)
            if not done:
                self._history.refused(self._admin.device_id[0], f"no certainty who is in {self._room}")
            else:
                await self._task

    async def stop(self) -> None:
        """Stops at once; users who are out stay out."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._is_settled:
            await asyncio.sleep(self._random.uniform(*PAUSE_S))
            user_ids = self._random.sample(self._others, min(self._random.randint(1, 2), len(self._others)))
            out = {}
            for user_id in user_ids:
                out[user_id] = await self._remove(user_id)
                self._history.absences.append(Absence(user_id, self._room, out[user_id], None))
            await asyncio.sleep(self._random.uniform(*AWAY_S))
            back = await self._add(user_ids)
            for user_id in user_ids:
                self._history.absences[self._index(user_id)] = Absence(
                    user_id, self._room, out[user_id], back
                )

    async def _remove(self, user_id: int) -> int:
        path = f"/conversations/{self._room}/participants/{user_id}"
        outcome = await self._until_certain("DELETE", path, None)
        # A repeated request finds that the first one succeeded.
        if outcome.data is None and outcome.code != _ALREADY_REMOVED:
            self._history.refused(user_id, f"removing: {outcome.code}")
        return await self._tables.member_pos(self._room, user_id)

    async def _add(self, user_ids: list[int]) -> int:
        path = f"/conversations/{self._room}/participants"
        outcome = await self._until_certain("POST", path, {"user_ids": user_ids})
        if outcome.data is None:
            self._history.refused(user_ids[0], f"adding: {outcome.code}")
        return await self._tables.member_pos(self._room, user_ids[0])

    async def _until_certain(self, method: str, path: str, body: dict[str, object] | None) -> Outcome:
        async def ask() -> Outcome:
            return Outcome.of_reply(await self._admin.gateway.call(method, path, self._admin.token, body))

        return await until_certain(ask, self._random)

    def _index(self, user_id: int) -> int:
        absences = self._history.absences
        return max(i for i, a in enumerate(absences) if (a.user_id, a.room) == (user_id, self._room))
