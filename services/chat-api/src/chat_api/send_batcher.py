"""Gathers sends into batches, so that many messages share one transaction.

Messages that arrive while a batch is in the database wait for the next batch. An idle system adds no delay; a
busy one shares one round trip and one fsync among many messages. A batch that takes longer than usual, maybe
because it waits for a lock, delays only its own conversations: the next batch starts beside it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import orjson
from prometheus_client import Gauge, Histogram

from chat_api.model import Draft, MessageData, SentMessage, Verdict, message_from_draft
from chat_api.ports import MessageStore
from chat_api.publisher import Publisher
from chat_api.rules.repeats import is_same_message
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError, ErrorKind

log = logging.getLogger(__name__)

MAX_WAITING: Final = 5_000
MAX_BATCH: Final = 200
RETRY_AFTER_MS: Final = 500
# At most so many batches are in the database at once. All but the newest are late.
MAX_RUNNING_BATCHES: Final = 3
# A batch is late after LATE_FACTOR times the average duration of the last batches, a moving average.
LATE_FACTOR: Final = 2
INITIAL_AVERAGE_S: Final = 0.005
SMOOTHING: Final = 1 / 8
BATCH_SIZE = Histogram(
    "messenger_send_batch_size", "Messages stored per batch", buckets=(1, 2, 5, 10, 20, 50, 100, 200)
)
SENDS_WAITING = Gauge(
    "messenger_sends_waiting", "Messages that wait for a batch", multiprocess_mode="livesum"
)

_REFUSALS: Final[dict[str, ErrorKind]] = {
    "not_found": errors.NOT_FOUND,
    "not_member": errors.NOT_MEMBER,
    "forbidden": errors.FORBIDDEN,
    "mention_all_refused": errors.MENTION_ALL_REFUSED,
    "file_not_ready": errors.FILE_NOT_READY,
}
_WaitingSend = tuple[Draft, asyncio.Future[Any]]


class SendBatcher:
    """Stores and publishes drafts in batches. No two running batches share a conversation."""

    def __init__(self, store: MessageStore, publisher: Publisher) -> None:
        self._store = store
        self._publisher = publisher
        self._waiting: list[_WaitingSend] = []
        # By message id. A gateway may repeat a request, with the same id, before the first is answered.
        self._unanswered: dict[str, asyncio.Future[Any]] = {}
        self._running_batches: set[asyncio.Task[None]] = set()
        # The batch that started last, None once it has ended, and its start time. All others are late.
        self._newest: asyncio.Task[None] | None = None
        self._newest_started_at = 0.0
        # The conversations of all running batches.
        self._busy_conversations: set[str] = set()
        self._average_s = INITIAL_AVERAGE_S
        # Starts the next batch.
        self._timer: asyncio.Handle | None = None
        self._closed = False

    def send(self, draft: Draft) -> asyncio.Future[Any]:
        """Resolves to the JSON of the answer once the message is committed and published, or to an AppError.

        Raises AppError(overloaded) when too many messages wait.
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
        if draft.conversation_id not in self._busy_conversations:
            self._schedule()
        return answer

    async def start(self) -> None:
        """Does nothing: the first send starts the first batch."""

    async def stop(self) -> None:
        """Refuses new sends and finishes the waiting ones."""
        self._closed = True
        while self._unanswered:
            await asyncio.wait(self._unanswered.values())
        if self._running_batches:
            await asyncio.wait(self._running_batches)

    def _schedule(self) -> None:
        """Schedules the next batch: now, or when the newest one is late."""
        if self._timer is not None or len(self._running_batches) == MAX_RUNNING_BATCHES:
            return
        loop = asyncio.get_running_loop()
        wait_s = (
            0.0
            if self._newest is None
            else self._newest_started_at + LATE_FACTOR * self._average_s - loop.time()
        )
        if wait_s > 0:
            self._timer = loop.call_later(wait_s, self._start_batch)
        else:
            # Sends that arrive in this turn of the event loop belong in the batch.
            self._timer = loop.call_soon(self._start_batch)

    def _start_batch(self) -> None:
        self._timer = None
        batch = self._take_batch()
        if not batch:
            return  # All waiting sends wait for the end of a running batch.
        conversations = {draft.conversation_id for draft, _ in batch}
        self._busy_conversations |= conversations
        loop = asyncio.get_running_loop()
        started_at = self._newest_started_at = loop.time()
        task = self._newest = asyncio.create_task(self._store_and_answer(batch), name="send batch")
        self._running_batches.add(task)
        task.add_done_callback(lambda _: self._finish_batch(task, conversations, loop.time() - started_at))
        if self._waiting:
            self._schedule()

    def _take_batch(self) -> list[_WaitingSend]:
        """Takes the next batch, in the order of arrival. Leaves conversations of running batches waiting."""
        if self._busy_conversations:
            free = [one for one in self._waiting if one[0].conversation_id not in self._busy_conversations]
            rest = [one for one in self._waiting if one[0].conversation_id in self._busy_conversations]
        else:
            free, rest = self._waiting, []
        batch, self._waiting = free[:MAX_BATCH], free[MAX_BATCH:] + rest
        SENDS_WAITING.set(len(self._waiting))
        return batch

    def _finish_batch(self, task: asyncio.Task[None], conversations: set[str], took_s: float) -> None:
        self._running_batches.discard(task)
        self._busy_conversations -= conversations
        # The minimum keeps one hanging batch from raising the average much.
        self._average_s += (min(took_s, LATE_FACTOR * self._average_s) - self._average_s) * SMOOTHING
        if task is self._newest:
            self._newest = None
        if self._waiting:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._schedule()

    async def _store_and_answer(self, batch: Sequence[_WaitingSend]) -> None:
        try:
            await self._store_batch(batch)
        except AppError as error:
            _fail(batch, error)
        except Exception:
            log.exception("storing a batch of %d messages failed", len(batch))
            _fail(batch, AppError(errors.INTERNAL))

    async def _store_batch(self, batch: Sequence[_WaitingSend]) -> None:
        BATCH_SIZE.observe(len(batch))
        verdicts = await self._store.store([draft for draft, _ in batch])
        repeats = await self._repeats(batch, verdicts)
        outcomes = _outcomes([draft for draft, _ in batch], verdicts, repeats)
        self._publish([outcome for outcome in outcomes if isinstance(outcome, _StoredMessage)])
        # Answer after publishing: an answered sender can rely on the event having been published.
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            _resolve(future, outcome)

    async def _repeats(
        self, batch: Sequence[_WaitingSend], verdicts: Sequence[Verdict]
    ) -> dict[str, SentMessage]:
        known = {
            verdict.stored_id: draft.sender_id
            for (draft, _), verdict in zip(batch, verdicts, strict=True)
            if verdict.verdict == "repeat" and verdict.stored_id is not None
        }
        return await self._store.sent(list(known), list(known.values())) if known else {}

    def _publish(self, stored: list[_StoredMessage]) -> None:
        """Publishes repeats too: the worker that stored one may have died before publishing it.

        Gateways drop duplicates.
        """
        fresh = [one for one in stored if one.message["version"] == 1 and one.message["deleted_at"] is None]
        fresh.sort(key=lambda one: (one.message["conversation_id"], one.message["pos"]))
        for conversation_id, group in groupby(fresh, key=lambda one: str(one.message["conversation_id"])):
            self._publisher.publish_new_messages(conversation_id, [(one.message, one.text) for one in group])


class _StoredMessage(NamedTuple):
    """A stored draft. `text` is the message's JSON, encoded once for the event and the answer."""

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


def _outcomes(
    drafts: Sequence[Draft], verdicts: Sequence[Verdict], repeats: dict[str, SentMessage]
) -> list[_StoredMessage | AppError]:
    """The outcome of each draft. A repeat of a draft that the same batch refused gets the same refusal."""
    # By id and conversation: the same id in another conversation is a different message.
    refusals: dict[tuple[str | None, str], AppError] = {}
    found: list[_StoredMessage | AppError] = []
    for draft, verdict in zip(drafts, verdicts, strict=True):
        first = verdict.stored_id, draft.conversation_id
        outcome = refusals.get(first) or _outcome(draft, verdict, repeats)
        if isinstance(outcome, AppError):
            refusals[draft.id, draft.conversation_id] = outcome
        found.append(outcome)
    return found


def _outcome(draft: Draft, verdict: Verdict, repeats: dict[str, SentMessage]) -> _StoredMessage | AppError:
    if verdict.verdict == "stored":
        message = message_from_draft(draft, verdict)
        return _StoredMessage(message, orjson.dumps(message), False)
    if verdict.verdict == "repeat":
        sent = repeats.get(str(verdict.stored_id))
        # `sent` is None when the message with this id is another user's.
        if sent is None or not is_same_message(draft, sent):
            return AppError(errors.IDEMPOTENCY_CONFLICT)
        # With the same id, the gateway repeated the request; for the client this is no duplicate.
        return _StoredMessage(sent.message, orjson.dumps(sent.message), sent.message["id"] != draft.id)
    if verdict.verdict == "bad_reply":
        return AppError(errors.INVALID_FRAME, details={"reply_to": ["No such message in this conversation."]})
    if verdict.verdict == "no_file":
        return AppError(errors.NOT_FOUND, details={"attachments": ["No such file of the sender's."]})
    return AppError(_REFUSALS[verdict.verdict])


def _resolve(future: asyncio.Future[Any], outcome: _StoredMessage | AppError) -> None:
    if future.done():
        return
    if isinstance(outcome, AppError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome.answer())


def _fail(batch: Sequence[_WaitingSend], error: AppError) -> None:
    for _, future in batch:
        _resolve(future, error)
