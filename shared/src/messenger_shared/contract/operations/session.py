"""Operations on sockets, which the gateway answers itself: tickets, subscriptions, typing, tokens, pings."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import (
    GATEWAY,
    Body,
    Command,
    Operation,
    Route,
    responds,
)
from messenger_shared.contract.schemas.fields import (
    ConversationRequest,
    IntegerField,
    MomentField,
    RequestSchema,
    ShortDict,
    UuidField,
)
from messenger_shared.contract.schemas.resources import AnySchema, EmptySchema

MAX_POSITIONS: Final = 200


class SubscribeRequest(RequestSchema):
    """The conversation to subscribe to; with `after_pos`, the events after it are replayed."""

    conversation_id = UuidField(required=True)
    after_pos = IntegerField(load_default=None, allow_none=True)


class ResumeRequest(RequestSchema):
    """The last `pos` that the client has, for each of its conversations."""

    positions = ShortDict(UuidField(), IntegerField(), MAX_POSITIONS, required=True)


class RefreshRequest(RequestSchema):
    """A new token of the same user."""

    token = fields.String(required=True)


class PingRequest(RequestSchema):
    """A ping. `ts` may be any value; the answer returns it."""

    ts = fields.Raw(load_default=None, allow_none=True)


class TicketSchema(Schema):
    """A ticket, which opens one socket as `?ticket=` until it expires, so that no token is in a URL."""

    ticket = fields.String(required=True)
    expires_at = MomentField(required=True)


@responds(201)
def _created(answer: Any) -> tuple[int, Any]:
    return 201, answer


def _echo(body: Body, answer: Any) -> Body:
    return {"conversation_id": body["conversation_id"]}


_ERRORS: Final = (errors.INVALID_CONVERSATION_ID, errors.NOT_FOUND, errors.NOT_MEMBER)

SUBSCRIBE: Final = Operation(
    name="subscribe",
    summary="Subscribe to a conversation",
    service=GATEWAY,
    request=SubscribeRequest(),
    answer=AnySchema(),
    command=Command(("subscribe",), "subscribed", answers_without_ref=True),
    errors=_ERRORS,
)
RESUME: Final = Operation(
    name="resume",
    summary="Resume after a disconnection: replay missed events",
    service=GATEWAY,
    request=ResumeRequest(),
    answer=AnySchema(),
    command=Command(("resume",), "resumed"),
    errors=(errors.INVALID_FRAME, errors.UNAVAILABLE),
)
UNSUBSCRIBE: Final = Operation(
    name="unsubscribe",
    summary="Unsubscribe from a conversation",
    service=GATEWAY,
    request=ConversationRequest(),
    answer=EmptySchema(),
    command=Command(("unsubscribe",), "unsubscribed", _echo, answers_without_ref=True),
    errors=(errors.INVALID_CONVERSATION_ID,),
)
TYPING_START: Final = Operation(
    name="typing.start",
    summary="Start typing",
    service=GATEWAY,
    request=ConversationRequest(),
    answer=EmptySchema(),
    command=Command(("typing.start", "typing"), "typing.ok", _echo),
    errors=_ERRORS,
)
TYPING_STOP: Final = Operation(
    name="typing.stop",
    summary="Stop typing",
    service=GATEWAY,
    request=ConversationRequest(),
    answer=EmptySchema(),
    command=Command(("typing.stop",), "typing.ok", _echo),
    errors=_ERRORS,
)
AUTH_REFRESH: Final = Operation(
    name="auth.refresh",
    summary="Refresh the token",
    service=GATEWAY,
    request=RefreshRequest(),
    answer=AnySchema(),
    command=Command(("auth.refresh",), "auth.ok"),
    errors=(errors.UNAUTHORIZED,),
)
PING: Final = Operation(
    name="ping",
    summary="Check the connection",
    service=GATEWAY,
    request=PingRequest(),
    answer=AnySchema(),
    command=Command(("ping",), "pong", answers_without_ref=True),
)

GIVE_TICKET: Final = Operation(
    name="ticket.give",
    summary="Create a ticket for one socket",
    service=GATEWAY,
    request=RequestSchema(),
    answer=TicketSchema(),
    route=Route("POST", "/ws-ticket", _created),
    errors=(errors.RATE_LIMITED,),
)

OPERATIONS: Final = (
    SUBSCRIBE,
    RESUME,
    UNSUBSCRIBE,
    TYPING_START,
    TYPING_STOP,
    AUTH_REFRESH,
    PING,
    GIVE_TICKET,
)
