"""Owns what clients ask about who is there, and say about themselves."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from messenger_shared import errors
from messenger_shared.operations.fields import (
    IdList,
    MomentField,
    RequestSchema,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.operations.operation import (
    GATEWAY,
    PRESENCE,
    Body,
    Command,
    Operation,
    Route,
    ok,
)
from messenger_shared.operations.resources import NothingSchema, PageSchema
from messenger_shared.presences import (
    AWAY,
    CONTACTS,
    EVERYONE,
    INVISIBLE,
    NOBODY,
    OFFLINE,
    ONLINE,
)

MAX_ASKED: Final = 500
STATUSES: Final = (ONLINE, AWAY, OFFLINE, INVISIBLE)
CHOICES: Final = (ONLINE, AWAY, INVISIBLE)
VISIBILITIES: Final = (EVERYONE, CONTACTS, NOBODY)


class PresenceSchema(Schema):
    """How present somebody is. `last_seen_at` is null for who is there, and for who doesn't tell.

    `invisible` is told to the user himself alone; to all others he is `offline`.
    """

    user_id = user_id(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    last_seen_at = MomentField(required=True, allow_none=True)


class PresencePageSchema(PageSchema):
    """People and how present they are; a page may hold fewer than it could, and still not be the last."""

    items = fields.List(fields.Nested(PresenceSchema), required=True)


class PersonRequest(RequestSchema):
    """Somebody with whom the caller shares a conversation."""

    user_id = user_id(required=True)


class PeopleRequest(RequestSchema):
    """People; those with whom the caller shares no conversation are left out."""

    user_ids = IdList(1, MAX_ASKED, required=True)


class OnlineRequest(RequestSchema):
    """Those who are there among all with whom the caller shares a conversation."""

    cursor = cursor()
    limit = page_limit()


class SetRequest(RequestSchema):
    """How this socket, or with `invisible` the user, is there from now on; who gets to see the last time."""

    status = fields.String(validate=validate.OneOf(CHOICES), load_default=None)
    last_seen_visibility = fields.String(validate=validate.OneOf(VISIBILITIES), load_default=None)


def _nothing(body: Body, answer: Any) -> Body:
    return {}


def _users(body: Body, answer: Any) -> Body:
    return {"users": answer}


ONLINE_LIST: Final = Operation(
    name="presence.online",
    summary="See who is there",
    service=PRESENCE,
    request=OnlineRequest(),
    answer=PresencePageSchema(),
    route=Route("GET", "/presence/online", ok),
    errors=(errors.INVALID_FRAME,),
)
LIST: Final = Operation(
    name="presence.list",
    summary="See how present people are",
    service=PRESENCE,
    request=PeopleRequest(),
    answer=PresencePageSchema(),
    route=Route("GET", "/presence", ok),
    errors=(errors.INVALID_FRAME,),
)
GET: Final = Operation(
    name="presence.get",
    summary="See how present somebody is",
    service=PRESENCE,
    request=PersonRequest(),
    answer=PresenceSchema(),
    route=Route("GET", "/presence/{user_id}", ok),
    errors=(errors.INVALID_FRAME, errors.NOT_FOUND),
)
SET: Final = Operation(
    name="presence.set",
    summary="Say how present one is",
    service=GATEWAY,
    request=SetRequest(),
    answer=NothingSchema(),
    command=Command(("presence.set",), "presence.ok", _nothing),
    errors=(errors.INVALID_FRAME, errors.UNAVAILABLE),
)
WATCH: Final = Operation(
    name="presence.watch",
    summary="Be told how present people are",
    service=GATEWAY,
    request=PeopleRequest(),
    answer=NothingSchema(),
    command=Command(("presence.watch",), "presence.state", _users),
    errors=(errors.INVALID_FRAME, errors.UNAVAILABLE),
)
UNWATCH: Final = Operation(
    name="presence.unwatch",
    summary="Be told no more",
    service=GATEWAY,
    request=PeopleRequest(),
    answer=NothingSchema(),
    command=Command(("presence.unwatch",), "presence.state", _users),
    errors=(errors.INVALID_FRAME,),
)

# In this order: of two paths that fit, the first one counts.
OPERATIONS: Final = (ONLINE_LIST, LIST, GET, SET, WATCH, UNWATCH)
