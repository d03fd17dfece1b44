"""Decides when the host is asked about a message, and does what the verdict says."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, NamedTuple, Protocol

from chat_api.before_send.asking import Asker, Verdict
from chat_api.before_send.turns import Turns
from chat_api.model import Draft, Edit, MentionsData
from chat_api.outgoing.client import OutgoingClient
from chat_api.ports import MessageStore
from chat_api.rules.messages import check_content, require_allowed
from chat_api.rules.permissions import ALLOWED, Action
from chat_api.send_batcher import SendBatcher
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.identifiers import new_id


class SendFacts(NamedTuple):
    """What matters of a draft before it is stored. `is_stored`: it is a repeat of a message."""

    type: str
    role: str
    is_stored: bool
    file_names: list[str]


class SendFactsStore(Protocol):
    """Reads facts about drafts. Raises like MessageStore."""

    async def of(self, draft: Draft) -> SendFacts | None:
        """The facts; None if the sender is no member of the conversation."""


class BeforeSend:
    """Has messages checked on their way to the batcher, and edits on their way to the store.

    Messages of one user to one conversation keep their order: the host is asked about them at the same time,
    and they join a batch one after the other. All others don't wait for them.
    """

    def __init__(
        self,
        client: OutgoingClient,
        asker: Asker,
        facts: SendFactsStore,
        messages: MessageStore,
        batcher: SendBatcher,
    ) -> None:
        self._client = client
        self._asker = asker
        self._facts = facts
        self._messages = messages
        self._batcher = batcher
        self._turns = Turns()
        # By message id, as in SendBatcher: a gateway may repeat a request before the first is answered.
        self._unanswered: dict[str, asyncio.Task[Any]] = {}

    async def start(self) -> None:
        """Raises SettingsError if requests can't be made."""
        await self._client.start()

    async def stop(self) -> None:
        """Finishes what was begun, as far as its deadlines let it."""
        if self._unanswered:
            await asyncio.wait(self._unanswered.values())
        await self._client.stop()

    def send(self, draft: Draft) -> asyncio.Future[Any]:
        """Like SendBatcher.send, after the host was asked. Also AppError(message_rejected, unavailable)."""
        task = self._unanswered.get(draft.id)
        if task is None:
            task = self._unanswered[draft.id] = asyncio.create_task(self._send(draft), name="before send")
            task.add_done_callback(lambda _: self._unanswered.pop(draft.id))
        return task

    async def edit(self, message_id: str, caller: int, edit: Edit) -> Edit:
        """The edit as it shall be made. Raises AppError(message_rejected, unavailable).

        A repeat of an edit is asked about again: whether it is one, only the new text tells.
        """
        facts = await self._messages.facts(message_id, caller)
        try:
            check_content(facts, edit.content)
            visible = require_allowed(facts, caller, "edit")
        except AppError:
            # The store refuses it, in its own order of checks.
            return edit
        if visible.deleted or visible.content == edit.content:
            return edit
        data = {
            "conversation_id": visible.conversation_id,
            "user_id": caller,
            "message_id": message_id,
            "content": edit.content,
        }
        verdict = await self._asker.ask(f"before_{new_id()}", data, may_be_blank=visible.has_file)
        if verdict.action == "reject":
            raise _rejection(verdict)
        if verdict.action == "replace" and verdict.text != edit.content:
            return edit._replace(content=verdict.text, mentions=_without_places(edit.mentions))
        return edit

    async def _send(self, draft: Draft) -> Any:
        turn = self._turns.take((draft.sender_id, draft.conversation_id))
        try:
            checked = await self._checked(draft)
            await turn.comes()
            answer = self._batcher.send(checked)
        finally:
            turn.end()
        return await answer

    async def _checked(self, draft: Draft) -> Draft:
        """The draft as it shall be stored. Nobody is asked about one that is stored, or will be refused."""
        facts = await self._facts.of(draft)
        if facts is None or facts.is_stored or facts.role not in ALLOWED[facts.type][Action.WRITE]:
            return draft
        names = facts.file_names + ([draft.file_name] if draft.file_name else [])
        data = {
            "conversation_id": draft.conversation_id,
            "user_id": draft.sender_id,
            "client_message_id": draft.client_message_id,
            "message_type": draft.type,
            "content": draft.content,
            "attachments": names,
        }
        has_file = bool(draft.attachments or draft.file_url)
        verdict = await self._asker.ask(f"before_{draft.id}", data, may_be_blank=has_file)
        if verdict.action == "replace" and verdict.text != draft.content:
            return dataclasses.replace(
                draft,
                content=verdict.text,
                sent_content=draft.content,
                mentions=_without_places(draft.mentions),
            )
        if verdict.action == "reject" and not await self._is_stored(draft):
            raise _rejection(verdict)
        return draft

    async def _is_stored(self, draft: Draft) -> bool:
        """Whether another worker, asked for the same message, got another verdict and has stored it."""
        facts = await self._facts.of(draft)
        return facts is not None and facts.is_stored


def _without_places(mentions: MentionsData | None) -> MentionsData | None:
    """The same mentions, without their places in a text that is another one now."""
    return mentions and {**mentions, "entities": []}


def _rejection(verdict: Verdict) -> AppError:
    return AppError(errors.MESSAGE_REJECTED, details={"content": [verdict.text]} if verdict.text else None)
