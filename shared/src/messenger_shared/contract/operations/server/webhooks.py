"""Operations on webhooks, and the events of all conversations, for a host application with a server key."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from messenger_shared.contract import errors
from messenger_shared.contract.operations.operation import (
    CHAT_API,
    FEED,
    GATEWAY,
    Operation,
    ServerRoute,
    no_content,
    ok,
)
from messenger_shared.contract.schemas.fields import (
    URL_CHARS,
    BooleanField,
    IntegerField,
    NameField,
    RequestSchema,
    ShortList,
    TextField,
    UuidField,
    cursor,
    page_limit,
)
from messenger_shared.contract.schemas.resources import AnySchema, EmptySchema
from messenger_shared.contract.schemas.webhooks import (
    WEBHOOK_NAME_CHARS,
    WEBHOOK_TYPES,
    HostEventPageSchema,
    RedeliverySchema,
    WebhookAttemptPageSchema,
    WebhookSchema,
    WebhooksSchema,
    WebhookTestSchema,
    WebhookWithSecretSchema,
)

SCOPE: Final = "export"
WAIT_MAX_S: Final = 20


class WebhookRequest(RequestSchema):
    """One webhook."""

    name = NameField(WEBHOOK_NAME_CHARS, required=True)


class PutRequest(WebhookRequest):
    """What a webhook shall be: where it goes, of which types it tells, and whether it is disabled."""

    url = TextField(1, URL_CHARS, required=True)
    types = ShortList(
        fields.String(validate=validate.OneOf(WEBHOOK_TYPES)), 1, len(WEBHOOK_TYPES), required=True
    )
    disabled = BooleanField(load_default=False)


class AttemptsRequest(WebhookRequest):
    """A page of a webhook's attempts."""

    cursor = cursor()
    limit = page_limit()


class RedeliverRequest(WebhookRequest):
    """What to deliver again: all that waits, one conversation, or what it has from a pos on."""

    conversation_id = UuidField(load_default=None)
    from_pos = IntegerField(low=1, load_default=None)

    @validates_schema
    def _names_a_conversation(self, data: dict[str, Any], **kwargs: Any) -> None:
        if data["from_pos"] is not None and data["conversation_id"] is None:
            raise ValidationError("Needs a conversation_id.", "from_pos")


class ReadRequest(RequestSchema):
    """The events after a cursor, as far as there are any now."""

    cursor = cursor()
    limit = page_limit()


class EventsRequest(ReadRequest):
    """The events after a cursor. If there are none, the answer waits for `wait_s` seconds."""

    wait_s = IntegerField(low=0, high=WAIT_MAX_S, load_default=0)


_WEBHOOK: Final = "/webhooks/{name}"
_ERRORS: Final = (errors.INVALID_FRAME, errors.NOT_FOUND)

PUT: Final = Operation(
    name="server.webhook.put",
    summary="Make or change a webhook",
    service=CHAT_API,
    request=PutRequest(),
    answer=WebhookWithSecretSchema(),
    key="name",
    new_id="secret_id",
    server=ServerRoute("PUT", _WEBHOOK, ok, (SCOPE,)),
    errors=(errors.INVALID_FRAME, errors.BAD_ENDPOINT),
)
LIST: Final = Operation(
    name="server.webhook.list",
    summary="List the webhooks",
    service=CHAT_API,
    request=RequestSchema(),
    answer=WebhooksSchema(),
    server=ServerRoute("GET", "/webhooks", ok, (SCOPE,)),
)
GET: Final = Operation(
    name="server.webhook.get",
    summary="Get a webhook",
    service=CHAT_API,
    request=WebhookRequest(),
    answer=WebhookSchema(),
    key="name",
    server=ServerRoute("GET", _WEBHOOK, ok, (SCOPE,)),
    errors=_ERRORS,
)
DELETE: Final = Operation(
    name="server.webhook.delete",
    summary="Delete a webhook",
    service=CHAT_API,
    request=WebhookRequest(),
    answer=EmptySchema(),
    key="name",
    server=ServerRoute("DELETE", _WEBHOOK, no_content, (SCOPE,)),
    errors=_ERRORS,
)
ROTATE: Final = Operation(
    name="server.webhook.rotate",
    summary="Give a webhook a new secret. For a day, the old one signs too",
    service=CHAT_API,
    request=WebhookRequest(),
    answer=WebhookWithSecretSchema(),
    key="name",
    new_id="secret_id",
    server=ServerRoute("POST", _WEBHOOK + "/rotate", ok, (SCOPE,)),
    errors=_ERRORS,
)
TEST: Final = Operation(
    name="server.webhook.test",
    summary="Post a test to a webhook's receiver",
    service=FEED,
    request=WebhookRequest(),
    answer=WebhookTestSchema(),
    key="name",
    new_id="test_id",
    server=ServerRoute("POST", _WEBHOOK + "/test", ok, (SCOPE,)),
    errors=_ERRORS,
)
ATTEMPTS: Final = Operation(
    name="server.webhook.attempts",
    summary="List the attempts to deliver to a webhook",
    service=CHAT_API,
    request=AttemptsRequest(),
    answer=WebhookAttemptPageSchema(),
    key="name",
    server=ServerRoute("GET", _WEBHOOK + "/attempts", ok, (SCOPE,)),
    errors=_ERRORS,
)
REDELIVER: Final = Operation(
    name="server.webhook.redeliver",
    summary="Deliver again what failed, or what a conversation has from a pos on",
    service=CHAT_API,
    request=RedeliverRequest(),
    answer=RedeliverySchema(),
    key="name",
    server=ServerRoute("POST", _WEBHOOK + "/redeliver", ok, (SCOPE,)),
    errors=(errors.INVALID_CONVERSATION_ID, *_ERRORS),
)
EVENTS: Final = Operation(
    name="server.events",
    summary="Read the events of all conversations",
    service=GATEWAY,
    request=EventsRequest(),
    answer=HostEventPageSchema(),
    server=ServerRoute("GET", "/events", ok, (SCOPE,)),
    errors=(errors.INVALID_FRAME, errors.CURSOR_EXPIRED),
)

# Between the gateway, which waits, and chat-api.
READ_EVENTS: Final = Operation("server.events.read", CHAT_API, ReadRequest(), AnySchema())

OPERATIONS: Final = (PUT, LIST, GET, DELETE, ROTATE, TEST, ATTEMPTS, REDELIVER, EVENTS, READ_EVENTS)
