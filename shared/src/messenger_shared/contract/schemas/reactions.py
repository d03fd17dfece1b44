"""Schemas of the reactions to a message."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from messenger_shared.contract.schemas.fields import IntegerField, user_id

NAMED_USERS: Final = 3
CHANGES_NAMED: Final = 50


class ReactionCountSchema(Schema):
    """How many users reacted with an emoji, and the first three of them."""

    emoji = fields.String(required=True)
    count = IntegerField(low=1, required=True)
    user_ids = fields.List(user_id(), required=True, validate=validate.Length(max=NAMED_USERS))


class MessageReactionSchema(ReactionCountSchema):
    """The same for a reader: `mine` says whether they are one of them."""

    mine = fields.Boolean(required=True)


class ReactionsSchema(Schema):
    """All reactions to a message, by emoji in the order of first use, and the caller's own emoji."""

    counts = fields.List(fields.Nested(ReactionCountSchema), required=True)
    mine = fields.List(fields.String(), required=True)


class ReactionChangeSchema(Schema):
    """A reaction that was set or removed."""

    user_id = user_id(required=True)
    emoji = fields.String(required=True)
    on = fields.Boolean(required=True)
