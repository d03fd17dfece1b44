"""Gathers reactions, so that a storm on one message costs few transactions and few frames.

The reactions of several messages share a round trip to the database. The first reaction to a message is
stored at once. Those that follow within REACTION_INTERVAL_S are stored together when it is over: one `pos`
and one event.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

from prometheus_client import Histogram

from chat_api.model import Reaction, ReactionVerdict
from chat_api.ports import ReactionStore
from chat_api.publisher import Publisher
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError, ErrorKind
from messenger_shared.rpc.messages import RETRY_ELSEWHERE_S

log = logging.getLogger(__name__)

# At most four in any second, also if one is late.
REACTION_INTERVAL_S: Final = 0.3
MAX_WAITING_REACTIONS: Final = 20_000
MAX_BATCH: Final = 1_000
RETRY_AFTER_MS: Final = 500
BATCH_SIZE = Histogram(
    "messenger_reaction_batch_size", "Reactions stored per batch", buckets=(1, 2, 5, 10, 50, 100, 500, 1_000)
)
_REFUSALS: Final[dict[str, ErrorKind]] = {
    "not_found": errors.NOT_FOUND,
    "not_member": errors.NOT_MEMBER,
    "forbidden": errors.FORBIDDEN,
    "reaction_limit": errors.REACTION_LIMIT,
}
_Waiting = tuple[Reaction, asyncio.Future[Any]]


class ReactionBatcher:
    """Stores and publishes reactions. One batch is in the database at a time."""

    def __init__(self, store: ReactionStore, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher
        # By message id, in the order of arrival.
        self._waiting: dict[str, list[_Waiting]] = {}
        self._count = 0
        # Message id -> when its next reactions may be stored.
        self._next_at: dict[str, float] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def set(self, reaction: Reaction) -> asyncio.Future[Any]:
        """Resolves to {counts, mine} once the reaction is committed and published, or to an AppError.

        Raises AppError(overloaded) when too many reactions wait.
        """
        if self._count >= MAX_WAITING_REACTIONS or self._closed:
            raise AppError(errors.OVERLOADED, retry_after_ms=RETRY_AFTER_MS)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(reaction.message_id, []).append((reaction, answer))
        self._count += 1
        self._changed.set()
        return answer

    async def start(self) -> None:
        """Starts to store reactions."""
        self._task = asyncio.create_task(self._run(), name="reaction batcher")

    async def stop(self) -> None:
        """Refuses new reactions and stores the waiting ones."""
        self._closed = True
        self._changed.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting or not self._closed:
            batch = self._take_due(loop.time())
            if batch:
                await self._store_and_answer(batch)
                continue
            waits, since = bool(self._waiting), loop.time()
            await self._wait(since)
            if waits and loop.time() - since > RETRY_ELSEWHERE_S:
                self._drop_waiting()

    async def _wait(self, now: float) -> None:
        """Waits for the next moment at which a waiting reaction may be stored, or for another reaction."""
        self._changed.clear()
        due = min((self._next_at.get(message_id, 0.0) for message_id in self._waiting), default=None)
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - now)):
                await self._changed.wait()
        except TimeoutError:
            return

    def _drop_waiting(self) -> None:
        """Answers none of them: this process was stalled, and the callers have asked another worker."""
        waiting, self._waiting, self._count = self._waiting, {}, 0
        for reactions in waiting.values():
            _answer_all(reactions, TimeoutError())

    def _take_due(self, now: float) -> list[_Waiting]:
        self._next_at = {message_id: at for message_id, at in self._next_at.items() if at > now}
        batch: list[_Waiting] = []
        for message_id in [id_ for id_ in self._waiting if self._closed or id_ not in self._next_at]:
            room = MAX_BATCH - len(batch)
            if room <= 0:
                break
            waiting = self._waiting[message_id]
            batch += waiting[:room]
            del waiting[:room]
            if not waiting:
                del self._waiting[message_id]
            self._next_at[message_id] = now + REACTION_INTERVAL_S
        self._count -= len(batch)
        return batch

    async def _store_and_answer(self, batch: Sequence[_Waiting]) -> None:
        BATCH_SIZE.observe(len(batch))
        try:
            verdicts = await self._store.store([reaction for reaction, _ in batch])
            self._publish(batch, verdicts)
        except AppError as error:
            _answer_all(batch, error)
        except Exception:
            log.exception("storing a batch of %d reactions failed", len(batch))
            _answer_all(batch, AppError(errors.INTERNAL))
        else:
            for (_, answer), verdict in zip(batch, verdicts, strict=True):
                _resolve(answer, verdict)

    def _publish(self, batch: Sequence[_Waiting], verdicts: Sequence[ReactionVerdict]) -> None:
        changes: dict[str, tuple[ReactionVerdict, list[Reaction]]] = {}
        for (reaction, _), verdict in zip(batch, verdicts, strict=True):
            if verdict.verdict == "set":
                changes.setdefault(reaction.message_id, (verdict, []))[1].append(reaction)
            elif verdict.verdict == "unchanged" and verdict.conversation_id and verdict.pos:
                # The change may be an earlier one of a worker that died before it published it.
                self._publisher.publish_position(verdict.conversation_id, verdict.pos, ())
        for message_id, (state, reactions) in sorted(changes.items(), key=lambda row: row[1][0].pos):
            self._publisher.publish_reactions(
                state.conversation_id or "", message_id, state.pos, state.counts, reactions
            )


def _answer_all(batch: Sequence[_Waiting], error: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)


def _resolve(answer: asyncio.Future[Any], verdict: ReactionVerdict) -> None:
    if answer.done():
        return
    if verdict.verdict in _REFUSALS:
        answer.set_exception(AppError(_REFUSALS[verdict.verdict]))
    else:
        answer.set_result({"counts": verdict.counts, "mine": verdict.mine})
