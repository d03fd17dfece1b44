"""Owns how the people are whom this worker's sockets see: as their channels say, and compared at times."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from gateway.chores import Chores
from gateway.connection import Connection
from gateway.reach import BUDGET_S, PATIENCE_S, Answer, Reach
from gateway.sight import Person
from gateway.telling import Telling
from messenger_shared import channels, presences
from messenger_shared.bus import Bus
from messenger_shared.errors import AppError
from messenger_shared.presences import OFFLINE

log = logging.getLogger(__name__)

COMPARE_S: Final = 30.0
COMPARE_AGAIN_S: Final = 2.0
ASKED_AT_ONCE: Final = 500
FRESH_S: Final = 1.0


class People:
    """Each one's channel is subscribed once, while somebody here sees him.

    What gets lost on the way, or while presence or the bus is away, is found by comparing.
    """

    def __init__(self, bus: Bus, reach: Reach) -> None:
        self.telling = Telling(self._tells)
        self._bus = bus
        self._reach = reach
        self._people: dict[int, Person] = {}
        self._subscribing: set[asyncio.Task[None]] = set()
        self._compare_now = asyncio.Event()
        self._comparer: asyncio.Task[None] | None = None
        # Of whom sockets are about to get an answer.
        self._answers: dict[Connection, Container[int]] = {}
        self._loop = asyncio.get_running_loop()
        self._chores = Chores("people")

    async def start(self) -> None:
        """Compares from now on."""
        self._bus.on_gap(self.compare_soon)
        # What a worker of presence had taken and not yet told, nobody tells.
        self._reach.on_gone(self.compare_soon)
        self._comparer = asyncio.create_task(self._compare_for_ever(), name="comparing presence")

    async def stop(self) -> None:
        """Knows nothing new any more."""
        tasks = [*self._subscribing, *([self._comparer] if self._comparer else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._chores.stop()
        self.telling.stop()

    def get(self, user_id: int) -> Person | None:
        """The person, if anybody here sees him."""
        return self._people.get(user_id)

    def hold(self, user_ids: Collection[int]) -> list[Person]:
        """The people with these ids, who may be new; whoever calls sees them from now on."""
        fresh = [user_id for user_id in user_ids if user_id not in self._people]
        for user_id in fresh:
            self._people[user_id] = Person(user_id)
        if fresh:
            task = asyncio.create_task(self._subscribe(fresh), name="subscribing presence")
            self._subscribing.add(task)
            task.add_done_callback(self._subscribing.discard)
        return [self._people[user_id] for user_id in user_ids]

    def let_go(self, people: Iterable[Person]) -> None:
        """Some of them may be seen by nobody any more."""
        for person in people:
            if person.unseen and self._people.get(person.user_id) is person:
                del self._people[person.user_id]
                self._bus.unsubscribe([channels.presence(person.user_id)])

    async def hears(self) -> None:
        """Returns when no transition of anybody who is held now gets past any more."""
        if self._subscribing:
            # All of them: another socket may have come to see the same people just now.
            await asyncio.wait(self._subscribing)

    @contextmanager
    def answering(self, connection: Connection, user_ids: Container[int]) -> Iterator[None]:
        """Within, the socket isn't told of these, whom it watches: how they are then is in its answer."""
        self._answers[connection] = user_ids
        try:
            yield
        finally:
            self._answers.pop(connection, None)

    async def look_up(self, user_ids: Collection[int]) -> None:
        """Asks how people are, for as long as a subscriber may wait; without an answer it is known later.

        Who looks at the same people at the same time, or just after that, is served by one question.
        """
        people = [person for user_id in user_ids if (person := self._people.get(user_id)) is not None]
        fresh_at = self._loop.time() - FRESH_S
        asked = {person.asking for person in people if person.asking is not None}
        stale = [person for person in people if person.asking is None and person.checked_at < fresh_at]
        if stale:
            await self._look_up(stale)
        if asked:
            await asyncio.wait(asked, timeout=BUDGET_S)

    async def _look_up(self, people: Collection[Person]) -> None:
        asking, begun = self._loop.create_future(), self._loop.time()
        for person in people:
            person.asking = asking
        try:
            await self._take([person.user_id for person in people], BUDGET_S)
            for person in people:
                person.checked_at = begun
        except AppError:
            self.compare_soon()
        finally:
            for person in people:
                person.asking = None
            asking.set_result(None)

    def look_up_soon(self, user_ids: Collection[int]) -> None:
        """Asks, and nobody waits for it."""
        self._chores.run(self._look_up_later(user_ids))

    def compare_soon(self) -> None:
        """Something may have been missed."""
        self._compare_now.set()

    def _tells(self, user_id: int) -> bool:
        person = self._people.get(user_id)
        return person is not None and person.version >= 0 and not person.hides

    async def _look_up_later(self, user_ids: Collection[int]) -> None:
        await self.hears()
        await self.look_up(user_ids)

    async def _subscribe(self, user_ids: list[int]) -> None:
        # Some may have come and gone in one turn.
        names = [channels.presence(user_id) for user_id in user_ids if user_id in self._people]
        try:
            await self._bus.subscribe(names, self._on_changes)
        except AppError as error:
            # The bus goes on trying; until then a transition is missed, and found by comparing.
            log.warning("watching starts late: %s", error)
            self.compare_soon()

    def _on_changes(self, payload: bytes) -> None:
        for change in presences.unpack(payload):
            person = self._people.get(change.user_id)
            if person is not None and change.version >= person.version:
                person.version = change.version
                if person.become(change.status, change.at_ms, change.seen_ms, hides=change.hides):
                    self._tell(person)

    async def _take(self, user_ids: Sequence[int], deadline_s: float) -> bool:
        """Asks, and takes what is said; returns whether presence was sure of it. Raises AppError."""
        starts = range(0, len(user_ids), ASKED_AT_ONCE)
        chunks = [user_ids[start : start + ASKED_AT_ONCE] for start in starts]
        answers = await asyncio.gather(*(self._reach.states(c, deadline_s=deadline_s) for c in chunks))
        if gone := [user_id for answer in answers for user_id in self._learn(answer)]:
            # Where somebody is told to be gone, it is told when he was last there.
            answer = await self._reach.states(gone, with_seen=True, deadline_s=deadline_s)
            self._learn(answer, with_seen=True)
        return all(answer.settled for answer in answers)

    def _learn(self, answer: Answer, *, with_seen: bool = False) -> list[int]:
        """Takes an answer; returns those who are gone by it, unless it says when they were last there."""
        gone = []
        for user_id, status, hides, seen_ms in answer.users:
            person = self._people.get(user_id)
            if person is None or answer.version < person.version:
                continue
            if status == OFFLINE != person.status and not (answer.settled and with_seen):
                if answer.settled:
                    gone.append(user_id)
                continue
            person.version = answer.version
            if person.become(status, int(time.time() * 1000), seen_ms, hides=hides):
                self._tell(person)
        return gone

    def _tell(self, person: Person) -> None:
        for sight in person.sights:
            self.telling.log(sight, person)
        for connection in person.watchers:
            if person.user_id not in self._answers.get(connection, ()):
                self.telling.note(connection, person)

    async def _compare_for_ever(self) -> None:
        wait_s = COMPARE_S
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    await self._compare_now.wait()
                # Whatever was missed, more of the same may just be coming.
                await asyncio.sleep(COMPARE_AGAIN_S)
            except TimeoutError:
                pass
            self._compare_now.clear()
            try:
                settled = await self._take(list(self._people), PATIENCE_S)
            except AppError:
                settled = False
            except Exception:
                log.exception("comparing failed")
                settled = True
            wait_s = COMPARE_S if settled else COMPARE_AGAIN_S
