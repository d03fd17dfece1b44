"""Owns gathering sends: while one batch is in the database, arriving ones collect; the next takes them all.

So a quiet system waits for nothing, and a busy one shares one round trip and one fsync among many messages.
A batch that takes longer than usual, maybe for a lock, holds up its own conversations alone: the next begins
beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import orjson
from prometheus_client import Gauge, Histogram

from chat_api.model import Draft, MessageData, Sent, Verdict, is_same_message, message_of
from chat_api.ports import MessageStore
from chat_api.publish import Publisher
from messenger_shared import errors
from messenger_shared.errors import AppError, ErrorKind

log = logging.getLogger(__name__)

MAX_WAITING: Final = 5_000
MAX_BATCH: Final = 200
RETRY_AFTER_MS: Final = 500
# Batches in the database at once, all but the newest of them late.
MAX_UNDER_WAY: Final = 3
# A batch is late after so many times what one usually takes, which is learnt from the last ones.
LATE: Final = 2
USUAL_S: Final = 0.005
LEARNING: Final = 1 / 8
BATCH_SIZE = Histogram(
    "messenger_send_batch_size", "Messages per batch", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
SENDS_WAITING = Gauge(
    "messenger_sends_waiting", "Messages that wait for their batch", multiprocess_mode="livesum"
)

_REFUSALS: Final[dict[str, ErrorKind]] = {
    "not_found": errors.NOT_FOUND,
    "not_member": errors.NOT_MEMBER,
    "forbidden": errors.FORBIDDEN,
}
_Waiting = tuple[Draft, asyncio.Future[Any]]


class Intake:
    """Turns drafts into stored, published messages; no two batches under way share a conversation."""

    def __init__(self, store: MessageStore, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher
        self._waiting: list[_Waiting] = []
        # By message id: a gateway that asks again asks with the same one, maybe before the first is through.
        self._unanswered: dict[str, asyncio.Future[Any]] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        # The one that began last, while it is under way, and when: the others are late.
        self._newest: asyncio.Task[None] | None = None
        self._begun = 0.0
        # The conversations of all that are under way.
        self._busy: set[str] = set()
        self._usual_s = USUAL_S
        # When the next batch begins.
        self._timer: asyncio.Handle | None = None
        self._closed = False

    def send(self, draft: Draft) -> asyncio.Future[Any]:
        """Resolves to the JSON of the answer once it is committed and published, or to an AppError.

        Raises AppError(overloaded) when too many wait already.
        """
        unanswered = self._unanswered.get(draft.id)
        if unanswered is not None:
            return unanswered
        if len(self._waiting) >= MAX_WAITING or self._closed:
            raise AppError(errors.OVERLOADED, retry_after_ms=RETRY_AFTER_MS)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._unanswered[draft.id] = answer
        answer.add_done_callback(lambda _: self._unanswered.pop(draft.id))
        self._waiting.append((draft, answer))
        if draft.conversation_id not in self._busy:
            self._plan()
        return answer

    async def start(self) -> None:
        """Nothing to do: the first send starts the work."""

    async def stop(self) -> None:
        """Refuses new sends and finishes those that wait."""
        self._closed = True
        while self._unanswered:
            await asyncio.wait(self._unanswered.values())
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _plan(self) -> None:
        """Has the next batch begin as soon as it may."""
        if self._timer is not None or len(self._under_way) == MAX_UNDER_WAY:
            return
        loop = asyncio.get_running_loop()
        wait_s = 0.0 if self._newest is None else self._begun + LATE * self._usual_s - loop.time()
        if wait_s > 0:
            self._timer = loop.call_later(wait_s, self._begin)
        else:
            # What else this turn of the loop brings belongs in the batch.
            self._timer = loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._timer = None
        batch = self._take()
        if not batch:
            return  # What waits, waits for the end of one that is under way.
        conversations = {draft.conversation_id for draft, _ in batch}
        self._busy |= conversations
        loop = asyncio.get_running_loop()
        begun = self._begun = loop.time()
        task = self._newest = asyncio.create_task(self._carry(batch), name="intake")
        self._under_way.add(task)
        task.add_done_callback(lambda _: self._end(task, conversations, loop.time() - begun))
        if self._waiting:
            self._plan()

    def _take(self) -> list[_Waiting]:
        """The next batch, in the order of arrival, of conversations that none under way has."""
        if self._busy:
            free = [one for one in self._waiting if one[0].conversation_id not in self._busy]
            rest = [one for one in self._waiting if one[0].conversation_id in self._busy]
        else:
            free, rest = self._waiting, []
        batch, self._waiting = free[:MAX_BATCH], free[MAX_BATCH:] + rest
        SENDS_WAITING.set(len(self._waiting))
        return batch

    def _end(self, task: asyncio.Task[None], conversations: set[str], took_s: float) -> None:
        self._under_way.discard(task)
        self._busy -= conversations
        # One that hangs doesn't make hanging usual.
        self._usual_s += (min(took_s, LATE * self._usual_s) - self._usual_s) * LEARNING
        if task is self._newest:
            self._newest = None
        if self._waiting:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._plan()

    async def _carry(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._store_batch(batch)
        except AppError as error:
            _fail(batch, error)
        except Exception:
            log.exception("a batch of %d failed", len(batch))
            _fail(batch, AppError(errors.INTERNAL))

    async def _store_batch(self, batch: Sequence[_Waiting]) -> None:
        BATCH_SIZE.observe(len(batch))
        verdicts = await self._store.store([draft for draft, _ in batch])
        repeats = await self._repeats(batch, verdicts)
        outcomes = [
            _outcome(draft, verdict, repeats) for (draft, _), verdict in zip(batch, verdicts, strict=True)
        ]
        self._publish([outcome for outcome in outcomes if isinstance(outcome, _Stored)])
        # After publishing: whoever has an answer can rely on it that the event was told.
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            _resolve(future, outcome)

    async def _repeats(self, batch: Sequence[_Waiting], verdicts: Sequence[Verdict]) -> dict[str, Sent]:
        known = {
            verdict.stored_id: draft.sender_id
            for (draft, _), verdict in zip(batch, verdicts, strict=True)
            if verdict.verdict == "repeat" and verdict.stored_id is not None
        }
        return await self._store.sent(list(known), list(known.values())) if known else {}

    def _publish(self, stored: list[_Stored]) -> None:
        """Repeats too: who stored one may have died before he could tell. Gateways drop doubles."""
        fresh = [one for one in stored if one.message["version"] == 1 and one.message["deleted_at"] is None]
        fresh.sort(key=lambda one: (one.message["conversation_id"], one.message["pos"]))
        for conversation_id, group in groupby(fresh, key=lambda one: str(one.message["conversation_id"])):
            self._publisher.messages(conversation_id, [(one.message, one.text) for one in group])


class _Stored(NamedTuple):
    """A draft that is a message now; its `text`, the JSON, is made once for the event and the answer."""

    message: MessageData
    text: bytes
    duplicate: bool

    def answer(self) -> bytes:
        message = self.message
        return orjson.dumps(
            {
                "message_id": message["id"],
                "conversation_id": message["conversation_id"],
                "data": orjson.Fragment(self.text),
                "duplicate": self.duplicate,
            }
        )


def _outcome(draft: Draft, verdict: Verdict, repeats: dict[str, Sent]) -> _Stored | AppError:
    if verdict.verdict == "stored":
        message = message_of(draft, verdict)
        return _Stored(message, orjson.dumps(message), False)
    if verdict.verdict == "repeat":
        sent = repeats.get(str(verdict.stored_id))
        # Under somebody else's message id there is nothing of his.
        if sent is None or not is_same_message(draft, sent):
            return AppError(errors.IDEMPOTENCY_CONFLICT)
        # The same id is a gateway that asked again, of which the client knows nothing.
        return _Stored(sent.message, orjson.dumps(sent.message), sent.message["id"] != draft.id)
    if verdict.verdict == "bad_reply":
        return AppError(errors.INVALID_FRAME, details={"reply_to": ["No such message in this conversation."]})
    return AppError(_REFUSALS[verdict.verdict])


def _resolve(future: asyncio.Future[Any], outcome: _Stored | AppError) -> None:
    if future.done():
        return
    if isinstance(outcome, AppError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome.answer())


def _fail(batch: Sequence[_Waiting], error: AppError) -> None:
    for _, future in batch:
        _resolve(future, error)
