"""Operations on VAPID keys, from admin commands to chat-api. Clients can't reach them."""

from __future__ import annotations

from typing import Final

from messenger_shared.contract.operations.operation import CHAT_API, Operation
from messenger_shared.contract.schemas.fields import RequestSchema
from messenger_shared.contract.schemas.resources import AnySchema

LIST: Final = Operation("push_key.list", CHAT_API, RequestSchema(), AnySchema())
ROTATE: Final = Operation("push_key.rotate", CHAT_API, RequestSchema(), AnySchema())

OPERATIONS: Final = (LIST, ROTATE)
