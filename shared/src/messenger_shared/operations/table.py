"""Owns the table of all operations, by name."""

from collections.abc import Mapping
from typing import Final

from messenger_shared.operations import (
    conversations,
    messages,
    operators,
    participants,
    presence,
    reports,
    session,
    settings,
    stats,
    tickets,
)
from messenger_shared.operations.operation import Operation

TABLE: Final[Mapping[str, Operation]] = {
    operation.name: operation
    for module in (
        conversations,
        participants,
        messages,
        settings,
        session,
        presence,
        stats,
        tickets,
        reports,
        operators,
    )
    for operation in module.OPERATIONS
}
