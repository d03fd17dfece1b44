"""Schemas of webhooks and of the events that hosts get."""

from __future__ import annotations

from typing import Final

from marshmallow import Schema, fields, validate

from messenger_shared.contract import events
from messenger_shared.contract.schemas.fields import IntegerField, MomentField
from messenger_shared.contract.schemas.resources import PageSchema

WEBHOOKS_MAX: Final = 10
WEBHOOK_NAME_CHARS: Final = 100
# The durable events.
EVENT_TYPES: Final = (
    events.MESSAGE_NEW,
    events.MESSAGE_EDITED,
    events.MESSAGE_DELETED,
    events.MESSAGE_REACTIONS,
    events.MESSAGE_FILES,
    events.CONVERSATION_UPDATED,
    events.CONVERSATION_PINS,
    events.PARTICIPANT_ADDED,
    events.PARTICIPANT_UPDATED,
    events.PARTICIPANT_REMOVED,
)
# What only webhooks have, and only those that name it. It isn't durable.
PRESENCE_TYPES: Final = (events.USER_ONLINE, events.USER_OFFLINE)
WEBHOOK_TYPES: Final = EVENT_TYPES + PRESENCE_TYPES
# Why a webhook is disabled: the host asked for it, or its receiver answered 410.
DISABLED: Final = ("host", "gone")


class WebhookSchema(Schema):
    """A webhook, and how far it is behind: conversations that wait to be tried again, or are parked."""

    name = fields.String(required=True)
    url = fields.String(required=True)
    types = fields.List(fields.String(validate=validate.OneOf(WEBHOOK_TYPES)), required=True)
    disabled = fields.Boolean(required=True)
    disabled_reason = fields.String(required=True, allow_none=True, validate=validate.OneOf(DISABLED))
    created_at = MomentField(required=True)
    # Until then the secret before the last rotation signs too.
    old_secret_until = MomentField(required=True, allow_none=True)
    waiting = IntegerField(required=True)
    parked = IntegerField(required=True)


class WebhookWithSecretSchema(WebhookSchema):
    """A webhook with its secret, which is shown once."""

    secret = fields.String(metadata={"description": "Only after it was made"})


class WebhooksSchema(Schema):
    """All webhooks."""

    items = fields.List(fields.Nested(WebhookSchema), required=True)


class WebhookTestSchema(Schema):
    """What became of a test: the receiver's status, or why there is none."""

    delivered = fields.Boolean(required=True)
    status = IntegerField(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)
    took_ms = IntegerField(required=True)


class WebhookAttemptSchema(Schema):
    """One attempt to deliver an event. `attempt` counts those for the same event."""

    id = IntegerField(required=True)
    at = MomentField(required=True)
    event_id = fields.String(required=True)
    type = fields.String(required=True)
    attempt = IntegerField(low=1, required=True)
    status = IntegerField(required=True, allow_none=True)
    failure = fields.String(required=True, allow_none=True)
    took_ms = IntegerField(required=True)


class WebhookAttemptPageSchema(PageSchema):
    """A page of attempts, the newest first."""

    items = fields.List(fields.Nested(WebhookAttemptSchema), required=True)


class RedeliverySchema(Schema):
    """How many conversations are tried again now."""

    conversations = IntegerField(required=True)


class HostEventSchema(Schema):
    """An event, as webhooks have it, with its id. `data` is as a socket gets it."""

    id = fields.String(required=True)
    type = fields.String(required=True, validate=validate.OneOf(EVENT_TYPES))
    timestamp = MomentField(required=True)
    data = fields.Dict(required=True)


class HostEventPageSchema(Schema):
    """Events. `next_cursor` is where to go on, also if there is nothing yet."""

    items = fields.List(fields.Nested(HostEventSchema), required=True)
    next_cursor = fields.String(required=True)
    has_more = fields.Boolean(required=True)
