"""The bodies and frames of the messenger. Made by `make contract`; changes here are lost."""

from __future__ import annotations

import sys
from typing import Any, Literal, TypeAlias, TypedDict

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired

UserId: TypeAlias = int


class MentionsRequest(TypedDict):
    """
    The users to mention, or all members. Users who aren't members are left out.
    """

    user_ids: NotRequired[list[UserId]]
    all: NotRequired[bool]


class Entity(TypedDict):
    """
    A mention in the text: the user, and its place in UTF-16 code units of `content`.
    """

    type: Literal["mention"]
    user_id: int
    offset: int
    length: int


class File(TypedDict):
    """
    A file. `mime` and `kind` are what its content is, whatever the uploader said.

    It is `pending` while it is examined, and can be sent already. A `rejected` one can't be read. If they
    could be found, what plays has `duration_ms`, and a picture has `width`, `height`, `blurhash` (it stands
    for the picture until that is loaded) and `thumbs` (the longest sides of its previews).
    """

    width: NotRequired[int]
    height: NotRequired[int]
    blurhash: NotRequired[str]
    duration_ms: NotRequired[int]
    thumbs: NotRequired[list[Literal[320, 840]]]
    file_id: str
    name: str
    size: int
    mime: str
    kind: Literal["image", "audio", "video", "file"]
    state: Literal["ready", "pending", "rejected"]


class Mentions(TypedDict):
    """
    The members whom a message mentions. With `all`, it mentions every member.
    """

    user_ids: list[UserId]
    all: bool


class Message(TypedDict):
    """
    A message. It has `attachments` only with files, `mentions` only if it mentions somebody.

    It has `entities` only if the text does.
    """

    id: str
    conversation_id: str
    seq: int
    pos: int
    version: int
    sender_id: int
    content: str | None
    message_type: Literal["text", "image", "file", "system"]
    client_message_id: str | None
    reply_to: str | None
    file_url: str | None
    file_name: str | None
    file_size: int | None
    attachments: NotRequired[list[File]]
    mentions: NotRequired[Mentions]
    entities: NotRequired[list[Entity]]
    created_at: str
    edited_at: str | None
    deleted_at: str | None


class ReactionCount(TypedDict):
    """
    How many users reacted with an emoji, and the first three of them.
    """

    emoji: str
    count: int
    user_ids: list[UserId]


ReplayResult = TypedDict(
    "ReplayResult",
    {
        "from": int,
        "to": int,
        "recovered": bool,
    },
)


class Presence(TypedDict):
    """
    The presence of a user. `last_seen_at` is null for users who are not offline, or who hide it.

    Only the user themselves sees `invisible`; all others see `offline`.
    """

    user_id: int
    status: Literal["online", "away", "offline", "invisible"]
    last_seen_at: str | None


class Settings(TypedDict):
    """
    A member's notification settings for a conversation. `muted` ends when `muted_until` passes.
    """

    muted: bool
    muted_until: str | None
    push_enabled: bool
    email_enabled: bool
    notify: Literal["all", "mentions", "none"]


class Participant(TypedDict):
    """
    A member of a conversation.
    """

    user_id: int
    role: Literal["admin", "member", "observer"]
    joined_at: str


class Conversation(TypedDict):
    """
    A conversation with its members.
    """

    id: str
    type: Literal["direct", "group", "announcement"]
    title: str | None
    created_by: int
    created_at: str
    last_seq: int
    last_pos: int
    participants: list[Participant]
    participants_count: int


class ConversationChange(TypedDict):
    """
    A conversation without its members, as in the event of a new title.
    """

    id: str
    type: Literal["direct", "group", "announcement"]
    title: str | None
    created_by: int
    created_at: str


class Hidden(TypedDict):
    """
    A conversation that the user has hidden.
    """

    id: str
    hidden: bool


class NewMember(TypedDict):
    """
    A new member.
    """

    user_id: int
    role: Literal["admin", "member", "observer"]


class ReactionChange(TypedDict):
    """
    A reaction that was set or removed.
    """

    user_id: int
    emoji: str
    on: bool


class User(TypedDict):
    """
    A user as other users see them. `name` and `avatar_url` are null while they are unknown.
    """

    id: int
    name: str | None
    avatar_url: str | None
    version: int
    deactivated: bool


class Limits(TypedDict):
    """
    The limits for one client; 0 means no limit.
    """

    frame_bytes: int
    content_chars: int
    messages_per_s: int
    frames_per_s: int
    max_sockets: int
    typing_ttl_ms: int
    resume_max_events: int
    presence_grace_ms: int


class ConversationAnswer(TypedDict):
    """
    A conversation with its members, and the users that it names.
    """

    id: str
    type: Literal["direct", "group", "announcement"]
    title: str | None
    created_by: int
    created_at: str
    last_seq: int
    last_pos: int
    participants: list[Participant]
    participants_count: int
    users: dict[str, User]


class Problem(TypedDict):
    """
    A failure over REST (RFC 9457). `errors` says for each field what is wrong.
    """

    type: str
    title: str
    status: int
    code: Literal[
        "invalid_json",
        "invalid_conversation_id",
        "unknown_type",
        "upgrade_required",
        "invalid_frame",
        "message_too_long",
        "query_too_short",
        "unauthorized",
        "forbidden",
        "not_member",
        "key_scope",
        "user_deactivated",
        "not_found",
        "version_conflict",
        "idempotency_conflict",
        "key_conflict",
        "cursor_expired",
        "bad_emoji",
        "bad_endpoint",
        "reaction_limit",
        "mention_all_refused",
        "message_rejected",
        "unknown_user",
        "file_too_large",
        "file_type_refused",
        "file_not_ready",
        "upload_conflict",
        "quota_exceeded",
        "rate_limited",
        "overloaded",
        "unavailable",
        "timeout",
        "internal",
    ]
    retryable: bool
    errors: NotRequired[dict[str, list[str]]]


ParticipantId: TypeAlias = int


class ConversationCreateBody(TypedDict):
    """
    A new conversation. Type `direct` has one other participant and no title; other types need a title.
    """

    type: Literal["direct", "group", "announcement"]
    title: NotRequired[str | None]
    participant_ids: NotRequired[list[ParticipantId]]


class MessageReaction(TypedDict):
    """
    The same for a reader: `mine` says whether they are one of them.
    """

    emoji: str
    count: int
    user_ids: list[UserId]
    mine: bool


class HistoryMessage(TypedDict):
    """
    A message as a member reads it, with the reactions to it if there are any.
    """

    id: str
    conversation_id: str
    seq: int
    pos: int
    version: int
    sender_id: int
    content: str | None
    message_type: Literal["text", "image", "file", "system"]
    client_message_id: str | None
    reply_to: str | None
    file_url: str | None
    file_name: str | None
    file_size: int | None
    attachments: NotRequired[list[File]]
    mentions: NotRequired[Mentions]
    entities: NotRequired[list[Entity]]
    created_at: str
    edited_at: str | None
    deleted_at: str | None
    reactions: NotRequired[list[MessageReaction]]


class ConversationRow(TypedDict):
    """
    A conversation in a member's list.
    """

    id: str
    type: Literal["direct", "group", "announcement"]
    title: str | None
    created_by: int
    created_at: str
    last_message: HistoryMessage | None
    last_seq: int
    last_pos: int
    read_seq: int
    unread: int
    unread_mentions: int
    marked_unread_from: int | None
    participants_count: int
    participant_ids: list[int] | None
    muted: bool
    notify: Literal["all", "mentions", "none"]


class ConversationPage(TypedDict):
    """
    A page of a member's conversations.
    """

    next_cursor: str | None
    items: list[ConversationRow]
    users: dict[str, User]


class ConversationUpdateBody(TypedDict):
    """
    A new title.
    """

    title: str


class ConversationCounters(TypedDict):
    """
    The state of a conversation for one member: its counters and notification settings.
    """

    conversation_id: str
    last_seq: int
    last_pos: int
    read_seq: int
    unread: int
    unread_mentions: int
    marked_unread_from: int | None
    muted: bool
    notify: Literal["all", "mentions", "none"]


class ConversationCountersPage(TypedDict):
    """
    A page of the states of a member's conversations.
    """

    next_cursor: str | None
    items: list[ConversationCounters]


class ParticipantPage(TypedDict):
    """
    A page of a conversation's members.
    """

    next_cursor: str | None
    items: list[Participant]
    users: dict[str, User]


class ParticipantAddBody(TypedDict):
    """
    The new members, and their role.
    """

    user_ids: list[UserId]
    role: NotRequired[Literal["admin", "member", "observer"]]


class ParticipantUpdateBody(TypedDict):
    """
    A member's new role.
    """

    role: Literal["admin", "member", "observer"]


class MessageSendBody(TypedDict):
    """
    A new message: a text, files, or both. The types `image` and `file` need a file.
    """

    content: NotRequired[str | None]
    message_type: NotRequired[Literal["text", "image", "file"]]
    client_message_id: NotRequired[str | None]
    reply_to: NotRequired[str | None]
    file_url: NotRequired[str | None]
    file_name: NotRequired[str | None]
    file_size: NotRequired[int | None]
    attachments: NotRequired[list[str] | None]
    mentions: NotRequired[MentionsRequest | None]
    entities: NotRequired[list[Entity] | None]


class MessagePage(TypedDict):
    """
    A page of a conversation's messages.
    """

    next_cursor: str | None
    items: list[HistoryMessage]
    users: dict[str, User]
    has_more: bool


class MessageEditBody(TypedDict):
    """
    A new text for a message, with its mentions. It may be blank only if the message has a file.

    With `expected_version` the edit fails if the message was changed in the meantime.
    """

    content: str | None
    expected_version: NotRequired[int | None]
    mentions: NotRequired[MentionsRequest | None]
    entities: NotRequired[list[Entity] | None]


class Position(TypedDict):
    """
    How far the caller has read.
    """

    read_seq: int
    unread: int
    unread_mentions: int


class ConversationReadBody(TypedDict):
    """
    How far the caller has read, as `message_id` or `seq`; or from which `seq` on to mark as unread.
    """

    message_id: NotRequired[str | None]
    seq: NotRequired[int | None]
    mark_unread_from: NotRequired[int | None]


class Reader(TypedDict):
    """
    A member who has read a message.
    """

    user_id: int
    read_at: str


class ReaderPage(TypedDict):
    """
    A page of the members who have read a message.
    """

    next_cursor: str | None
    items: list[Reader]
    users: dict[str, User]


class Version(TypedDict):
    """
    An earlier text of a message, and the time when it was written.
    """

    version: int
    content: str
    edited_at: str


class VersionPage(TypedDict):
    """
    A page of a message's earlier texts, oldest first.
    """

    next_cursor: str | None
    items: list[Version]


class Upload(TypedDict):
    """
    Where the bytes go: a request with this method and these headers. `url` may be a path here.
    """

    method: str
    url: str
    headers: dict[str, str]
    part_bytes: NotRequired[int]


class NewFile(TypedDict):
    """
    A file that is to be uploaded.
    """

    file_id: str
    upload: Upload


class FileCreateBody(TypedDict):
    """
    A file to upload: its name, its size in bytes, and its media type, which its content may contradict.
    """

    name: str
    size: int
    mime: str


class Reactions(TypedDict):
    """
    All reactions to a message, by emoji in the order of first use, and the caller's own emoji.
    """

    counts: list[ReactionCount]
    mine: list[str]


class ReactingUser(TypedDict):
    """
    A user's reaction to a message.
    """

    user_id: int
    emoji: str
    reacted_at: str


class ReactingUserPage(TypedDict):
    """
    A page of the reactions to a message, oldest first.
    """

    next_cursor: str | None
    items: list[ReactingUser]
    users: dict[str, User]


class Pins(TypedDict):
    """
    The pinned messages of a conversation, newest pin first, at most fifty.
    """

    conversation_id: str
    message_ids: list[str]


class Pin(TypedDict):
    """
    A pinned message: who pinned it, when, and the message.
    """

    user_id: int
    pinned_at: str
    message: HistoryMessage


class PinPage(TypedDict):
    """
    A page of a conversation's pinned messages, newest pin first.
    """

    next_cursor: str | None
    items: list[Pin]
    users: dict[str, User]


class MentionPage(TypedDict):
    """
    A page of the messages that mention the caller, the newest mention first.
    """

    next_cursor: str | None
    items: list[HistoryMessage]
    users: dict[str, User]


Highlight: TypeAlias = int


class SearchHit(TypedDict):
    """
    A message that was found. `highlights` are the places of the words: [offset, length] in UTF-16 units.

    They are in `content`, in order, and don't overlap. If only a file's name has the words, there are none.
    """

    message: HistoryMessage
    conversation_id: str
    highlights: list[list[Highlight]]


class SearchPage(TypedDict):
    """
    A page of found messages, the newest first.

    With `partial`, the time for one search ended first: the page may have fewer messages, or none, and the
    search goes on from `next_cursor`.
    """

    next_cursor: str | None
    items: list[SearchHit]
    users: dict[str, User]
    has_more: bool
    partial: NotRequired[bool]


class SettingsUpdateBody(TypedDict):
    """
    The settings to change; others stay as they are. `muted_until` alone mutes until that time.
    """

    muted: NotRequired[bool]
    muted_until: NotRequired[str | None]
    push_enabled: NotRequired[bool]
    email_enabled: NotRequired[bool]
    notify: NotRequired[Literal["all", "mentions", "none"]]


class PushSubscription(TypedDict):
    """
    A subscription as it is stored.

    `application_server_key` is the VAPID key that it was made with; null for kinds without one.
    """

    kind: Literal["webpush", "fcm", "apns"]
    endpoint: str
    application_server_key: str | None
    created_at: str


class PushKeys(TypedDict):
    """
    The keys of a browser's subscription, as its `toJSON` gives them.
    """

    p256dh: str
    auth: str


class PushSubscribeBody(TypedDict):
    """
    A device's subscription: a browser's, as its `toJSON` gives it.

    `application_server_key` is the key that it was made with. Without it, that is the present one for a new
    endpoint, and stays as it was for a known one. `fcm` and `apns` have a device's token as the `endpoint`
    and no keys; they are refused unless MESSENGER_PUSH_STDOUT is set.
    """

    endpoint: str
    kind: Literal["webpush", "fcm", "apns"]
    keys: NotRequired[PushKeys | None]
    application_server_key: NotRequired[str | None]


class PushUnsubscribeBody(TypedDict):
    """
    A subscription, by its address at the push service.
    """

    endpoint: str


class PushKey(TypedDict):
    """
    The VAPID key to subscribe with: a point of P-256, uncompressed, as base64url without padding.
    """

    public_key: str


class PushTest(TypedDict):
    """
    To how many subscriptions the test goes.
    """

    subscriptions: int


class QuietHours(TypedDict):
    """
    Daily hours without pushes, from `start` to before `end` (HH:MM), also over midnight, in a time zone.

    `timezone` is a name of the IANA's database, such as Europe/Berlin.
    """

    start: str
    end: str
    timezone: str


class PushSettings(TypedDict):
    """
    The user's settings for pushes to all their devices. `quiet_hours` is null if there are none.
    """

    quiet_hours: QuietHours | None


class PushSettingsUpdateBody(TypedDict):
    """
    The settings to change; null ends quiet hours.
    """

    quiet_hours: QuietHours | None


class RuleVerdict(TypedDict):
    """
    What one rule says: `push`, `skip`, or `unknown` if it can't be told afterwards.
    """

    rule: str
    verdict: Literal["push", "skip", "unknown"]


class NotificationTrace(TypedDict):
    """
    Why a user was pushed a message, or wasn't.

    `outcome` is `pushed`, `skipped`, `waiting` before the decision, or `undecided`: there was nobody to
    decide for then, or it was too long ago. Without a `decided_at`, the rules are those of now.
    """

    message_id: str
    user_id: int
    outcome: Literal["pushed", "skipped", "waiting", "undecided"]
    decided_at: str | None
    rules: list[RuleVerdict]


class Ticket(TypedDict):
    """
    A ticket, which opens one socket as `?ticket=` until it expires, so that no token is in a URL.
    """

    ticket: str
    expires_at: str


class PresencePage(TypedDict):
    """
    A page of users and their presence. A page with fewer items than `limit` may still not be the last.
    """

    next_cursor: str | None
    items: list[Presence]


class Gateway(TypedDict):
    """
    One gateway worker and its number of sockets.
    """

    id: str
    connections: int


class Stats(TypedDict):
    """
    Totals of all gateway workers. A conversation with a connected member counts as active.
    """

    online_users: int
    total_connections: int
    active_conversations: int
    gateways: list[Gateway]


class UserPage(TypedDict):
    """
    A page of users.
    """

    next_cursor: str | None
    items: list[User]


class OwnUser(TypedDict):
    """
    The caller's own profile. `external_id` is the host's id, null if it has none.
    """

    id: int
    name: str | None
    avatar_url: str | None
    version: int
    deactivated: bool
    external_id: str | None


class ServerUser(TypedDict):
    """
    A user as the host sees them.
    """

    id: int
    name: str | None
    avatar_url: str | None
    version: int
    deactivated: bool
    external_id: str | None
    locale: str | None
    timezone: str | None
    custom: dict[str, Any]
    created_at: str


class ServerUsers(TypedDict):
    """
    The users asked for, in the order of the request.
    """

    items: list[ServerUser]


class Profile(TypedDict):
    """
    One user to store, named by `id`, `external_id` or both. Fields left out stay; null removes.
    """

    id: NotRequired[int | None]
    external_id: NotRequired[str | None]
    name: NotRequired[str | None]
    avatar_url: NotRequired[str | None]
    locale: NotRequired[str | None]
    timezone: NotRequired[str | None]
    custom: NotRequired[dict[str, Any]]


class ServerUserUpsertBody(TypedDict):
    """
    Users to make or change.
    """

    users: list[Profile]


class ServerUserPage(TypedDict):
    """
    A page of users as the host sees them.
    """

    next_cursor: str | None
    items: list[ServerUser]


class UserToken(TypedDict):
    """
    A token for one user.
    """

    token: str
    expires_at: str


class ServerUserTokenBody(TypedDict):
    """
    For how many seconds the token is valid.
    """

    ttl_s: NotRequired[int]


class ServerConversation(TypedDict):
    """
    A conversation as the host sees it. `external_keys` are the host's own keys of it.
    """

    id: str
    type: Literal["direct", "group", "announcement"]
    title: str | None
    created_by: int
    created_at: str
    last_seq: int
    last_pos: int
    participants: list[Participant]
    participants_count: int
    users: dict[str, User]
    external_keys: list[str]
    custom: dict[str, Any]


class ServerConversationEnsureBody(TypedDict):
    """
    The conversation that a key shall have. The first participant of a new group becomes its admin.
    """

    type: Literal["direct", "group", "announcement"]
    title: NotRequired[str | None]
    participant_ids: list[ParticipantId]
    custom: NotRequired[dict[str, Any]]


class ServerMessageSendBody(TypedDict):
    """
    A message of the user `sender_id`. Type `system` needs no sender.
    """

    content: NotRequired[str | None]
    message_type: NotRequired[Literal["text", "image", "file", "system"]]
    client_message_id: NotRequired[str | None]
    reply_to: NotRequired[str | None]
    file_url: NotRequired[str | None]
    file_name: NotRequired[str | None]
    file_size: NotRequired[int | None]
    attachments: NotRequired[list[str] | None]
    mentions: NotRequired[MentionsRequest | None]
    entities: NotRequired[list[Entity] | None]
    sender_id: NotRequired[int | None]


class WebhookWithSecret(TypedDict):
    """
    A webhook with its secret, which is shown once.
    """

    name: str
    url: str
    types: list[
        Literal[
            "message.new",
            "message.edited",
            "message.deleted",
            "message.reactions",
            "message.files",
            "conversation.updated",
            "conversation.pins",
            "participant.added",
            "participant.updated",
            "participant.removed",
            "user.online",
            "user.offline",
        ]
    ]
    disabled: bool
    disabled_reason: Literal["host", "gone"] | None
    created_at: str
    old_secret_until: str | None
    waiting: int
    parked: int
    secret: NotRequired[str]


class ServerWebhookPutBody(TypedDict):
    """
    What a webhook shall be: where it goes, of which types it tells, and whether it is disabled.
    """

    url: str
    types: list[
        Literal[
            "message.new",
            "message.edited",
            "message.deleted",
            "message.reactions",
            "message.files",
            "conversation.updated",
            "conversation.pins",
            "participant.added",
            "participant.updated",
            "participant.removed",
            "user.online",
            "user.offline",
        ]
    ]
    disabled: NotRequired[bool]


class Webhook(TypedDict):
    """
    A webhook, and how far it is behind: conversations that wait to be tried again, or are parked.
    """

    name: str
    url: str
    types: list[
        Literal[
            "message.new",
            "message.edited",
            "message.deleted",
            "message.reactions",
            "message.files",
            "conversation.updated",
            "conversation.pins",
            "participant.added",
            "participant.updated",
            "participant.removed",
            "user.online",
            "user.offline",
        ]
    ]
    disabled: bool
    disabled_reason: Literal["host", "gone"] | None
    created_at: str
    old_secret_until: str | None
    waiting: int
    parked: int


class Webhooks(TypedDict):
    """
    All webhooks.
    """

    items: list[Webhook]


class WebhookTest(TypedDict):
    """
    What became of a test: the receiver's status, or why there is none.
    """

    delivered: bool
    status: int | None
    failure: str | None
    took_ms: int


class WebhookAttempt(TypedDict):
    """
    One attempt to deliver an event. `attempt` counts those for the same event.
    """

    id: int
    at: str
    event_id: str
    type: str
    attempt: int
    status: int | None
    failure: str | None
    took_ms: int


class WebhookAttemptPage(TypedDict):
    """
    A page of attempts, the newest first.
    """

    next_cursor: str | None
    items: list[WebhookAttempt]


class Redelivery(TypedDict):
    """
    How many conversations are tried again now.
    """

    conversations: int


class ServerWebhookRedeliverBody(TypedDict):
    """
    What to deliver again: all that waits, one conversation, or what it has from a pos on.
    """

    conversation_id: NotRequired[str | None]
    from_pos: NotRequired[int | None]


class HostEvent(TypedDict):
    """
    An event, as webhooks have it, with its id. `data` is as a socket gets it.
    """

    id: str
    type: Literal[
        "message.new",
        "message.edited",
        "message.deleted",
        "message.reactions",
        "message.files",
        "conversation.updated",
        "conversation.pins",
        "participant.added",
        "participant.updated",
        "participant.removed",
    ]
    timestamp: str
    data: dict[str, Any]


class HostEventPage(TypedDict):
    """
    Events. `next_cursor` is where to go on, also if there is nothing yet.
    """

    items: list[HostEvent]
    next_cursor: str
    has_more: bool


class MessageSendCommand(TypedDict):
    """
    A new message: a text, files, or both. The types `image` and `file` need a file.
    """

    type: Literal["message.send"]
    conversation_id: str
    content: NotRequired[str | None]
    message_type: NotRequired[Literal["text", "image", "file"]]
    client_message_id: NotRequired[str | None]
    reply_to: NotRequired[str | None]
    file_url: NotRequired[str | None]
    file_name: NotRequired[str | None]
    file_size: NotRequired[int | None]
    attachments: NotRequired[list[str] | None]
    mentions: NotRequired[MentionsRequest | None]
    entities: NotRequired[list[Entity] | None]
    ref: NotRequired[str]


class MessageEditCommand(TypedDict):
    """
    A new text for a message, with its mentions. It may be blank only if the message has a file.

    With `expected_version` the edit fails if the message was changed in the meantime.
    """

    type: Literal["message.edit"]
    message_id: str
    content: str | None
    expected_version: NotRequired[int | None]
    mentions: NotRequired[MentionsRequest | None]
    entities: NotRequired[list[Entity] | None]
    ref: NotRequired[str]


class MessageDeleteCommand(TypedDict):
    """
    One message.
    """

    type: Literal["message.delete"]
    message_id: str
    ref: NotRequired[str]


class MessageReadCommand(TypedDict):
    """
    One message.
    """

    type: Literal["message.read"]
    message_id: str
    ref: NotRequired[str]


class ReadReceiptCommand(TypedDict):
    """
    One message.
    """

    type: Literal["read.receipt"]
    message_id: str
    ref: NotRequired[str]


class ReactionSetCommand(TypedDict):
    """
    Whether the message has this emoji of the caller's.
    """

    type: Literal["reaction.set"]
    message_id: str
    emoji: str
    on: bool
    ref: NotRequired[str]


class MessagePinCommand(TypedDict):
    """
    One message.
    """

    type: Literal["message.pin"]
    message_id: str
    ref: NotRequired[str]


class MessageUnpinCommand(TypedDict):
    """
    One message.
    """

    type: Literal["message.unpin"]
    message_id: str
    ref: NotRequired[str]


class SubscribeCommand(TypedDict):
    """
    The conversation to subscribe to; with `after_pos`, the events after it are replayed.
    """

    type: Literal["subscribe"]
    conversation_id: str
    after_pos: NotRequired[int | None]
    ref: NotRequired[str]


class ResumeCommand(TypedDict):
    """
    The last `pos` that the client has, for each of its conversations.
    """

    type: Literal["resume"]
    positions: dict[str, int]
    ref: NotRequired[str]


class UnsubscribeCommand(TypedDict):
    """
    One conversation.
    """

    type: Literal["unsubscribe"]
    conversation_id: str
    ref: NotRequired[str]


class TypingStartCommand(TypedDict):
    """
    One conversation.
    """

    type: Literal["typing.start"]
    conversation_id: str
    ref: NotRequired[str]


class TypingCommand(TypedDict):
    """
    One conversation.
    """

    type: Literal["typing"]
    conversation_id: str
    ref: NotRequired[str]


class TypingStopCommand(TypedDict):
    """
    One conversation.
    """

    type: Literal["typing.stop"]
    conversation_id: str
    ref: NotRequired[str]


class AuthRefreshCommand(TypedDict):
    """
    A new token of the same user.
    """

    type: Literal["auth.refresh"]
    token: str
    ref: NotRequired[str]


class PingCommand(TypedDict):
    """
    A ping. `ts` may be any value; the answer returns it.
    """

    type: Literal["ping"]
    ts: NotRequired[Any]
    ref: NotRequired[str]


class PresenceSetCommand(TypedDict):
    """
    The status of this socket (`invisible`: of the user), and who may see when the user was last seen.
    """

    type: Literal["presence.set"]
    status: NotRequired[Literal["online", "away", "invisible"] | None]
    last_seen_visibility: NotRequired[Literal["everyone", "contacts", "nobody"] | None]
    ref: NotRequired[str]


class PresenceWatchCommand(TypedDict):
    """
    Users. Those who share no conversation with the caller are left out.
    """

    type: Literal["presence.watch"]
    user_ids: list[UserId]
    ref: NotRequired[str]


class PresenceUnwatchCommand(TypedDict):
    """
    Users. Those who share no conversation with the caller are left out.
    """

    type: Literal["presence.unwatch"]
    user_ids: list[UserId]
    ref: NotRequired[str]


class MessageSentAnswer(TypedDict):
    """
    The message as it is stored. `duplicate` is true if it was already stored before.
    """

    type: Literal["message.sent"]
    conversation_id: str
    message_id: str
    data: Message
    duplicate: bool
    ref: NotRequired[str]


class MessageEditedAnswer(TypedDict):
    """
    The message as it is stored.
    """

    type: Literal["message.edited"]
    conversation_id: str
    message_id: str
    data: Message
    ref: str


class MessageDeletedAnswer(TypedDict):
    """
    The message concerned.
    """

    type: Literal["message.deleted"]
    conversation_id: str
    message_id: str
    ref: str


class ReadConfirmedAnswer(TypedDict):
    """
    How far the caller has read.
    """

    type: Literal["read.confirmed"]
    conversation_id: str
    message_id: str
    read_seq: int
    unread: int
    unread_mentions: int
    ref: NotRequired[str]


class ReactionOkAnswer(TypedDict):
    """
    The reactions to a message now.
    """

    type: Literal["reaction.ok"]
    counts: list[ReactionCount]
    mine: list[str]
    message_id: str
    ref: str


class PinOkAnswer(TypedDict):
    """
    The message concerned.
    """

    type: Literal["pin.ok"]
    conversation_id: str
    message_id: str
    ref: str


class SubscribedAnswer(TypedDict):
    """
    The position in the conversation, and the members who are online or away.
    """

    type: Literal["subscribed"]
    conversation_id: str
    last_seq: int
    last_pos: int
    read_seq: int
    recovered: bool
    online: list[int]
    ref: NotRequired[str]


class ResumedAnswer(TypedDict):
    """
    The result for each conversation of the caller.
    """

    type: Literal["resumed"]
    conversations: dict[str, ReplayResult]
    ref: str


class UnsubscribedAnswer(TypedDict):
    """
    The conversation concerned.
    """

    type: Literal["unsubscribed"]
    conversation_id: str
    ref: NotRequired[str]


class TypingOkAnswer(TypedDict):
    """
    The conversation concerned.
    """

    type: Literal["typing.ok"]
    conversation_id: str
    ref: str


class AuthOkAnswer(TypedDict):
    """
    The time at which the socket now expires.
    """

    type: Literal["auth.ok"]
    expires_at: str
    ref: str


class PongAnswer(TypedDict):
    """
    The client's own `ts`, and the server's time.
    """

    type: Literal["pong"]
    ts: Any
    timestamp: str
    ref: NotRequired[str]


class PresenceOkAnswer(TypedDict):
    """
    No fields.
    """

    type: Literal["presence.ok"]
    ref: str


class PresenceStateAnswer(TypedDict):
    """
    The presence of several users, at most a hundred.
    """

    type: Literal["presence.state"]
    users: list[Presence]
    ref: str


class MessageNewEvent(TypedDict):
    """
    A new message.
    """

    type: Literal["message.new"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    data: Message


class MessageEditedEvent(TypedDict):
    """
    The latest version of a message; for a deleted message, without its content.
    """

    type: Literal["message.edited"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    data: Message
    message_id: str


class MessageDeletedEvent(TypedDict):
    """
    The latest version of a message; for a deleted message, without its content.
    """

    type: Literal["message.deleted"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    data: Message
    message_id: str


class MessageReadEvent(TypedDict):
    """
    How far a member has read.
    """

    type: Literal["message.read"]
    conversation_id: str
    message_id: str
    user_id: int
    read_seq: int
    read_at: str


class UnreadUpdatedEvent(TypedDict):
    """
    The user's numbers of unread messages and mentions. Only the user's own sockets get it.
    """

    type: Literal["unread.updated"]
    conversation_id: str
    unread: int
    unread_mentions: int
    read_seq: int
    last_seq: int
    marked_unread_from: int | None


class SettingsUpdatedEvent(TypedDict):
    """
    The user's notification settings. Only the user's own sockets get it.
    """

    type: Literal["settings.updated"]
    conversation_id: str
    data: Settings


class ConversationCreatedEvent(TypedDict):
    """
    A new conversation with the user as a member.
    """

    type: Literal["conversation.created"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    data: Conversation


class ConversationUpdatedEvent(TypedDict):
    """
    A conversation with its new title.
    """

    type: Literal["conversation.updated"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    data: ConversationChange


class ConversationDeletedEvent(TypedDict):
    """
    A direct conversation that the user has hidden. Only the user's own sockets get it.
    """

    type: Literal["conversation.deleted"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    data: Hidden


class ParticipantAddedEvent(TypedDict):
    """
    Users who became members together. For a single user, `user_id` and `role` are there too.
    """

    type: Literal["participant.added"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    users: list[NewMember]
    user_id: NotRequired[int]
    role: NotRequired[Literal["admin", "member", "observer"]]


class ParticipantRemovedEvent(TypedDict):
    """
    A member who left or was removed, or who has a new role.
    """

    type: Literal["participant.removed"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    user_id: int
    role: Literal["admin", "member", "observer"]


class ParticipantUpdatedEvent(TypedDict):
    """
    A member who left or was removed, or who has a new role.
    """

    type: Literal["participant.updated"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    user_id: int
    role: Literal["admin", "member", "observer"]


class MessageReactionsEvent(TypedDict):
    """
    All reactions to a message, by emoji in the order of first use. `changes` are the latest ones.

    Of many changes it has fifty. A replay has none.
    """

    type: Literal["message.reactions"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    message_id: str
    counts: list[ReactionCount]
    changes: NotRequired[list[ReactionChange]]


class MessageFilesEvent(TypedDict):
    """
    The files of a message after the state of one has changed. The message's own numbers stay.
    """

    type: Literal["message.files"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    message_id: str
    attachments: list[File]


class ConversationPinsEvent(TypedDict):
    """
    The pinned messages, newest pin first, at most fifty. `user_id` pinned or unpinned one.
    """

    type: Literal["conversation.pins"]
    conversation_id: str
    pos: int
    replay: NotRequired[Literal[True]]
    message_ids: list[str]
    user_id: int


class UserUpdatedEvent(TypedDict):
    """
    A user's profile has changed. Only users who share a conversation with the user get it.
    """

    type: Literal["user.updated"]
    user_id: int
    data: User


class TypingStartEvent(TypedDict):
    """
    A member started or stopped typing. Without another frame, typing ends after `expires_in_ms`.
    """

    type: Literal["typing.start"]
    conversation_id: str
    user_id: int
    expires_in_ms: int


class TypingStopEvent(TypedDict):
    """
    A member started or stopped typing. Without another frame, typing ends after `expires_in_ms`.
    """

    type: Literal["typing.stop"]
    conversation_id: str
    user_id: int
    expires_in_ms: int


class UserOnlineEvent(TypedDict):
    """
    A user who came online, or is away on all of their devices.
    """

    type: Literal["user.online"]
    user_id: int
    timestamp: str


class UserOfflineEvent(TypedDict):
    """
    A user who went offline. `last_seen_at` is missing if that user or the receiving user hides it.
    """

    type: Literal["user.offline"]
    user_id: int
    timestamp: str
    last_seen_at: NotRequired[str]


class UserAwayEvent(TypedDict):
    """
    A user who came online, or is away on all of their devices.
    """

    type: Literal["user.away"]
    user_id: int
    timestamp: str


class PresenceBatchEvent(TypedDict):
    """
    The presence of several users, at most a hundred.
    """

    type: Literal["presence.batch"]
    users: list[Presence]


class SystemConnectedEvent(TypedDict):
    """
    The first frame on every socket: its user, its limits, and what the server can do.
    """

    type: Literal["system"]
    event: Literal["connected"]
    message: str
    timestamp: str
    user_id: int
    session_id: str
    protocol: int
    heartbeat_ms: int
    limits: Limits
    features: list[str]


class SystemDrainingEvent(TypedDict):
    """
    The gateway shuts down: after `reconnect_after_ms`, open a new socket, resume there, close this one.
    """

    type: Literal["system"]
    event: Literal["draining"]
    reconnect_after_ms: int


class ErrorFrame(TypedDict):
    """
    A failure. `details` says for each field what is wrong.
    """

    type: Literal["error"]
    message: str
    code: Literal[
        "invalid_json",
        "invalid_conversation_id",
        "unknown_type",
        "upgrade_required",
        "invalid_frame",
        "message_too_long",
        "query_too_short",
        "unauthorized",
        "forbidden",
        "not_member",
        "key_scope",
        "user_deactivated",
        "not_found",
        "version_conflict",
        "idempotency_conflict",
        "key_conflict",
        "cursor_expired",
        "bad_emoji",
        "bad_endpoint",
        "reaction_limit",
        "mention_all_refused",
        "message_rejected",
        "unknown_user",
        "file_too_large",
        "file_type_refused",
        "file_not_ready",
        "upload_conflict",
        "quota_exceeded",
        "rate_limited",
        "overloaded",
        "unavailable",
        "timeout",
        "internal",
    ]
    retryable: bool
    retry_after_ms: NotRequired[int]
    details: NotRequired[dict[str, list[str]]]
    ref: NotRequired[str]


Event: TypeAlias = (
    MessageNewEvent
    | MessageEditedEvent
    | MessageDeletedEvent
    | MessageReadEvent
    | UnreadUpdatedEvent
    | SettingsUpdatedEvent
    | ConversationCreatedEvent
    | ConversationUpdatedEvent
    | ConversationDeletedEvent
    | ParticipantAddedEvent
    | ParticipantRemovedEvent
    | ParticipantUpdatedEvent
    | MessageReactionsEvent
    | MessageFilesEvent
    | ConversationPinsEvent
    | UserUpdatedEvent
    | TypingStartEvent
    | TypingStopEvent
    | UserOnlineEvent
    | UserOfflineEvent
    | UserAwayEvent
    | PresenceBatchEvent
    | SystemConnectedEvent
    | SystemDrainingEvent
    | ErrorFrame
)
