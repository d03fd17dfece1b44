"""Maps operations to their handlers."""

from __future__ import annotations

from chat_api.handlers.contacts import ContactHandlers
from chat_api.handlers.conversations import ConversationHandlers
from chat_api.handlers.events import EventHandlers
from chat_api.handlers.files import FileHandlers
from chat_api.handlers.messages import MessageHandlers
from chat_api.handlers.operators import OperatorHandlers
from chat_api.handlers.participants import ParticipantHandlers
from chat_api.handlers.pins import PinHandlers
from chat_api.handlers.push import PushHandlers
from chat_api.handlers.reactions import ReactionHandlers
from chat_api.handlers.receipts import ReceiptHandlers
from chat_api.handlers.search import SearchHandlers
from chat_api.handlers.server_conversations import ServerConversationHandlers
from chat_api.handlers.server_keys import ServerKeyHandlers
from chat_api.handlers.server_users import ServerUserHandlers
from chat_api.handlers.settings import SettingsHandlers
from chat_api.handlers.users import UserHandlers
from chat_api.handlers.webhooks import WebhookHandlers
from messenger_shared.contract.operations import conversations as conversation_operations
from messenger_shared.contract.operations import messages as message_operations
from messenger_shared.contract.operations import participants as participant_operations
from messenger_shared.contract.operations import pins as pin_operations
from messenger_shared.contract.operations import reactions as reaction_operations
from messenger_shared.contract.operations import search as search_operations
from messenger_shared.contract.operations import settings as settings_operations
from messenger_shared.contract.operations import users as user_operations
from messenger_shared.contract.operations.internal import files as file_rows
from messenger_shared.contract.operations.internal import operators as operator_operations
from messenger_shared.contract.operations.internal import reports
from messenger_shared.contract.operations.push import decisions, devices
from messenger_shared.contract.operations.push import keys as push_keys
from messenger_shared.contract.operations.server import conversations as server_conversation_operations
from messenger_shared.contract.operations.server import keys as server_key_operations
from messenger_shared.contract.operations.server import users as server_user_operations
from messenger_shared.contract.operations.server import webhooks as webhook_operations
from messenger_shared.rpc.server import RequestHandler


def handler_table(
    messages: MessageHandlers,
    receipts: ReceiptHandlers,
    conversations: ConversationHandlers,
    participants: ParticipantHandlers,
    settings: SettingsHandlers,
    contacts: ContactHandlers,
    search: SearchHandlers,
) -> dict[str, RequestHandler]:
    """The handlers of the operations on conversations and messages, by operation name."""
    return {
        message_operations.SEND.name: messages.send,
        message_operations.HISTORY.name: messages.history,
        message_operations.EDIT.name: messages.edit,
        message_operations.DELETE.name: messages.delete,
        message_operations.VERSIONS.name: messages.versions,
        search_operations.MENTIONS.name: messages.mentioning,
        search_operations.MESSAGES.name: search.messages,
        message_operations.READ.name: receipts.read,
        message_operations.READ_UP_TO.name: receipts.read_up_to,
        message_operations.READERS.name: receipts.readers,
        conversation_operations.CREATE.name: conversations.create,
        conversation_operations.LIST.name: conversations.list_for,
        conversation_operations.GET.name: conversations.get,
        conversation_operations.UPDATE.name: conversations.update,
        conversation_operations.LEAVE.name: participants.leave,
        conversation_operations.SYNC.name: conversations.sync,
        participant_operations.LIST.name: participants.list_members,
        participant_operations.ADD.name: participants.add,
        participant_operations.REMOVE.name: participants.remove,
        participant_operations.SET_ROLE.name: participants.set_role,
        settings_operations.GET.name: settings.get,
        settings_operations.UPDATE.name: settings.update,
        conversation_operations.MEMBERSHIPS.name: conversations.memberships,
        conversation_operations.LAST_POSITIONS.name: conversations.last_positions,
        conversation_operations.CHANGES.name: conversations.changes,
        conversation_operations.VIEW.name: conversations.view,
        reports.CONTACTS_AMONG.name: contacts.among,
        reports.CONTACTS_PAGE.name: contacts.page,
    }


def reaction_handler_table(reactions: ReactionHandlers, pins: PinHandlers) -> dict[str, RequestHandler]:
    """The handlers of the operations on reactions and pins, by operation name."""
    return {
        reaction_operations.SET.name: reactions.set,
        reaction_operations.ADD.name: reactions.add,
        reaction_operations.REMOVE.name: reactions.remove,
        reaction_operations.LIST.name: reactions.list_users,
        pin_operations.PIN.name: pins.pin,
        pin_operations.UNPIN.name: pins.unpin,
        pin_operations.LIST.name: pins.list_pins,
    }


def push_handler_table(push: PushHandlers) -> dict[str, RequestHandler]:
    """The handlers of the operations on push, by operation name."""
    return {
        devices.SUBSCRIBE.name: push.subscribe,
        devices.UNSUBSCRIBE.name: push.unsubscribe,
        devices.KEY.name: push.key,
        devices.TEST.name: push.test,
        decisions.GET_SETTINGS.name: push.settings,
        decisions.UPDATE_SETTINGS.name: push.update_settings,
        decisions.TRACE.name: push.trace,
        push_keys.LIST.name: push.list_keys,
        push_keys.ROTATE.name: push.rotate_keys,
    }


def file_handler_table(files: FileHandlers) -> dict[str, RequestHandler]:
    """The handlers of the operations on files, by operation name."""
    return {
        file_rows.ADD.name: files.add,
        file_rows.FIND.name: files.find,
        file_rows.UPLOAD.name: files.upload,
        file_rows.FINISH.name: files.finish,
        file_rows.TAKE_PENDING.name: files.take_pending,
        file_rows.PROCESSED.name: files.processed,
        file_rows.PUT_BACK.name: files.put_back,
        file_rows.TAKE_DUE.name: files.take_due,
        file_rows.REMOVED.name: files.removed,
    }


def user_handler_table(
    users: UserHandlers,
    server_users: ServerUserHandlers,
    server_conversations: ServerConversationHandlers,
    server_keys: ServerKeyHandlers,
    operators: OperatorHandlers,
) -> dict[str, RequestHandler]:
    """The handlers of the operations on users, and of host applications and operators, by operation name."""
    return {
        user_operations.LIST.name: users.list_users,
        user_operations.ME.name: users.me,
        user_operations.ADMIT.name: users.admit,
        server_user_operations.UPSERT.name: server_users.upsert,
        server_user_operations.GET.name: server_users.get,
        server_user_operations.LIST.name: server_users.list_users,
        server_user_operations.SET_DEACTIVATED.name: server_users.deactivate,
        server_user_operations.REACTIVATE.name: server_users.reactivate,
        server_conversation_operations.ENSURE.name: server_conversations.ensure,
        server_conversation_operations.GET_BY_KEY.name: server_conversations.by_key,
        server_conversation_operations.GET.name: server_conversations.get,
        server_conversation_operations.CLOSE.name: operators.close,
        operator_operations.CLOSE.name: operators.close,
        operator_operations.POST.name: operators.post,
        server_conversation_operations.SEND_AS.name: server_conversations.send_as,
        server_key_operations.CREATE.name: server_keys.create,
        server_key_operations.LIST.name: server_keys.list_keys,
        server_key_operations.REVOKE.name: server_keys.revoke,
        server_key_operations.VERIFY.name: server_keys.verify,
    }


def webhook_handler_table(webhooks: WebhookHandlers, events: EventHandlers) -> dict[str, RequestHandler]:
    """The handlers of the operations on webhooks and events, by operation name."""
    return {
        webhook_operations.PUT.name: webhooks.put,
        webhook_operations.LIST.name: webhooks.list_all,
        webhook_operations.GET.name: webhooks.get,
        webhook_operations.DELETE.name: webhooks.delete,
        webhook_operations.ROTATE.name: webhooks.rotate,
        webhook_operations.ATTEMPTS.name: webhooks.attempts,
        webhook_operations.REDELIVER.name: webhooks.redeliver,
        webhook_operations.READ_EVENTS.name: events.read,
    }
