"""Owns the operations on who is online; for now all between the gateway and presence."""

from __future__ import annotations

from typing import Final

from marshmallow import fields

from messenger_shared.operations.fields import RequestSchema, user_id
from messenger_shared.operations.operation import PRESENCE, Operation
from messenger_shared.operations.resources import AnySchema


class ReportRequest(RequestSchema):
    """Which users came to and left a gateway; with `full`, all who are there."""

    gateway = fields.String(required=True)
    opened = fields.List(user_id(), required=True)
    closed = fields.List(user_id(), required=True)
    full = fields.Boolean(required=True)


class LeaveRequest(RequestSchema):
    """A gateway that ends."""

    gateway = fields.String(required=True)


class OnlineRequest(RequestSchema):
    """Users to look up."""

    user_ids = fields.List(user_id(), required=True)


REPORT: Final = Operation("presence.report", PRESENCE, ReportRequest(), AnySchema(), key="gateway")
LEAVE: Final = Operation("presence.leave", PRESENCE, LeaveRequest(), AnySchema(), key="gateway")
ONLINE: Final = Operation("presence.online", PRESENCE, OnlineRequest(), AnySchema())

OPERATIONS: Final = (REPORT, LEAVE, ONLINE)
