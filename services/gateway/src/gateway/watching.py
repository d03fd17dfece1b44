"""Owns who sees whom, by looking at a conversation with him or by asking for him, and that it ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from gateway.chores import Chores
from gateway.connection import Connection
from gateway.people import People
from gateway.reach import Reach, Row
from gateway.sight import Person, Sight
from messenger_shared import errors
from messenger_shared.errors import AppError
from messenger_shared.presences import AWAY, OFFLINE

log = logging.getLogger(__name__)

# How many people one socket sees in conversations, and by asking.
MAX_SEEN: Final = 5_000
MAX_WATCHED: Final = 2_000
ATTEMPTS: Final = 3
RECHECK_S: Final = 1.0


class Move(NamedTuple):
    """Somebody came to a conversation, or went."""

    room_id: str
    user_id: int
    came: bool


class Watching:
    """Sockets and the people they see.

    Who may be seen by asking is for presence to say, which asks chat-api. What it says is out of date once
    one of the two has left a conversation: then the socket sees nothing until presence has said it again.
    """

    def __init__(self, people: People, reach: Reach) -> None:
        self._people = people
        self._reach = reach
        self._sights: dict[str, Sight] = {}
        # By asking; those in doubt are seen again when presence has said so.
        self._watched: dict[Connection, set[int]] = {}
        self._doubtful: dict[Connection, set[int]] = {}
        # What moved while somebody asked who is where: the answer may be from before.
        self._askings: list[list[Move]] = []
        self._chores = Chores("watching")

    async def start(self) -> None:
        """Nobody sees anybody yet."""

    async def stop(self) -> None:
        """Rechecks nothing any more."""
        await self._chores.stop()

    @contextmanager
    def asking(self) -> Iterator[list[Move]]:
        """Within, notes who comes and goes."""
        moves: list[Move] = []
        self._askings.append(moves)
        try:
            yield moves
        finally:
            self._askings.remove(moves)

    async def view(
        self, connection: Connection, room_id: str, member_ids: Collection[int], moves: Iterable[Move]
    ) -> list[int]:
        """The socket sees the members of a conversation; returns those who are there, himself included.

        `member_ids` was asked for within `asking`, which noted `moves`.
        """
        # Himself too: what he hides, he doesn't see of others.
        members = {*member_ids, connection.user_id}
        for _, user_id, came in [move for move in moves if move.room_id == room_id]:
            (members.add if came else members.discard)(user_id)
        sight = self._sights.setdefault(room_id, Sight())
        self._add(sight, members - sight.members)
        if self._count_seen(connection) + len(sight.members) <= MAX_SEEN:
            sight.listeners.setdefault(connection)
        try:
            # Hearing first, then the look: who comes between the two is told at least once.
            await self._people.hears()
            await self._people.look_up(members)
            return self._present(connection, sight, members)
        finally:
            self._end(room_id, sight)

    def unview(self, connection: Connection, room_id: str) -> None:
        """The socket looks away."""
        sight = self._sights.get(room_id)
        if sight is not None:
            sight.listeners.pop(connection, None)
            self._end(room_id, sight)

    async def watch(self, connection: Connection, user_ids: Collection[int]) -> list[Row]:
        """The socket sees those of the people whom its user may see; returns how they are.

        Raises AppError.
        """
        rows = await self._allowed(connection, user_ids)
        watched = self._watched.setdefault(connection, set())
        fresh = {row["user_id"] for row in rows} - watched
        watched.update(sorted(fresh)[: max(0, MAX_WATCHED - len(watched))])
        return await self._follow(connection, [row for row in rows if row["user_id"] in watched])

    def unwatch(self, connection: Connection, user_ids: Collection[int]) -> None:
        """The socket asks for these no more."""
        self._doubtful.get(connection, set()).difference_update(user_ids)
        self._unfollow(connection, user_ids)

    def gone(self, connection: Connection) -> None:
        """The socket has ended, and looks at no conversation any more."""
        self._doubtful.pop(connection, None)
        self._unfollow(connection, self._watched.pop(connection, ()))
        own = self._people.get(connection.user_id)
        if own is not None:
            own.own.discard(connection)
            self._people.let_go([own])
        self._people.telling.forget(connection)

    def came(self, room_id: str, user_id: int) -> None:
        """Somebody has become a member."""
        self._note(Move(room_id, user_id, True))
        sight = self._sights.get(room_id)
        if sight is not None and user_id not in sight.members:
            self._add(sight, [user_id])
            self._people.look_up_soon([user_id])

    def went(self, room_id: str, user_id: int, others: Container[int]) -> None:
        """Somebody is a member no more, and may have shared with some of the `others` nothing else."""
        self._note(Move(room_id, user_id, False))
        sight = self._sights.get(room_id)
        if sight is not None:
            self._remove(sight, [user_id])
        person = self._people.get(user_id)
        if person is not None:
            for connection in [watcher for watcher in person.watchers if watcher.user_id in others]:
                self._doubt(connection, {user_id})

    def left(self, connection: Connection, room_id: str) -> None:
        """The socket's user is in the conversation no more."""
        self._note(Move(room_id, connection.user_id, False))
        self.unview(connection, room_id)
        self._doubt(connection, set(self._watched.get(connection, ())))

    def _present(self, connection: Connection, sight: Sight, members: Iterable[int]) -> list[int]:
        """Who of the members is there: what the socket is told of all that was up to here."""
        if connection in sight.listeners:
            sight.listeners[connection] = sight.last
        present = {connection.user_id}
        for person in self._found(members):
            if person.status != OFFLINE:
                present.add(person.user_id)
            if person.status == AWAY:
                # The next frame says so.
                self._people.telling.note(connection, person)
        return sorted(present)

    def _note(self, move: Move) -> None:
        for moves in self._askings:
            moves.append(move)

    def _count_seen(self, connection: Connection) -> int:
        sights = [self._sights[room_id] for room_id in connection.viewing or () if room_id in self._sights]
        return sum(len(sight.members) for sight in sights if connection in sight.listeners)

    def _found(self, user_ids: Iterable[int]) -> list[Person]:
        return [person for user_id in user_ids if (person := self._people.get(user_id)) is not None]

    def _add(self, sight: Sight, user_ids: Collection[int]) -> None:
        for person in self._people.hold(user_ids):
            person.sights.add(sight)
        sight.members.update(user_ids)

    def _remove(self, sight: Sight, user_ids: Iterable[int]) -> None:
        people = self._found(user_ids)
        sight.members.difference_update(person.user_id for person in people)
        for person in people:
            person.sights.discard(sight)
            sight.drop(person)
        self._people.let_go(people)

    def _end(self, room_id: str, sight: Sight) -> None:
        """Nobody may look at the conversation any more."""
        if not sight.listeners and self._sights.get(room_id) is sight:
            del self._sights[room_id]
            self._remove(sight, list(sight.members))

    async def _allowed(self, connection: Connection, user_ids: Collection[int]) -> list[Row]:
        """How those are whom the socket's user may see, as of a moment since when none of them has moved."""
        concerned = {connection.user_id, *user_ids}
        for _ in range(ATTEMPTS):
            with self.asking() as moves:
                rows = await self._reach.look(connection.user_id, list(user_ids))
            if all(move.came or move.user_id not in concerned for move in moves):
                return rows
        raise AppError(errors.UNAVAILABLE)

    async def _follow(self, connection: Connection, rows: list[Row]) -> list[Row]:
        """The socket is told how these people are, from how `rows` has them on; returns these."""
        [own] = self._people.hold([connection.user_id])
        own.own.add(connection)
        people = self._people.hold([row["user_id"] for row in rows])
        for person in people:
            person.watchers.add(connection)
        concerned = {connection.user_id, *(person.user_id for person in people)}
        with self._people.answering(connection, concerned):
            await self._people.hears()
            await self._people.look_up(concerned)
        for person, row in zip(people, rows, strict=True):
            if connection in person.watchers and person.status != row["status"]:
                self._people.telling.note(connection, person)
        return rows

    def _unfollow(self, connection: Connection, user_ids: Iterable[int]) -> None:
        people = self._found(user_ids)
        for person in people:
            person.watchers.discard(connection)
        self._watched.get(connection, set()).difference_update(person.user_id for person in people)
        self._people.let_go(people)

    def _doubt(self, connection: Connection, user_ids: set[int]) -> None:
        """The socket sees these no more, unless presence says again that it may."""
        if user_ids:
            before = {person.user_id: person.status for person in self._found(user_ids)}
            self._unfollow(connection, user_ids)
            self._doubtful.setdefault(connection, set()).update(user_ids)
            self._chores.run(self._recheck(connection, before))

    async def _recheck(self, connection: Connection, before: dict[int, str]) -> None:
        """Asks until there is an answer; what has changed since `before` is told then."""
        while doubtful := self._doubtful.get(connection, set()).intersection(before):
            try:
                rows = await self._allowed(connection, doubtful)
            except AppError:
                await asyncio.sleep(RECHECK_S)
                continue
            # Some may not be asked for any more, or the socket is gone.
            wanted = self._doubtful.get(connection, set())
            rows = [row | {"status": before[row["user_id"]]} for row in rows if row["user_id"] in wanted]
            wanted.difference_update(before)
            if rows:
                self._watched[connection].update(row["user_id"] for row in rows)
                await self._follow(connection, rows)
