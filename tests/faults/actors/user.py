"""A user who chats, and repeats each request until its result is certain."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from itertools import count
from random import Random

from tests.faults.actors.attempts import (
    annotate_by_rest,
    annotate_by_socket,
    change_by_rest,
    change_by_socket,
    read_by_socket,
    send_by_rest,
    send_by_socket,
)
from tests.faults.actors.behaviour import Behaviour
from tests.faults.actors.device import Device
from tests.faults.actors.repetition import EXPECTED_REFUSALS, Outcome, attempt_once, until_certain
from tests.faults.actors.searching import new_word, search, word_of
from tests.faults.actors.uploads import Uploads
from tests.faults.record.events import Key, Stored
from tests.faults.record.history import Annotation, Change, History, Send

REMEMBERED = 20
BURST = 4
MENTIONED = 3
EMOJI = ("👍", "👀", "🎉")
# How often a user repeats or removes an earlier reaction or pin.
AGAIN = 0.4
# How often a user searches for a message as soon as it is stored; otherwise for an earlier one.
SEARCHES_AT_ONCE = 0.5
# How often a user deletes a message with a file as soon as it is stored.
FILES_DELETED = 0.2

Ask = Callable[[], Awaitable[Outcome]]


class User:
    """One user with their devices."""

    def __init__(
        self,
        devices: list[Device],
        rooms: list[str],
        behaviour: Behaviour,
        random: Random,
        unedited_rooms: Collection[str] = (),
        owned_rooms: Sequence[str] = (),
    ) -> None:
        self.devices = devices
        self.rooms = rooms
        # Conversations in which the user neither edits nor deletes messages.
        self._unedited_rooms = unedited_rooms
        # Conversations in which the user may pin.
        self._owned_rooms = owned_rooms
        self.user_id = devices[0].device_id[0]
        self._history: History = devices[0].history
        self._behaviour = behaviour
        self._random = random
        self._numbers = count(1)
        # The user's own stored messages, which they may edit or delete.
        self._own: deque[tuple[str, Stored]] = deque(maxlen=REMEMBERED)
        # Earlier texts of edited and deleted messages.
        self._replaced: deque[str | None] = deque(maxlen=REMEMBERED)
        # The user's reactions and pins, which they may repeat or remove, with the messages' seq.
        self._annotated: deque[tuple[int, Annotation]] = deque(maxlen=REMEMBERED)
        self._uploads = Uploads(self.user_id, self._device, self._history, random, self._check_outcome)
        self._task: asyncio.Task[None] | None = None
        self._is_finishing = False

    def start(self) -> None:
        """Starts to chat."""
        self._task = asyncio.create_task(self._chat(), name=f"user {self.user_id}")

    async def finish(self, timeout_s: float) -> None:
        """Begins nothing new; returns when the result of every request is certain."""
        self._is_finishing = True
        if self._task is not None:
            done, _ = await asyncio.wait([self._task], timeout=timeout_s)
            if not done:
                self.report_refusal(f"no certainty within {timeout_s:.0f} s")
            else:
                await self._task

    async def stop(self) -> None:
        """Stops at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.gather(*(device.stop() for device in self.devices))

    async def send(self, room: str) -> None:
        """Sends one message over a socket or REST, until its result is certain."""
        await self._send(self.new_send(room))

    async def _send(self, send: Send) -> None:
        if self._random.random() < self._behaviour.by_rest:
            await self.repeat_until_certain(send, lambda: send_by_rest(self._device(), send))
        else:
            await self.repeat_until_certain(
                send, lambda: send_by_socket(self._device().current_connection(), send)
            )

    async def try_to_send(self, room: str, *, by_rest: bool) -> Send:
        """Makes one attempt to send one message."""
        send = self.new_send(room)
        device = self._device()
        if by_rest:
            outcome = await attempt_once(lambda: send_by_rest(device, send))
        else:
            outcome = await attempt_once(lambda: send_by_socket(device.current_connection(), send))
        send.unknown += not outcome.is_certain
        if outcome.is_certain:
            self.conclude(send, outcome)
        return send

    def new_send(self, room: str, file_id: str | None = None) -> Send:
        """Creates and logs a message, without sending it."""
        number = next(self._numbers)
        key = Key(self.user_id, f"{self.user_id}-{number}")
        members = self._history.members[room]
        named = self._random.sample(members, min(MENTIONED, len(members)))
        mentions = tuple(named) if self._random.random() < self._behaviour.mentions else ()
        return self._history.invoked(key, room, f"{number} {new_word(self._random)}", mentions, file_id)

    async def repeat_until_certain(self, send: Send, ask: Ask) -> None:
        """Asks until the result is certain."""

        def on_unknown(outcome: Outcome) -> None:
            send.unknown += 1
            self._check_outcome(outcome)

        self.conclude(send, await until_certain(ask, self._random, on_unknown))

    def report_refusal(self, what: str) -> None:
        """Logs an answer that no client should get."""
        self._history.refused(self.user_id, what)

    def conclude(self, send: Send, outcome: Outcome) -> None:
        """Logs the certain result of a send."""
        self._check_outcome(outcome)
        if outcome.data is not None:
            stored = Stored.of(outcome.data)
            self._history.stored(send, stored)
            self._own.append((send.room, stored))
        else:
            send.failed = not send.unknown

    async def _chat(self) -> None:
        behaviour, random = self._behaviour, self._random
        others = {
            self._edit: behaviour.edits,
            self._delete: behaviour.deletes,
            self._read: behaviour.reads,
            self._burst: behaviour.bursts,
            self._react: behaviour.reacts,
            self._pin: behaviour.pins,
            self._send_file: behaviour.files,
            self._search: behaviour.searches,
        }
        actions = [self.send, *others]
        weights = [1 - sum(others.values()), *others.values()]
        await asyncio.sleep(random.uniform(0, behaviour.think_s[1]))
        while not self._is_finishing:
            await random.choices(actions, weights)[0](random.choice(self.rooms))
            await asyncio.sleep(random.uniform(*behaviour.think_s))

    async def _burst(self, room: str) -> None:
        """Sends several messages at once through one socket, which has to keep their order."""
        device = self._device()
        sends = [self.new_send(room) for _ in range(BURST)]
        asks = [lambda send=send: send_by_socket(device.current_connection(), send) for send in sends]
        await asyncio.gather(*map(self.repeat_until_certain, sends, asks))

    async def _send_file(self, room: str) -> None:
        """Sends a file as soon as it is complete, which is before a picture is examined."""
        if (upload := await self._uploads.next()) is not None:
            send = self.new_send(room, upload.file_id)
            await asyncio.gather(self._uploads.complete(upload), self._send_and_maybe_delete(send))

    async def _send_and_maybe_delete(self, send: Send) -> None:
        await self._send(send)
        if send.acks and send.room not in self._unedited_rooms and self._random.random() < FILES_DELETED:
            await self._change_own((send.room, send.acks[0].stored), None)

    async def _edit(self, room: str) -> None:
        await self._change(f"edit {next(self._numbers)} {new_word(self._random)}")

    async def _delete(self, room: str) -> None:
        await self._change(None)

    async def _change(self, content: str | None) -> None:
        """Edits or deletes one of the user's own messages, of any conversation."""
        # Only recent messages are changed: a device that reads history must know how far back to look.
        catch_up = self.devices[0].catch_up
        recent = [
            (room, message)
            for room, message in self._own
            if room not in self._unedited_rooms and catch_up.is_recent(room, message.seq)
        ]
        if recent:
            await self._change_own(self._random.choice(recent), content)

    async def _change_own(self, own: tuple[str, Stored], content: str | None) -> None:
        room, message = own
        change = Change(message.id, room, content, at=self._history.now())
        self._history.changes.append(change)
        if content is None:
            self._own.remove(own)
        outcome = await self._ask(
            lambda: change_by_rest(self._device(), change),
            lambda: change_by_socket(self._device().current_connection(), change),
        )
        change.acked, change.acked_at = outcome.data is not None, self._history.now()
        self._replaced.append(message.content)

    async def _search(self, room: str) -> None:
        """Searches for what was stored this moment, or for an earlier or a former text of the user's own."""
        texts = [message.content for _, message in self._own] + [*self._replaced]
        if not texts or self._random.random() < SEARCHES_AT_ONCE:
            send = self.new_send(room)
            await self._send(send)
            texts = [send.content]
        text = self._random.choice(texts)
        if text is not None:
            self._history.searches.append(await search(self._device(), word_of(text)))

    async def _react(self, room: str) -> None:
        await self._annotate(room, self._random.choice(EMOJI))

    async def _pin(self, room: str) -> None:
        if self._owned_rooms:
            await self._annotate(self._random.choice(self._owned_rooms), None)

    async def _annotate(self, room: str, emoji: str | None) -> None:
        """Sets a reaction or a pin, or repeats or removes an earlier one."""
        annotation = self._next_annotation(room, emoji)
        if annotation is None:
            return
        self._history.annotations.append(annotation)
        outcome = await self._ask(
            lambda: annotate_by_rest(self._device(), annotation),
            lambda: annotate_by_socket(self._device().current_connection(), annotation),
        )
        annotation.acked = outcome.data is not None
        mine = (outcome.data or {}).get("mine")
        if mine is not None and (annotation.emoji in mine) != annotation.on:
            self.report_refusal(f"answered with {outcome.data}: {annotation}")

    def _next_annotation(self, room: str, emoji: str | None) -> Annotation | None:
        catch_up, random = self.devices[0].catch_up, self._random
        earlier = [
            one
            for seq, one in self._annotated
            if (one.emoji is None) == (emoji is None) and catch_up.is_recent(one.room, seq)
        ]
        if earlier and random.random() < AGAIN:
            return replace(random.choice(earlier), on=random.random() < AGAIN, acked=False)
        if not (newest := catch_up.newest(room)):
            return None
        message_id, seq = random.choice(newest)
        annotation = Annotation(message_id, room, self.user_id, emoji, on=True)
        self._annotated.append((seq, annotation))
        return annotation

    async def _ask(self, by_rest: Ask, by_socket: Ask) -> Outcome:
        """Asks by one of the doors until the result is certain."""
        ask = by_rest if self._random.random() < self._behaviour.by_rest else by_socket
        outcome = await until_certain(ask, self._random, self._check_outcome)
        self._check_outcome(outcome)
        return outcome

    async def _read(self, room: str) -> None:
        """Marks everything as read up to the user's last own message, which is near the end."""
        ids = [message.id for where, message in self._own if where == room]
        if ids:
            self._check_outcome(
                await attempt_once(lambda: read_by_socket(self._device().current_connection(), ids[-1]))
            )

    def _device(self) -> Device:
        return self._random.choice(self.devices)

    def _check_outcome(self, outcome: Outcome) -> None:
        """Logs an outcome that no client should get."""
        unexpected = outcome.is_certain and outcome.data is None and outcome.code not in EXPECTED_REFUSALS
        if unexpected or outcome.code == "internal":
            self.report_refusal(outcome.code)
