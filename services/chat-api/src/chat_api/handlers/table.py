"""Owns which handler answers which operation."""

from __future__ import annotations

from chat_api.handlers.contacts import ContactHandlers
from chat_api.handlers.conversations import ConversationHandlers
from chat_api.handlers.messages import MessageHandlers
from chat_api.handlers.operators import OperatorHandlers
from chat_api.handlers.participants import ParticipantHandlers
from chat_api.handlers.receipts import ReceiptHandlers
from chat_api.handlers.settings import SettingsHandlers
from messenger_shared.operations import conversations as conversation_operations
from messenger_shared.operations import messages as message_operations
from messenger_shared.operations import operators as operator_operations
from messenger_shared.operations import participants as participant_operations
from messenger_shared.operations import reports
from messenger_shared.operations import settings as settings_operations
from messenger_shared.rpc_server import RequestHandler


def handler_table(
    messages: MessageHandlers,
    receipts: ReceiptHandlers,
    conversations: ConversationHandlers,
    participants: ParticipantHandlers,
    settings: SettingsHandlers,
    contacts: ContactHandlers,
    operators: OperatorHandlers,
) -> dict[str, RequestHandler]:
    """Every operation that chat-api answers, by name."""
    return {
        message_operations.SEND.name: messages.send,
        message_operations.HISTORY.name: messages.history,
        message_operations.EDIT.name: messages.edit,
        message_operations.DELETE.name: messages.delete,
        message_operations.VERSIONS.name: messages.versions,
        message_operations.READ.name: receipts.read,
        message_operations.READ_UP_TO.name: receipts.read_up_to,
        message_operations.READERS.name: receipts.readers,
        conversation_operations.CREATE.name: conversations.create,
        conversation_operations.LIST.name: conversations.list_for,
        conversation_operations.GET.name: conversations.get,
        conversation_operations.UPDATE.name: conversations.update,
        conversation_operations.LEAVE.name: participants.leave,
        conversation_operations.SYNC.name: conversations.sync,
        participant_operations.LIST.name: participants.list_of,
        participant_operations.ADD.name: participants.add,
        participant_operations.REMOVE.name: participants.remove,
        participant_operations.SET_ROLE.name: participants.set_role,
        settings_operations.GET.name: settings.get,
        settings_operations.UPDATE.name: settings.update,
        conversation_operations.MEMBERSHIPS.name: conversations.memberships,
        conversation_operations.HEADS.name: conversations.heads,
        conversation_operations.CHANGES.name: conversations.changes,
        conversation_operations.VIEW.name: conversations.view,
        reports.CONTACTS_AMONG.name: contacts.among,
        reports.CONTACTS_PAGE.name: contacts.page,
        operator_operations.CLOSE.name: operators.close,
        operator_operations.POST.name: operators.post,
    }
