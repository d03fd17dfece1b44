"""A conversation with a row in every table, and the statements that test row-level security on each table."""

from __future__ import annotations

from tests.contract.host_cases import HERE, HOST_STATEMENTS

ADMIN, MEMBER, OBSERVER, LEFT, STRANGER = 1, 2, 3, 4, 9
ELSEWHERE = "00000000-0000-7000-8000-00000000000d"
NEW = "00000000-0000-7000-8000-00000000000e"
ADMIN_FILE = "00000000-0000-7000-8000-0000000000f1"
MEMBER_FILE = "00000000-0000-7000-8000-0000000000f2"
ADMIN_MESSAGE = "00000000-0000-7000-8000-0000000000a1"
LEFT_MESSAGE = "00000000-0000-7000-8000-0000000000a2"
SEED_ROWS = f"""
INSERT INTO messenger.conversations (id, type, title, created_by, last_seq, last_pos)
VALUES ('{HERE}', 'group', 't', {ADMIN}, 2, 4), ('{ELSEWHERE}', 'group', 't', {STRANGER}, 0, 1);
INSERT INTO messenger.conversation_participants (conversation_id, user_id, role, pos, joined_pos, left_at)
VALUES ('{HERE}', {ADMIN}, 'admin', 1, 1, NULL), ('{HERE}', {MEMBER}, 'member', 1, 1, NULL),
       ('{HERE}', {OBSERVER}, 'observer', 1, 1, NULL), ('{HERE}', {LEFT}, 'member', 4, 1, now()),
       ('{ELSEWHERE}', {STRANGER}, 'admin', 1, 1, NULL);
INSERT INTO messenger.participant_absences VALUES ('{HERE}', {ADMIN}, 0, 0), ('{HERE}', {LEFT}, 2, 9);
INSERT INTO messenger.messages (conversation_id, seq, id, pos, created_pos, sender_id, type, content)
VALUES ('{HERE}', 1, '{ADMIN_MESSAGE}', 2, 2, {ADMIN}, 'text', 'a'),
       ('{HERE}', 2, '{LEFT_MESSAGE}', 3, 3, {LEFT}, 'text', 'b');
INSERT INTO messenger.message_versions VALUES ('{ADMIN_MESSAGE}', 1, 'earlier', now());
INSERT INTO messenger.read_receipts (conversation_id, user_id, last_read_seq)
VALUES ('{HERE}', {ADMIN}, 1), ('{HERE}', {MEMBER}, 1), ('{HERE}', {LEFT}, 1);
INSERT INTO messenger.notification_settings (user_id, conversation_id)
VALUES ({ADMIN}, '{HERE}'), ({MEMBER}, '{HERE}');
INSERT INTO messenger.unread_marks (user_id, conversation_id, from_seq, read_seq, joined_pos, passed)
VALUES ({ADMIN}, '{HERE}', 1, 1, 1, 0), ({MEMBER}, '{HERE}', 1, 1, 1, 0);
INSERT INTO messenger.reactions (message_id, user_id, emoji, conversation_id)
VALUES ('{ADMIN_MESSAGE}', {ADMIN}, '👍', '{HERE}'), ('{ADMIN_MESSAGE}', {MEMBER}, '👍', '{HERE}');
INSERT INTO messenger.reaction_heads VALUES ('{ADMIN_MESSAGE}', '{HERE}', 5, '[]');
INSERT INTO messenger.pins (conversation_id, message_id, user_id)
VALUES ('{HERE}', '{ADMIN_MESSAGE}', {ADMIN});
INSERT INTO messenger.pin_heads VALUES ('{HERE}', 6, {ADMIN});
INSERT INTO messenger.files (id, owner_id, name, size, mime, upload_digest)
VALUES ('{ADMIN_FILE}', {ADMIN}, 'a', 1, 'text/plain', ''),
       ('{MEMBER_FILE}', {MEMBER}, 'b', 1, 'text/plain', '');
INSERT INTO messenger.file_links VALUES ('{ADMIN_MESSAGE}', 1, '{ADMIN_FILE}', '{HERE}');
INSERT INTO messenger.file_heads VALUES ('{ADMIN_MESSAGE}', '{HERE}', 7);
INSERT INTO messenger.mentions (conversation_id, user_id, seq, sender_id)
VALUES ('{HERE}', {ADMIN}, 2, {LEFT}), ('{HERE}', {MEMBER}, 1, {ADMIN}), ('{HERE}', 0, 2, {LEFT});
INSERT INTO messenger.feed_cursors (consumer, conversation_id, pos) VALUES ('search', '{HERE}', 3);
INSERT INTO messenger.event_log VALUES (1, '{HERE}', 0, 4, now());
UPDATE messenger.event_log_head SET last = 1;
INSERT INTO messenger.webhooks (name, id, url, types, secret, secret_id, number)
VALUES ('w', '{NEW}', 'https://host.example', '{{}}', 's', '{NEW}', 0);
INSERT INTO messenger.webhook_backlog (webhook_id, conversation_id, pos, attempts, due_at)
VALUES ('{NEW}', '{HERE}', 0, 1, now());
INSERT INTO messenger.webhook_attempts (webhook_id, at, event_id, type, attempt, took_ms)
VALUES ('{NEW}', now(), 'e', 't', 1, 1);
INSERT INTO messenger.search_blocks VALUES ('{HERE}', 1, 2, now(), '{{1}}');
INSERT INTO messenger.push_keys (public_key, private_key) VALUES ('k', '');
INSERT INTO messenger.push_subscriptions (user_id, kind, endpoint, digest)
VALUES ({ADMIN}, 'fcm', 'a', sha256('a')), ({MEMBER}, 'fcm', 'm', sha256('m'));
INSERT INTO messenger.push_settings
VALUES ({ADMIN}, '1:00', '2:00', 'UTC'), ({MEMBER}, '1:00', '2:00', 'UTC');
INSERT INTO messenger.push_queue (kind, user_id) VALUES ('test', {ADMIN}), ('test', {MEMBER});
INSERT INTO messenger.push_shown VALUES ('{HERE}', {ADMIN}, 1), ('{HERE}', {MEMBER}, 1);
INSERT INTO messenger.push_decisions (conversation_id, seq, user_id, rules)
VALUES ('{HERE}', 1, {ADMIN}, '{{}}'), ('{HERE}', 1, {MEMBER}, '{{}}');
"""

# Table -> the statements to try, by command, for the admin of HERE, who has a row in each table.
STATEMENTS = {
    "conversations": {
        "select": f"SELECT FROM messenger.conversations WHERE id = '{HERE}'",
        "insert": "INSERT INTO messenger.conversations (id, type, title, created_by) "
        f"VALUES ('{NEW}', 'group', 't', {ADMIN})",
        "update": f"UPDATE messenger.conversations SET title = 'x' WHERE id = '{HERE}'",
        "delete": f"DELETE FROM messenger.conversations WHERE id = '{HERE}'",
    },
    "conversation_participants": {
        "select": f"SELECT FROM messenger.conversation_participants WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.conversation_participants "
        f"(conversation_id, user_id, role, pos, joined_pos) VALUES ('{HERE}', 5, 'member', 5, 5)",
        "update": "UPDATE messenger.conversation_participants SET role = 'observer' "
        f"WHERE conversation_id = '{HERE}' AND user_id = {MEMBER}",
        "delete": f"DELETE FROM messenger.conversation_participants WHERE conversation_id = '{HERE}'",
    },
    "participant_absences": {
        "select": f"SELECT FROM messenger.participant_absences WHERE conversation_id = '{HERE}'",
        "insert": f"INSERT INTO messenger.participant_absences VALUES ('{HERE}', {ADMIN}, 5, 6)",
        "update": f"UPDATE messenger.participant_absences SET to_seq = 7 WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.participant_absences WHERE conversation_id = '{HERE}'",
    },
    "messages": {
        "select": f"SELECT FROM messenger.messages WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.messages "
        "(conversation_id, seq, id, pos, created_pos, sender_id, type, content) "
        f"VALUES ('{HERE}', 3, '{NEW}', 5, 5, {ADMIN}, 'text', 'c')",
        "update": f"UPDATE messenger.messages SET content = 'x' WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.messages WHERE conversation_id = '{HERE}'",
    },
    "message_versions": {
        "select": f"SELECT FROM messenger.message_versions WHERE message_id = '{ADMIN_MESSAGE}'",
        "insert": f"INSERT INTO messenger.message_versions VALUES ('{ADMIN_MESSAGE}', 2, 'later', now())",
        "update": f"UPDATE messenger.message_versions SET content = 'x' WHERE message_id = '{ADMIN_MESSAGE}'",
        "delete": f"DELETE FROM messenger.message_versions WHERE message_id = '{ADMIN_MESSAGE}'",
    },
    "read_receipts": {
        "select": f"SELECT FROM messenger.read_receipts WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.read_receipts (conversation_id, user_id, last_read_seq) "
        f"VALUES ('{HERE}', {OBSERVER}, 1)",
        "update": "UPDATE messenger.read_receipts SET last_read_seq = 2 "
        f"WHERE conversation_id = '{HERE}' AND user_id = {ADMIN}",
        "delete": f"DELETE FROM messenger.read_receipts WHERE conversation_id = '{HERE}'",
    },
    "notification_settings": {
        "select": f"SELECT FROM messenger.notification_settings WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.notification_settings (user_id, conversation_id) "
        f"VALUES ({ADMIN}, '{ELSEWHERE}')",
        "update": f"UPDATE messenger.notification_settings SET muted = true WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.notification_settings WHERE conversation_id = '{HERE}'",
    },
    "unread_marks": {
        "select": f"SELECT FROM messenger.unread_marks WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.unread_marks "
        "(user_id, conversation_id, from_seq, read_seq, joined_pos, passed) "
        f"VALUES ({ADMIN}, '{HERE}', 1, 0, 1, 0) "
        "ON CONFLICT (user_id, conversation_id) DO UPDATE SET from_seq = excluded.from_seq",
        "update": f"UPDATE messenger.unread_marks SET from_seq = 2 WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.unread_marks WHERE conversation_id = '{HERE}'",
    },
    "reactions": {
        "select": f"SELECT FROM messenger.reactions WHERE message_id = '{ADMIN_MESSAGE}'",
        "insert": "INSERT INTO messenger.reactions (message_id, user_id, emoji, conversation_id) "
        f"VALUES ('{ADMIN_MESSAGE}', {ADMIN}, '🎉', '{HERE}')",
        "update": f"UPDATE messenger.reactions SET emoji = '🎉' WHERE message_id = '{ADMIN_MESSAGE}'",
        "delete": f"DELETE FROM messenger.reactions WHERE message_id = '{ADMIN_MESSAGE}'",
    },
    "reaction_heads": {
        "select": f"SELECT FROM messenger.reaction_heads WHERE message_id = '{ADMIN_MESSAGE}'",
        "insert": f"INSERT INTO messenger.reaction_heads VALUES ('{LEFT_MESSAGE}', '{HERE}', 7, '[]')",
        "update": f"UPDATE messenger.reaction_heads SET pos = 8 WHERE message_id = '{ADMIN_MESSAGE}'",
        "delete": f"DELETE FROM messenger.reaction_heads WHERE message_id = '{ADMIN_MESSAGE}'",
    },
    "pins": {
        "select": f"SELECT FROM messenger.pins WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.pins (conversation_id, message_id, user_id) "
        f"VALUES ('{HERE}', '{LEFT_MESSAGE}', {ADMIN})",
        "update": f"UPDATE messenger.pins SET user_id = {MEMBER} WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.pins WHERE conversation_id = '{HERE}'",
    },
    "pin_heads": {
        "select": f"SELECT FROM messenger.pin_heads WHERE conversation_id = '{HERE}'",
        "insert": f"INSERT INTO messenger.pin_heads VALUES ('{HERE}', 7, {ADMIN}) "
        "ON CONFLICT (conversation_id) DO UPDATE SET pos = excluded.pos",
        "update": f"UPDATE messenger.pin_heads SET pos = 8 WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.pin_heads WHERE conversation_id = '{HERE}'",
    },
    "mentions": {
        "select": f"SELECT FROM messenger.mentions WHERE conversation_id = '{HERE}'",
        "insert": "INSERT INTO messenger.mentions (conversation_id, user_id, seq, sender_id) "
        f"VALUES ('{HERE}', {OBSERVER}, 1, {ADMIN})",
        "update": f"UPDATE messenger.mentions SET user_id = {OBSERVER} WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.mentions WHERE conversation_id = '{HERE}'",
    },
    "files": {
        "select": "SELECT FROM messenger.files",
        "insert": "INSERT INTO messenger.files (id, owner_id, name, size, mime, upload_digest) "
        f"VALUES ('{NEW}', {ADMIN}, 'c', 1, 'text/plain', '')",
        "update": "UPDATE messenger.files SET state = 'ready'",
        "delete": "DELETE FROM messenger.files",
    },
    "file_links": {
        "select": f"SELECT FROM messenger.file_links WHERE conversation_id = '{HERE}'",
        "insert": f"INSERT INTO messenger.file_links VALUES ('{LEFT_MESSAGE}', 1, '{ADMIN_FILE}', '{HERE}')",
        "update": f"UPDATE messenger.file_links SET place = 2 WHERE conversation_id = '{HERE}'",
        "delete": f"DELETE FROM messenger.file_links WHERE conversation_id = '{HERE}'",
    },
    "file_heads": {
        "select": f"SELECT FROM messenger.file_heads WHERE message_id = '{ADMIN_MESSAGE}'",
        "insert": f"INSERT INTO messenger.file_heads VALUES ('{LEFT_MESSAGE}', '{HERE}', 8)",
        "update": f"UPDATE messenger.file_heads SET pos = 9 WHERE message_id = '{ADMIN_MESSAGE}'",
        "delete": f"DELETE FROM messenger.file_heads WHERE message_id = '{ADMIN_MESSAGE}'",
    },
    "feed_cursors": {
        "select": "SELECT FROM messenger.feed_cursors",
        "insert": f"INSERT INTO messenger.feed_cursors VALUES ('search', '{ELSEWHERE}')",
        "update": "UPDATE messenger.feed_cursors SET pos = 0",
        "delete": "DELETE FROM messenger.feed_cursors",
    },
    "search_blocks": {
        "select": "SELECT FROM messenger.search_blocks",
        "insert": f"INSERT INTO messenger.search_blocks VALUES ('{HERE}', 3, 3, now(), '{{}}')",
        "update": "UPDATE messenger.search_blocks SET grams = '{}'",
        "delete": "DELETE FROM messenger.search_blocks",
    },
    **HOST_STATEMENTS,
    "push_keys": {
        "select": "SELECT FROM messenger.push_keys",
        "insert": "INSERT INTO messenger.push_keys (public_key, private_key) VALUES ('l', '')",
        "update": "UPDATE messenger.push_keys SET public_key = 'x'",
        "delete": "DELETE FROM messenger.push_keys",
    },
    "push_subscriptions": {
        "select": "SELECT FROM messenger.push_subscriptions",
        "insert": "INSERT INTO messenger.push_subscriptions (user_id, kind, endpoint, digest) "
        f"VALUES ({ADMIN}, 'fcm', 'x', '')",
        "update": f"UPDATE messenger.push_subscriptions SET user_id = {ADMIN}",
        "delete": "DELETE FROM messenger.push_subscriptions",
    },
    "push_settings": {
        "select": "SELECT FROM messenger.push_settings",
        "insert": f"INSERT INTO messenger.push_settings VALUES ({ADMIN}, '1:00', '2:00', 'UTC') "
        "ON CONFLICT (user_id) DO UPDATE SET quiet_start = excluded.quiet_start",
        "update": "UPDATE messenger.push_settings SET quiet_end = '3:00'",
        "delete": "DELETE FROM messenger.push_settings",
    },
    "push_queue": {
        "select": "SELECT FROM messenger.push_queue",
        "insert": f"INSERT INTO messenger.push_queue (kind, user_id) VALUES ('test', {ADMIN})",
        "update": "UPDATE messenger.push_queue SET due_at = now()",
        "delete": "DELETE FROM messenger.push_queue",
    },
    "push_shown": {
        "select": "SELECT FROM messenger.push_shown",
        "insert": f"INSERT INTO messenger.push_shown VALUES ('{ELSEWHERE}', {ADMIN}, 1)",
        "update": "UPDATE messenger.push_shown SET seq = 2",
        "delete": "DELETE FROM messenger.push_shown",
    },
    "push_decisions": {
        "select": "SELECT FROM messenger.push_decisions",
        "insert": "INSERT INTO messenger.push_decisions (conversation_id, seq, user_id, rules) "
        f"VALUES ('{HERE}', 2, {ADMIN}, '{{}}')",
        "update": "UPDATE messenger.push_decisions SET rules = '{}'",
        "delete": "DELETE FROM messenger.push_decisions",
    },
}
COMMANDS = ("select", "insert", "update", "delete")
# The service reaches these by functions alone.
HIDDEN = ("feed_cursors", "search_blocks", "push_keys", "push_decisions")
NOT_GRANTED = {
    *((table, command) for table in HIDDEN for command in COMMANDS),
    *(
        (table, "delete")
        for table in STATEMENTS
        if table
        not in (
            *("message_versions", "notification_settings", "unread_marks"),
            *("files", "file_heads", "reactions", "reaction_heads", "pins", "mentions"),
            *("webhooks", "webhook_backlog", "webhook_attempts"),
            *("push_subscriptions", "push_settings", "push_shown"),
        )
    ),
    *((table, command) for table in ("event_log_head", "event_log") for command in ("insert", "update")),
    ("webhook_attempts", "update"),
    *(("push_subscriptions", "insert"), ("push_subscriptions", "update")),
    *(("push_queue", "select"), ("push_queue", "update")),
    *(("push_shown", "insert"), ("push_shown", "update")),
    ("messages", "insert"),
    ("reactions", "insert"),
    ("reactions", "update"),
    ("reaction_heads", "insert"),
    ("reaction_heads", "update"),
    ("pins", "update"),
    ("mentions", "update"),
    ("message_versions", "update"),
    ("file_links", "insert"),
    ("file_links", "update"),
    ("file_heads", "insert"),
    ("file_heads", "update"),
}
# How many rows the right user finds or changes.
EXPECTED_ROWS: dict[str, dict[str, int | str]] = {
    **{table: {"select": 0, "insert": "refused", "update": 0, "delete": 0} for table in HOST_STATEMENTS},
    "conversations": {"select": 1, "insert": 1, "update": 1},
    "conversation_participants": {"select": 4, "insert": 1, "update": 1},
    "participant_absences": {"select": 2, "insert": 1, "update": 2},
    "messages": {"select": 2, "update": 2},
    "message_versions": {"select": 1, "insert": 1, "delete": 1},
    "read_receipts": {"select": 3, "insert": 1, "update": 1},
    "notification_settings": {"select": 1, "insert": 1, "update": 1, "delete": 1},
    "unread_marks": {"select": 1, "insert": 1, "update": 1, "delete": 1},
    "reactions": {"select": 2, "delete": 2},
    "reaction_heads": {"select": 1, "delete": 1},
    "pins": {"select": 1, "insert": 1, "delete": 1},
    "files": {"select": 1, "insert": 1, "update": 1, "delete": 0},
    "file_links": {"select": 1},
    "file_heads": {"select": 1, "delete": 1},
    "pin_heads": {"select": 1, "insert": 1, "update": 1},
    "mentions": {"select": 3, "insert": 1, "delete": 3},
    "push_subscriptions": {"select": 1, "delete": 1},
    "push_settings": {"select": 1, "insert": 1, "update": 1, "delete": 1},
    "push_queue": {"insert": 1},
    "push_shown": {"select": 1, "delete": 1},
}
