"""The presence cache: keeps the state of every user whom sockets of this worker see.

Each user's bus channel brings the transitions. A regular comparison with the presence service finds the ones
that were lost, on the way or while presence or the bus was away.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from gateway.connections.connection import Connection
from gateway.presence.client import BUDGET_S, DEADLINE_S, Answer, PresenceClient
from gateway.presence.entries import UserPresence
from gateway.presence.fan_out import PresenceFanOut
from messenger_shared.bus import channels
from messenger_shared.bus.interface import Bus
from messenger_shared.contract import presence_states
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.presence_states import OFFLINE
from messenger_shared.runtime.background_tasks import BackgroundTasks

log = logging.getLogger(__name__)

COMPARE_INTERVAL_S: Final = 30.0
COMPARE_RETRY_S: Final = 2.0
USERS_PER_REQUEST: Final = 500
FRESH_S: Final = 1.0


class PresenceCache:
    """Subscribes once to the channel of each user, as long as a socket here sees that user."""

    def __init__(self, bus: Bus, presence_client: PresenceClient) -> None:
        self.fan_out = PresenceFanOut(self._shows_last_seen)
        self._bus = bus
        self._presence_client = presence_client
        self._users: dict[int, UserPresence] = {}
        self._subscribing: set[asyncio.Task[None]] = set()
        self._compare_now = asyncio.Event()
        self._comparison: asyncio.Task[None] | None = None
        # Socket -> the users of whom it gets no frames, because its next answer contains their state.
        self._suppressed: dict[Connection, Container[int]] = {}
        self._loop = asyncio.get_running_loop()
        self._background = BackgroundTasks("presence cache")

    async def start(self) -> None:
        """Starts the regular comparison."""
        self._bus.on_gap(self.compare_soon)
        # A presence worker that dies may have taken reports without publishing their transitions.
        self._presence_client.on_gone(self.compare_soon)
        self._comparison = asyncio.create_task(self._compare_for_ever(), name="presence comparison")

    async def stop(self) -> None:
        """Ends the comparisons, the pending subscriptions and the fan-out."""
        tasks = [*self._subscribing, *([self._comparison] if self._comparison else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._background.stop()
        self.fan_out.stop()

    def get(self, user_id: int) -> UserPresence | None:
        """The user's state; None if no socket here sees the user."""
        return self._users.get(user_id)

    def get_or_subscribe(self, user_ids: Collection[int]) -> list[UserPresence]:
        """The states of these users; subscribes to new ones. The caller then marks who sees them."""
        new_ids = [user_id for user_id in user_ids if user_id not in self._users]
        for user_id in new_ids:
            self._users[user_id] = UserPresence(user_id)
        if new_ids:
            task = asyncio.create_task(self._subscribe(new_ids), name="presence cache subscription")
            self._subscribing.add(task)
            task.add_done_callback(self._subscribing.discard)
        return [self._users[user_id] for user_id in user_ids]

    def drop_unseen(self, users: Iterable[UserPresence]) -> None:
        """Drops those of the users whom no socket here sees any more."""
        for user in users:
            if user.is_unseen and self._users.get(user.user_id) is user:
                del self._users[user.user_id]
                self._bus.unsubscribe([channels.presence(user.user_id)])

    async def wait_subscribed(self) -> None:
        """Waits until every user in the cache is subscribed, so that no transition is missed from then on."""
        if self._subscribing:
            # All of them, because another socket may have started the subscription of the same users.
            await asyncio.wait(self._subscribing)

    @contextmanager
    def suppressing_frames(self, connection: Connection, user_ids: Container[int]) -> Iterator[None]:
        """While the context is open, the socket gets no frames of these users: its answer has their state."""
        self._suppressed[connection] = user_ids
        try:
            yield
        finally:
            self._suppressed.pop(connection, None)

    async def look_up(self, user_ids: Collection[int]) -> None:
        """Asks presence for these users, for BUDGET_S at most. Without an answer, a comparison follows soon.

        A user who is being asked for, or was in the last FRESH_S, is not asked for again.
        """
        users = [user for user_id in user_ids if (user := self._users.get(user_id)) is not None]
        fresh_at = self._loop.time() - FRESH_S
        asked = {user.request for user in users if user.request is not None}
        stale = [user for user in users if user.request is None and user.checked_at < fresh_at]
        if stale:
            await self._look_up(stale)
        if asked:
            await asyncio.wait(asked, timeout=BUDGET_S)

    async def _look_up(self, users: Collection[UserPresence]) -> None:
        request, begun = self._loop.create_future(), self._loop.time()
        for user in users:
            user.request = request
        try:
            await self._refresh([user.user_id for user in users], BUDGET_S)
            for user in users:
                user.checked_at = begun
        except AppError:
            self.compare_soon()
        finally:
            for user in users:
                user.request = None
            request.set_result(None)

    def look_up_soon(self, user_ids: Collection[int]) -> None:
        """Runs `look_up` in the background."""
        self._background.run(self._look_up_later(user_ids))

    def compare_soon(self) -> None:
        """Starts a comparison soon: a transition may have been missed."""
        self._compare_now.set()

    def _shows_last_seen(self, user_id: int) -> bool:
        user = self._users.get(user_id)
        return user is not None and user.version >= 0 and not user.hides

    async def _look_up_later(self, user_ids: Collection[int]) -> None:
        await self.wait_subscribed()
        await self.look_up(user_ids)

    async def _subscribe(self, user_ids: list[int]) -> None:
        # Some may have left the cache in the same turn.
        names = [channels.presence(user_id) for user_id in user_ids if user_id in self._users]
        try:
            await self._bus.subscribe(names, self._on_changes)
        except AppError as error:
            # The bus goes on trying. The comparison finds the transitions that are missed until then.
            log.warning("subscribing to presence channels failed, trying again: %s", error)
            self.compare_soon()

    def _on_changes(self, payload: bytes) -> None:
        for change in presence_states.unpack(payload):
            user = self._users.get(change.user_id)
            if user is not None and change.version >= user.version:
                user.version = change.version
                if user.update(change.status, change.at_ms, change.seen_ms, hides=change.hides):
                    self._fan_out_change(user)

    async def _refresh(self, user_ids: Sequence[int], deadline_s: float) -> bool:
        """Asks presence and learns the answers; returns whether all were settled. Raises AppError."""
        starts = range(0, len(user_ids), USERS_PER_REQUEST)
        chunks = [user_ids[start : start + USERS_PER_REQUEST] for start in starts]
        answers = await asyncio.gather(
            *(self._presence_client.states(c, deadline_s=deadline_s) for c in chunks)
        )
        if gone := [user_id for answer in answers for user_id in self._apply(answer)]:
            # The frame that says that a user went offline also says when they were last there.
            answer = await self._presence_client.states(gone, with_seen=True, deadline_s=deadline_s)
            self._apply(answer, with_seen=True)
        return all(answer.settled for answer in answers)

    def _apply(self, answer: Answer, *, with_seen: bool = False) -> list[int]:
        """Learns an answer. Returns the users who went offline, for a second answer `with_seen`."""
        gone = []
        for user_id, status, hides, seen_ms in answer.users:
            user = self._users.get(user_id)
            if user is None or answer.version < user.version:
                continue
            if status == OFFLINE != user.status and not (answer.settled and with_seen):
                if answer.settled:
                    gone.append(user_id)
                continue
            user.version = answer.version
            if user.update(status, int(time.time() * 1000), seen_ms, hides=hides):
                self._fan_out_change(user)
        return gone

    def _fan_out_change(self, user: UserPresence) -> None:
        for viewed in user.viewed_in:
            self.fan_out.queue_for_viewers(viewed, user)
        for connection in user.watchers:
            if user.user_id not in self._suppressed.get(connection, ()):
                self.fan_out.queue(connection, user)

    async def _compare_for_ever(self) -> None:
        wait_s = COMPARE_INTERVAL_S
        while True:
            try:
                async with asyncio.timeout(wait_s):
                    await self._compare_now.wait()
                # When one transition was missed, others often follow; one comparison finds them all.
                await asyncio.sleep(COMPARE_RETRY_S)
            except TimeoutError:
                pass
            self._compare_now.clear()
            try:
                settled = await self._refresh(list(self._users), DEADLINE_S)
            except AppError:
                settled = False
            except Exception:
                log.exception("comparing with presence failed")
                settled = True
            wait_s = COMPARE_INTERVAL_S if settled else COMPARE_RETRY_S
