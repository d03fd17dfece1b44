"""Owns the commands that the gateway answers itself: what a socket looks at, typing, its token, its pulse."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields

from messenger_shared import errors
from messenger_shared.operations.fields import (
    ConversationRequest,
    IntegerField,
    RequestSchema,
    ShortDict,
    UuidField,
)
from messenger_shared.operations.operation import GATEWAY, Body, Command, Operation
from messenger_shared.operations.resources import AnySchema, NothingSchema

MAX_POSITIONS: Final = 200


class SubscribeRequest(RequestSchema):
    """The conversation to look at."""

    conversation_id = UuidField(required=True)
    after_pos = IntegerField(load_default=None, allow_none=True)


class ResumeRequest(RequestSchema):
    """Where the client stands in its conversations."""

    positions = ShortDict(UuidField(), IntegerField(), MAX_POSITIONS, required=True)


class RefreshRequest(RequestSchema):
    """A fresh token of the same user."""

    token = fields.String(required=True)


class PingRequest(RequestSchema):
    """Anything that the client wants back."""

    ts = fields.Raw(load_default=None, allow_none=True)


def _echo(body: Body, answer: Any) -> Body:
    return {"conversation_id": body["conversation_id"]}


_ERRORS: Final = (errors.INVALID_CONVERSATION_ID, errors.NOT_FOUND, errors.NOT_MEMBER)

SUBSCRIBE: Final = Operation(
    name="subscribe",
    summary="Look at a conversation",
    service=GATEWAY,
    request=SubscribeRequest(),
    answer=AnySchema(),
    command=Command(("subscribe",), "subscribed", always=True),
    errors=_ERRORS,
)
RESUME: Final = Operation(
    name="resume",
    summary="Catch up after an absence",
    service=GATEWAY,
    request=ResumeRequest(),
    answer=AnySchema(),
    command=Command(("resume",), "resumed"),
    errors=(errors.INVALID_FRAME, errors.UNAVAILABLE),
)
UNSUBSCRIBE: Final = Operation(
    name="unsubscribe",
    summary="Look away",
    service=GATEWAY,
    request=ConversationRequest(),
    answer=NothingSchema(),
    command=Command(("unsubscribe",), "unsubscribed", _echo, always=True),
    errors=(errors.INVALID_CONVERSATION_ID,),
)
TYPING_START: Final = Operation(
    name="typing.start",
    summary="Tell that one types",
    service=GATEWAY,
    request=ConversationRequest(),
    answer=NothingSchema(),
    command=Command(("typing.start", "typing"), "typing.ok", _echo),
    errors=_ERRORS,
)
TYPING_STOP: Final = Operation(
    name="typing.stop",
    summary="Tell that one stopped typing",
    service=GATEWAY,
    request=ConversationRequest(),
    answer=NothingSchema(),
    command=Command(("typing.stop",), "typing.ok", _echo),
    errors=_ERRORS,
)
AUTH_REFRESH: Final = Operation(
    name="auth.refresh",
    summary="Bring a fresh token",
    service=GATEWAY,
    request=RefreshRequest(),
    answer=AnySchema(),
    command=Command(("auth.refresh",), "auth.ok"),
    errors=(errors.UNAUTHORIZED,),
)
PING: Final = Operation(
    name="ping",
    summary="See whether the line is alive",
    service=GATEWAY,
    request=PingRequest(),
    answer=AnySchema(),
    command=Command(("ping",), "pong", always=True),
)

OPERATIONS: Final = (SUBSCRIBE, RESUME, UNSUBSCRIBE, TYPING_START, TYPING_STOP, AUTH_REFRESH, PING)
