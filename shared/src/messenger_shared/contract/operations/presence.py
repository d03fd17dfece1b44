"""Operations on presence: clients ask for that of others, and set their own. And the statistics of it."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import (
    GATEWAY,
    PRESENCE,
    Body,
    Command,
    Operation,
    Route,
    ok,
)
from messenger_shared.contract.presence_states import (
    AWAY,
    CONTACTS,
    EVERYONE,
    INVISIBLE,
    NOBODY,
    OFFLINE,
    ONLINE,
)
from messenger_shared.contract.schemas.fields import (
    IdList,
    IntegerField,
    MomentField,
    RequestSchema,
    cursor,
    page_limit,
    user_id,
)
from messenger_shared.contract.schemas.resources import EmptySchema, PageSchema

MAX_ASKED: Final = 500
STATUSES: Final = (ONLINE, AWAY, OFFLINE, INVISIBLE)
CHOICES: Final = (ONLINE, AWAY, INVISIBLE)
VISIBILITIES: Final = (EVERYONE, CONTACTS, NOBODY)


class PresenceSchema(Schema):
    """The presence of a user. `last_seen_at` is null for users who are not offline, or who hide it.

    Only the user themselves sees `invisible`; all others see `offline`.
    """

    user_id = user_id(required=True)
    status = fields.String(required=True, validate=validate.OneOf(STATUSES))
    last_seen_at = MomentField(required=True, allow_none=True)


class PresencePageSchema(PageSchema):
    """A page of users and their presence. A page with fewer items than `limit` may still not be the last."""

    items = fields.List(fields.Nested(PresenceSchema), required=True)


class PresenceUserRequest(RequestSchema):
    """A user who shares a conversation with the caller."""

    user_id = user_id(required=True)


class PresenceUsersRequest(RequestSchema):
    """Users. Those who share no conversation with the caller are left out."""

    user_ids = IdList(1, MAX_ASKED, required=True)


class OnlineRequest(RequestSchema):
    """A page of the users who are online or away and share a conversation with the caller."""

    cursor = cursor()
    limit = page_limit()


class SetRequest(RequestSchema):
    """The status of this socket (`invisible`: of the user), and who may see when the user was last seen."""

    status = fields.String(validate=validate.OneOf(CHOICES), load_default=None)
    last_seen_visibility = fields.String(validate=validate.OneOf(VISIBILITIES), load_default=None)


class GatewaySchema(Schema):
    """One gateway worker and its number of sockets."""

    id = fields.String(required=True)
    connections = IntegerField(required=True)


class StatsSchema(Schema):
    """Totals of all gateway workers. A conversation with a connected member counts as active."""

    online_users = IntegerField(required=True)
    total_connections = IntegerField(required=True)
    active_conversations = IntegerField(required=True)
    gateways = fields.List(fields.Nested(GatewaySchema), required=True)


def _nothing(body: Body, answer: Any) -> Body:
    return {}


def _users(body: Body, answer: Any) -> Body:
    return {"users": answer}


ONLINE_LIST: Final = Operation(
    name="presence.online",
    summary="List the members who are online",
    service=PRESENCE,
    request=OnlineRequest(),
    answer=PresencePageSchema(),
    route=Route("GET", "/presence/online", ok),
    errors=(errors.INVALID_FRAME,),
)
LIST: Final = Operation(
    name="presence.list",
    summary="Get the presence of users",
    service=PRESENCE,
    request=PresenceUsersRequest(),
    answer=PresencePageSchema(),
    route=Route("GET", "/presence", ok),
    errors=(errors.INVALID_FRAME,),
)
GET: Final = Operation(
    name="presence.get",
    summary="Get the presence of a user",
    service=PRESENCE,
    request=PresenceUserRequest(),
    answer=PresenceSchema(),
    route=Route("GET", "/presence/{user_id}", ok),
    errors=(errors.INVALID_FRAME, errors.NOT_FOUND),
)
SET: Final = Operation(
    name="presence.set",
    summary="Set the caller's own presence",
    service=GATEWAY,
    request=SetRequest(),
    answer=EmptySchema(),
    command=Command(("presence.set",), "presence.ok", _nothing),
    errors=(errors.INVALID_FRAME, errors.UNAVAILABLE),
)
WATCH: Final = Operation(
    name="presence.watch",
    summary="Subscribe to the presence of users",
    service=GATEWAY,
    request=PresenceUsersRequest(),
    answer=EmptySchema(),
    command=Command(("presence.watch",), "presence.state", _users),
    errors=(errors.INVALID_FRAME, errors.UNAVAILABLE),
)
UNWATCH: Final = Operation(
    name="presence.unwatch",
    summary="Unsubscribe from the presence of users",
    service=GATEWAY,
    request=PresenceUsersRequest(),
    answer=EmptySchema(),
    command=Command(("presence.unwatch",), "presence.state", _users),
    errors=(errors.INVALID_FRAME,),
)
STATS: Final = Operation(
    name="stats.get",
    summary="Get statistics",
    service=PRESENCE,
    request=RequestSchema(),
    answer=StatsSchema(),
    route=Route("GET", "/stats", ok),
)

# The order matters: if two paths match, the first one is used.
OPERATIONS: Final = (ONLINE_LIST, LIST, GET, SET, WATCH, UNWATCH, STATS)
