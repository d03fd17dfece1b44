"""Owns the operation that tells how much is going on."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields

from messenger_shared.operations.fields import IntegerField, RequestSchema
from messenger_shared.operations.operation import PRESENCE, Operation, Route, ok


class GatewaySchema(Schema):
    """One gateway worker, and how many sockets it holds."""

    id = fields.String(required=True)
    connections = IntegerField(required=True)


class StatsSchema(Schema):
    """Over all gateway workers; `active_conversations` are those with a member connected."""

    online_users = IntegerField(required=True)
    total_connections = IntegerField(required=True)
    active_conversations = IntegerField(required=True)
    gateways = fields.List(fields.Nested(GatewaySchema), required=True)


STATS: Final = Operation(
    name="stats.get",
    summary="See how much is going on",
    service=PRESENCE,
    request=RequestSchema(),
    answer=StatsSchema(),
    route=Route("GET", "/stats", ok),
)

OPERATIONS: Final = (STATS,)
