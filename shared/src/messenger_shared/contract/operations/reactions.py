"""Operations on reactions to messages."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from messenger_shared.contract import errors
from messenger_shared.contract.operations.messages import MessageRequest
from messenger_shared.contract.operations.operation import CHAT_API, Command, Operation, Route, no_content, ok
from messenger_shared.contract.schemas.fields import (
    BooleanField,
    EmojiField,
    MomentField,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.contract.schemas.reactions import ReactionsSchema
from messenger_shared.contract.schemas.resources import PageSchema, users_named


class ReactionRequest(MessageRequest):
    """An emoji of the caller's on a message."""

    emoji = EmojiField(required=True)


class SetReactionRequest(ReactionRequest):
    """Whether the message has this emoji of the caller's."""

    on = BooleanField(required=True)


class ReactingUsersRequest(MessageRequest):
    """A page of the users who reacted to a message, with one emoji or with any."""

    emoji = EmojiField(load_default=None)
    cursor = cursor()
    limit = page_limit()


class ReactingUserSchema(Schema):
    """A user's reaction to a message."""

    user_id = user_id(required=True)
    emoji = fields.String(required=True)
    reacted_at = MomentField(required=True)


class ReactingUserPageSchema(PageSchema):
    """A page of the reactions to a message, oldest first."""

    items = fields.List(fields.Nested(ReactingUserSchema), required=True)
    users = users_named()


def _frame(body: dict[str, Any], answer: Any) -> dict[str, Any]:
    return {"message_id": body["message_id"], **answer}


_ERRORS: Final = (
    errors.INVALID_FRAME,
    errors.BAD_EMOJI,
    errors.FORBIDDEN,
    errors.NOT_MEMBER,
    errors.NOT_FOUND,
)
_PATH: Final = "/messages/{message_id}/reactions/{emoji}"

SET: Final = Operation(
    name="reaction.set",
    summary="Set or remove a reaction",
    service=CHAT_API,
    request=SetReactionRequest(),
    answer=ReactionsSchema(),
    key="message_id",
    command=Command(("reaction.set",), "reaction.ok", _frame),
    errors=(*_ERRORS, errors.REACTION_LIMIT),
)
ADD: Final = Operation(
    name="reaction.add",
    summary="React to a message",
    service=CHAT_API,
    request=ReactionRequest(),
    answer=ReactionsSchema(),
    key="message_id",
    route=Route("PUT", _PATH, ok),
    errors=(*_ERRORS, errors.REACTION_LIMIT),
)
REMOVE: Final = Operation(
    name="reaction.remove",
    summary="Remove a reaction",
    service=CHAT_API,
    request=ReactionRequest(),
    answer=ReactionsSchema(),
    key="message_id",
    route=Route("DELETE", _PATH, no_content),
    errors=_ERRORS,
)
LIST: Final = Operation(
    name="reaction.list",
    summary="List who reacted to a message",
    service=CHAT_API,
    request=ReactingUsersRequest(),
    answer=ReactingUserPageSchema(),
    key="message_id",
    route=Route("GET", "/messages/{message_id}/reactions", ok),
    errors=(errors.INVALID_FRAME, errors.BAD_EMOJI, errors.NOT_MEMBER, errors.NOT_FOUND),
)

OPERATIONS: Final = (SET, ADD, REMOVE, LIST)
