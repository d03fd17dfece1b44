"""A host that is asked before messages are stored, and the way of messages past it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from chat_api.before_send.asking import LIMITS, Asker
from chat_api.before_send.checks import BeforeSend
from chat_api.model import Draft
from chat_api.outgoing.client import OutgoingClient
from chat_api.outgoing.settings import OutgoingSettings
from chat_api.outgoing.slots import Limits
from chat_api.send_batcher import SendBatcher
from chat_api.settings import BeforeSendSettings
from chat_api.storage.before_send import PgSendFacts
from chat_api.storage.messages import PgMessages
from messenger_sdk import verify_webhook
from messenger_shared.contract.identifiers import new_id
from messenger_shared.postgres.database import Database

ADMIN, MEMBER, OBSERVER, STRANGER = 1, 2, 3, 4
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALLOW: Mapping[str, Any] = {"action": "allow"}
Verdict = Mapping[str, Any] | web.Response


def replacing(content: object) -> Verdict:
    return {"action": "replace", "content": content}


@dataclass
class Host:
    """Answers by content; allows what it doesn't know. Of `held` texts it thinks until they are let go."""

    verdicts: dict[str, Callable[[], Verdict]] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = verify_webhook(await request.read(), request.headers, SECRET)
        assert body["type"] == "message.before_send"
        self.asked.append(body["data"])
        content = body["data"]["content"]
        if content in self.held:
            await self.held[content].wait()
        verdict = self.verdicts.get(content, lambda: ALLOW)()
        return verdict if isinstance(verdict, web.Response) else web.json_response(verdict)

    def says(self, content: str, *verdicts: Verdict) -> None:
        """These verdicts one after the other, the last one for ever."""
        rest = list(verdicts)
        self.verdicts[content] = lambda: rest.pop(0) if len(rest) > 1 else rest[0]

    @property
    def contents(self) -> list[str]:
        return [data["content"] for data in self.asked]


@dataclass
class World:
    """A group, and the way of messages into it."""

    database: Database
    url: str
    room: str
    messages: PgMessages
    batcher: SendBatcher

    def before_send(self, *, fails_open: bool = True, limits: Limits = LIMITS) -> BeforeSend:
        client = OutgoingClient(OutgoingSettings().trusting("127.0.0.1"), "before_send", limits)
        asker = Asker(BeforeSendSettings(self.url, SECRET, fails_open), client)
        return BeforeSend(client, asker, PgSendFacts(self.database), self.messages, self.batcher)

    def draft(self, content: str, sender: int = MEMBER, client_id: str | None = None, **more: Any) -> Draft:
        draft = Draft(new_id(), self.room, sender, client_id, "text", content, None, None, None, None)
        return Draft(**{**{name: getattr(draft, name) for name in draft.__slots__}, **more})

    async def contents(self) -> list[str]:
        return [one["content"] for one in await self.messages.page(self.room, ADMIN, 0, 100, forward=True)]
