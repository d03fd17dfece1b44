"""Keeps which socket sees which users: by viewing a conversation with them, or by `presence.watch`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from gateway.connections.connection import Connection
from gateway.presence.cache import PresenceCache
from gateway.presence.client import PresenceClient, Row
from gateway.presence.entries import UserPresence, ViewedConversation
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import AWAY, OFFLINE
from messenger_shared.runtime.background_tasks import BackgroundTasks

log = logging.getLogger(__name__)

# The most users that one socket sees: in viewed conversations, and by `presence.watch`.
MAX_SEEN: Final = 5_000
MAX_WATCHED: Final = 2_000
MAX_ATTEMPTS: Final = 3
RECHECK_S: Final = 1.0


class Move(NamedTuple):
    """A user joined or left a conversation."""

    room_id: str
    user_id: int
    joined: bool


class PresenceSubscriptions:
    """The presence subscriptions of all sockets of this worker.

    The presence service asks chat-api and decides whom a user may watch. When one of the two leaves a
    conversation, that decision is out of date: the socket gets nothing until presence confirms it.
    """

    def __init__(self, cache: PresenceCache, presence_client: PresenceClient) -> None:
        self._cache = cache
        self._presence_client = presence_client
        self._viewed: dict[str, ViewedConversation] = {}
        # Users by `presence.watch`. Suspended ones are watched again once presence confirms them.
        self._watched: dict[Connection, set[int]] = {}
        self._suspended: dict[Connection, set[int]] = {}
        # A list per request under way, with the moves since it began: the answer may be older than they are.
        self._collectors: list[list[Move]] = []
        self._background = BackgroundTasks("presence subscriptions")

    async def start(self) -> None:
        """Does nothing; there is no subscription yet."""

    async def stop(self) -> None:
        """Cancels the rechecks."""
        await self._background.stop()

    @contextmanager
    def collecting_moves(self) -> Iterator[list[Move]]:
        """While the context is open, its list collects the moves."""
        moves: list[Move] = []
        self._collectors.append(moves)
        try:
            yield moves
        finally:
            self._collectors.remove(moves)

    async def view(
        self, connection: Connection, room_id: str, member_ids: Collection[int], moves: Iterable[Move]
    ) -> list[int]:
        """Shows the socket a conversation's members; returns the ids of those present, its user included.

        `member_ids` must have been asked for within `collecting_moves`, which collected `moves`.
        """
        # The socket's own user too, because a user doesn't see of others what they hide themselves.
        members = {*member_ids, connection.user_id}
        for _, user_id, joined in [move for move in moves if move.room_id == room_id]:
            (members.add if joined else members.discard)(user_id)
        viewed = self._viewed.setdefault(room_id, ViewedConversation())
        self._add_members(viewed, members - viewed.members)
        if self._count_seen(connection) + len(viewed.members) <= MAX_SEEN:
            viewed.listeners.setdefault(connection)
        try:
            # Subscribed first, asked second: a transition between the two arrives at least once.
            await self._cache.wait_subscribed()
            await self._cache.look_up(members)
            return self._present_members(connection, viewed, members)
        finally:
            self._drop_if_unviewed(room_id, viewed)

    def unview(self, connection: Connection, room_id: str) -> None:
        """Ends the socket's view of a conversation."""
        viewed = self._viewed.get(room_id)
        if viewed is not None:
            viewed.listeners.pop(connection, None)
            self._drop_if_unviewed(room_id, viewed)

    async def watch(self, connection: Connection, user_ids: Collection[int]) -> list[Row]:
        """Subscribes the socket to those of the users that its user may see; returns their rows.

        Raises AppError.
        """
        rows = await self._fetch_allowed(connection, user_ids)
        watched = self._watched.setdefault(connection, set())
        fresh = {row["user_id"] for row in rows} - watched
        watched.update(sorted(fresh)[: max(0, MAX_WATCHED - len(watched))])
        return await self._subscribe(connection, [row for row in rows if row["user_id"] in watched])

    def unwatch(self, connection: Connection, user_ids: Collection[int]) -> None:
        """Ends the socket's subscriptions to these users."""
        self._suspended.get(connection, set()).difference_update(user_ids)
        self._unsubscribe(connection, user_ids)

    def connection_closed(self, connection: Connection) -> None:
        """Removes a socket that has closed. Its views must have ended before."""
        self._suspended.pop(connection, None)
        self._unsubscribe(connection, self._watched.pop(connection, ()))
        own = self._cache.get(connection.user_id)
        if own is not None:
            own.own_sockets.discard(connection)
            self._cache.drop_unseen([own])
        self._cache.fan_out.drop(connection)

    def member_joined(self, room_id: str, user_id: int) -> None:
        """Notes that a user became a member; the room's viewers see them from now on."""
        self._record_move(Move(room_id, user_id, True))
        viewed = self._viewed.get(room_id)
        if viewed is not None and user_id not in viewed.members:
            self._add_members(viewed, [user_id])
            self._cache.look_up_soon([user_id])

    def member_left(self, room_id: str, user_id: int, others: Container[int]) -> None:
        """Notes that a user is no longer a member. Watchers among the `others` may not see them any more."""
        self._record_move(Move(room_id, user_id, False))
        viewed = self._viewed.get(room_id)
        if viewed is not None:
            self._remove_members(viewed, [user_id])
        user = self._cache.get(user_id)
        if user is not None:
            for connection in [watcher for watcher in user.watchers if watcher.user_id in others]:
                self._suspend(connection, {user_id})

    def user_left(self, connection: Connection, room_id: str) -> None:
        """Notes that the socket's user is no longer a member; suspends what the socket watches."""
        self._record_move(Move(room_id, connection.user_id, False))
        self.unview(connection, room_id)
        self._suspend(connection, set(self._watched.get(connection, ())))

    def _present_members(
        self, connection: Connection, viewed: ViewedConversation, members: Iterable[int]
    ) -> list[int]:
        """The ids of the members who aren't offline. The socket gets only later changes."""
        if connection in viewed.listeners:
            viewed.listeners[connection] = viewed.last_number
        present = {connection.user_id}
        for user in self._cached(members):
            if user.status != OFFLINE:
                present.add(user.user_id)
            if user.status == AWAY:
                # The answer has only ids; the next frame says that the user is away.
                self._cache.fan_out.queue(connection, user)
        return sorted(present)

    def _record_move(self, move: Move) -> None:
        for moves in self._collectors:
            moves.append(move)

    def _count_seen(self, connection: Connection) -> int:
        viewed_in = [self._viewed[room_id] for room_id in connection.viewing or () if room_id in self._viewed]
        return sum(len(viewed.members) for viewed in viewed_in if connection in viewed.listeners)

    def _cached(self, user_ids: Iterable[int]) -> list[UserPresence]:
        return [user for user_id in user_ids if (user := self._cache.get(user_id)) is not None]

    def _add_members(self, viewed: ViewedConversation, user_ids: Collection[int]) -> None:
        for user in self._cache.get_or_subscribe(user_ids):
            user.viewed_in.add(viewed)
        viewed.members.update(user_ids)

    def _remove_members(self, viewed: ViewedConversation, user_ids: Iterable[int]) -> None:
        users = self._cached(user_ids)
        viewed.members.difference_update(user.user_id for user in users)
        for user in users:
            user.viewed_in.discard(viewed)
            viewed.drop(user)
        self._cache.drop_unseen(users)

    def _drop_if_unviewed(self, room_id: str, viewed: ViewedConversation) -> None:
        """Drops a conversation that no socket views any more."""
        if not viewed.listeners and self._viewed.get(room_id) is viewed:
            del self._viewed[room_id]
            self._remove_members(viewed, list(viewed.members))

    async def _fetch_allowed(self, connection: Connection, user_ids: Collection[int]) -> list[Row]:
        """The rows of those that the socket's user may see. Asks again if one of them left meanwhile.

        Raises AppError.
        """
        concerned = {connection.user_id, *user_ids}
        for _ in range(MAX_ATTEMPTS):
            with self.collecting_moves() as moves:
                rows = await self._presence_client.visible_rows(connection.user_id, list(user_ids))
            if all(move.joined or move.user_id not in concerned for move in moves):
                return rows
        raise AppError(errors.UNAVAILABLE)

    async def _subscribe(self, connection: Connection, rows: list[Row]) -> list[Row]:
        """Subscribes the socket to the users of `rows`, and sends what differs from them; returns `rows`."""
        [own] = self._cache.get_or_subscribe([connection.user_id])
        own.own_sockets.add(connection)
        users = self._cache.get_or_subscribe([row["user_id"] for row in rows])
        for user in users:
            user.watchers.add(connection)
        concerned = {connection.user_id, *(user.user_id for user in users)}
        with self._cache.suppressing_frames(connection, concerned):
            await self._cache.wait_subscribed()
            await self._cache.look_up(concerned)
        for user, row in zip(users, rows, strict=True):
            if connection in user.watchers and user.status != row["status"]:
                self._cache.fan_out.queue(connection, user)
        return rows

    def _unsubscribe(self, connection: Connection, user_ids: Iterable[int]) -> None:
        users = self._cached(user_ids)
        for user in users:
            user.watchers.discard(connection)
        self._watched.get(connection, set()).difference_update(user.user_id for user in users)
        self._cache.drop_unseen(users)

    def _suspend(self, connection: Connection, user_ids: set[int]) -> None:
        """Ends these subscriptions, until presence confirms that the socket's user may see them."""
        if user_ids:
            before = {user.user_id: user.status for user in self._cached(user_ids)}
            self._unsubscribe(connection, user_ids)
            self._suspended.setdefault(connection, set()).update(user_ids)
            self._background.run(self._recheck(connection, before))

    async def _recheck(self, connection: Connection, before: dict[int, str]) -> None:
        """Asks until presence answers, then sends what has changed since `before`."""
        while suspended := self._suspended.get(connection, set()).intersection(before):
            try:
                rows = await self._fetch_allowed(connection, suspended)
            except AppError:
                await asyncio.sleep(RECHECK_S)
                continue
            # Meanwhile the client may have unwatched some, or the socket may have closed.
            wanted = self._suspended.get(connection, set())
            rows = [row | {"status": before[row["user_id"]]} for row in rows if row["user_id"] in wanted]
            wanted.difference_update(before)
            if rows:
                self._watched[connection].update(row["user_id"] for row in rows)
                await self._subscribe(connection, rows)
