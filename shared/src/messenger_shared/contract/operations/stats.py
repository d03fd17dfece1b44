"""The operation that returns statistics: users, sockets, active conversations."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields

from messenger_shared.contract.operations.operation import PRESENCE, Operation, Route, ok
from messenger_shared.contract.schemas.fields import IntegerField, RequestSchema


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


STATS: Final = Operation(
    name="stats.get",
    summary="Get statistics",
    service=PRESENCE,
    request=RequestSchema(),
    answer=StatsSchema(),
    route=Route("GET", "/stats", ok),
)

OPERATIONS: Final = (STATS,)
