"""Schemas of search results."""

from __future__ import annotations

from typing import ClassVar

from marshmallow import Schema, fields, validate

from messenger_shared.contract.schemas.fields import IntegerField, UuidField
from messenger_shared.contract.schemas.resources import HistoryMessageSchema, PageSchema, users_named


class SearchHitSchema(Schema):
    """A message that was found. `highlights` are the places of the words: [offset, length] in UTF-16 units.

    They are in `content`, in order, and don't overlap. If only a file's name has the words, there are none.
    """

    message = fields.Nested(HistoryMessageSchema, required=True)
    conversation_id = UuidField(required=True)
    highlights = fields.List(fields.List(IntegerField(), validate=validate.Length(equal=2)), required=True)


class SearchPageSchema(PageSchema):
    """A page of found messages, the newest first.

    With `partial`, the time for one search ended first: the page may have fewer messages, or none, and the
    search goes on from `next_cursor`.
    """

    items = fields.List(fields.Nested(SearchHitSchema), required=True)
    users = users_named()
    has_more = fields.Boolean(required=True)

    class Meta:
        # A field whose name is an attribute of Schema.
        include: ClassVar = {"partial": fields.Boolean()}
