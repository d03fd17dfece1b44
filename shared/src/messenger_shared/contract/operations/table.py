"""The table of all operations, by name."""

from collections.abc import Mapping
from typing import Final

from messenger_shared.contract.operations import (
    conversations,
    files,
    messages,
    participants,
    pins,
    presence,
    reactions,
    search,
    session,
    settings,
    users,
)
from messenger_shared.contract.operations.internal import files as file_rows
from messenger_shared.contract.operations.internal import operators, reports
from messenger_shared.contract.operations.operation import Operation
from messenger_shared.contract.operations.push import decisions, devices, keys
from messenger_shared.contract.operations.server import conversations as server_conversations
from messenger_shared.contract.operations.server import keys as server_keys
from messenger_shared.contract.operations.server import users as server_users
from messenger_shared.contract.operations.server import webhooks as server_webhooks

TABLE: Final[Mapping[str, Operation]] = {
    operation.name: operation
    for module in (
        conversations,
        participants,
        messages,
        files,
        reactions,
        pins,
        search,
        settings,
        devices,
        decisions,
        session,
        presence,
        file_rows,
        reports,
        operators,
        keys,
        users,
        server_users,
        server_conversations,
        server_keys,
        server_webhooks,
    )
    for operation in module.OPERATIONS
}
