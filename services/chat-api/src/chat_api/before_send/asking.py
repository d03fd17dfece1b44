"""Asks about one text, once, and reads the verdict."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson
from prometheus_client import Counter

from chat_api.outgoing.client import FAILURES, Answer, OutgoingClient, OutgoingError
from chat_api.outgoing.signatures import signed_headers
from chat_api.outgoing.slots import Limits
from chat_api.settings import BeforeSendSettings
from messenger_shared.contract import errors
from messenger_shared.contract.errors import AppError
from messenger_shared.contract.json_codec import holds_forbidden_text
from messenger_shared.contract.schemas.fields import CONTENT_CHARS
from messenger_shared.contract.text.blank import is_blank
from messenger_shared.contract.timestamps import now_text

log = logging.getLogger(__name__)

TYPE: Final = "message.before_send"
# For all of it. A gateway asks another worker after two seconds, so that storing has half a second.
TIMEOUT_S: Final = 1.5
# All go to one host. Who waits longer than that would have no time left.
LIMITS: Final = Limits(running=64, per_host=64, waiting=1_000, wait_s=0.5)
# The longest text, with each character as JSON escapes it (12 bytes), and something beside it.
ANSWER_BYTES: Final = 128 * 1024
REJECTION_CHARS: Final = 500
RETRY_AFTER_MS: Final = 1_000

_ACTIONS: Final = ("allow", "replace", "reject")
VERDICTS = Counter(
    "messenger_before_send_verdicts",
    "Verdicts of the service that is asked before a message is stored",
    ["verdict"],
)
UNANSWERED = Counter(
    "messenger_before_send_failures",
    "Messages without a verdict, by cause: why the request failed, another status than 200 (status), or an "
    "answer that is none (answer)",
    ["cause"],
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What shall happen to a text. `text` is the one in its place, or why it is rejected; it may be empty."""

    action: Literal["allow", "replace", "reject"]
    text: str = ""


ALLOWED: Final = Verdict("allow")


class NoVerdict(Exception):
    """The answer has no verdict. The text says why."""


class Asker:
    """Asks the service. At most 64 texts of one worker are with it at once."""

    def __init__(self, settings: BeforeSendSettings, client: OutgoingClient) -> None:
        self._settings = settings
        self._client = client
        # So that they are shown before anything is counted.
        for action in _ACTIONS:
            VERDICTS.labels(action)
        for cause in (*FAILURES, "status", "answer"):
            UNANSWERED.labels(cause)

    async def ask(self, id_: str, data: dict[str, Any], *, may_be_blank: bool) -> Verdict:
        """The verdict on a text. Without an answer it is allowed, or raises AppError(unavailable).

        `id_` is that of the request; `may_be_blank` says whether the text may be replaced by nothing.
        """
        body = orjson.dumps({"type": TYPE, "timestamp": now_text(), "data": data})
        headers = signed_headers(id_, int(time.time()), body, (self._settings.secret,))
        headers["Content-Type"] = "application/json"
        try:
            answer = await self._client.post(
                self._settings.url, body, headers, timeout_s=TIMEOUT_S, body_bytes=ANSWER_BYTES
            )
            verdict = verdict_of(answer, may_be_blank=may_be_blank)
        except OutgoingError as error:
            return self._without_verdict(error.failure)
        except NoVerdict as error:
            log.info("the answer before a message has no verdict: %s", error)
            return self._without_verdict("answer" if answer.status == 200 else "status")
        VERDICTS.labels(verdict.action).inc()
        return verdict

    def _without_verdict(self, cause: str) -> Verdict:
        UNANSWERED.labels(cause).inc()
        if self._settings.fails_open:
            return ALLOWED
        raise AppError(errors.UNAVAILABLE, retry_after_ms=RETRY_AFTER_MS)


def verdict_of(answer: Answer, *, may_be_blank: bool) -> Verdict:
    """Reads an answer. Raises NoVerdict. The text of a rejection is cut to REJECTION_CHARS."""
    if answer.status != 200:
        raise NoVerdict(f"status {answer.status}")
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        raise NoVerdict("no JSON") from None
    if not isinstance(body, dict) or body.get("action") not in _ACTIONS:
        raise NoVerdict("no action")
    if body["action"] == "replace":
        return Verdict("replace", _content(body.get("content"), may_be_blank=may_be_blank))
    if body["action"] == "allow":
        return ALLOWED
    text = body.get("text")
    if not isinstance(text, str) or is_blank(text) or holds_forbidden_text(text):
        return Verdict("reject")
    return Verdict("reject", text[:REJECTION_CHARS])


def _content(content: object, *, may_be_blank: bool) -> str:
    """A text that a client could have sent. Raises NoVerdict."""
    if not isinstance(content, str) or holds_forbidden_text(content):
        raise NoVerdict("content is no text")
    if len(content) > CONTENT_CHARS or (is_blank(content) and not may_be_blank):
        raise NoVerdict("content is blank or too long")
    return content
