"""The operation that gives a one-time ticket for a socket, so that no token has to be in a URL."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import GATEWAY, Operation, Route, responds
from messenger_shared.contract.schemas.fields import MomentField, RequestSchema


class TicketSchema(Schema):
    """A ticket, which opens one socket as `?ticket=` until it expires."""

    ticket = fields.String(required=True)
    expires_at = MomentField(required=True)


@responds(201)
def _created(answer: Any) -> tuple[int, Any]:
    return 201, answer


GIVE: Final = Operation(
    name="ticket.give",
    summary="Create a ticket for one socket",
    service=GATEWAY,
    request=RequestSchema(),
    answer=TicketSchema(),
    route=Route("POST", "/ws-ticket", _created),
    errors=(errors.RATE_LIMITED,),
)

OPERATIONS: Final = (GIVE,)
