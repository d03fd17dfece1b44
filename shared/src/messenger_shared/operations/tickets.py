"""Owns the operation that gives a ticket for one socket, so that no token has to be in an address."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from messenger_shared import errors
from messenger_shared.operations.fields import MomentField, RequestSchema
from messenger_shared.operations.operation import GATEWAY, Operation, Route, responds


class TicketSchema(Schema):
    """Opens one socket, as `?ticket=`, until it expires."""

    ticket = fields.String(required=True)
    expires_at = MomentField(required=True)


@responds(201)
def _given(answer: Any) -> tuple[int, Any]:
    return 201, answer


GIVE: Final = Operation(
    name="ticket.give",
    summary="Get a ticket for one socket",
    service=GATEWAY,
    request=RequestSchema(),
    answer=TicketSchema(),
    route=Route("POST", "/ws-ticket", _given),
    errors=(errors.RATE_LIMITED,),
)

OPERATIONS: Final = (GIVE,)
