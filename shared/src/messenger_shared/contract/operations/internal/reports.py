"""Operations between gateways and presence, and between presence and chat-api. Clients can't use them."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from messenger_shared.contract.operations.operation import CHAT_API, PRESENCE, Operation
from messenger_shared.contract.operations.presence import SetRequest
from messenger_shared.contract.schemas.fields import IntegerField, RequestSchema, user_id
from messenger_shared.contract.schemas.resources import AnySchema


class ReportRequest(RequestSchema):
    """Users who came online, are away, or left at a gateway worker. With `full`, all users of that worker."""

    gateway = fields.String(required=True)
    opened = fields.List(user_id(), required=True)
    away = fields.List(user_id(), load_default=[])
    closed = fields.List(user_id(), required=True)
    full = fields.Boolean(required=True)
    connections = IntegerField(load_default=0)


class LeaveRequest(RequestSchema):
    """A gateway worker that shuts down."""

    gateway = fields.String(required=True)


class UsersRequest(RequestSchema):
    """Users to look up."""

    user_ids = fields.List(user_id(), required=True)


class StatesRequest(UsersRequest):
    """Users to look up. With `with_seen`, also when those who are offline were last seen."""

    with_seen = fields.Boolean(load_default=False)


class ContactPageRequest(RequestSchema):
    """A page of the caller's contacts, after a user id."""

    after = IntegerField(required=True)
    limit = IntegerField(low=1, required=True)


REPORT: Final = Operation("presence.report", PRESENCE, ReportRequest(), AnySchema(), key="gateway")
LEAVE: Final = Operation("presence.leave", PRESENCE, LeaveRequest(), AnySchema(), key="gateway")
STATES: Final = Operation("presence.states", PRESENCE, StatesRequest(), AnySchema())
LOOK: Final = Operation("presence.look", PRESENCE, UsersRequest(), AnySchema())
CHOOSE: Final = Operation("presence.choose", PRESENCE, SetRequest(), AnySchema())
CONTACTS_AMONG: Final = Operation("contacts.among", CHAT_API, UsersRequest(), AnySchema())
CONTACTS_PAGE: Final = Operation("contacts.page", CHAT_API, ContactPageRequest(), AnySchema())

OPERATIONS: Final = (REPORT, LEAVE, STATES, LOOK, CHOOSE, CONTACTS_AMONG, CONTACTS_PAGE)
