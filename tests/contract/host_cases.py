"""The statements that test row-level security on the tables of webhooks: no user has a part in them."""

from __future__ import annotations

HERE = "00000000-0000-7000-8000-00000000000c"
HOST_STATEMENTS = {
    "event_log_head": {
        "select": "SELECT FROM messenger.event_log_head",
        "insert": "INSERT INTO messenger.event_log_head VALUES (true)",
        "update": "UPDATE messenger.event_log_head SET last = 9",
        "delete": "DELETE FROM messenger.event_log_head",
    },
    "event_log": {
        "select": "SELECT FROM messenger.event_log",
        "insert": f"INSERT INTO messenger.event_log VALUES (2, '{HERE}', 4, 5)",
        "update": "UPDATE messenger.event_log SET upto_pos = 9",
        "delete": "DELETE FROM messenger.event_log",
    },
    "webhooks": {
        "select": "SELECT FROM messenger.webhooks",
        "insert": "INSERT INTO messenger.webhooks (name, id, url, types, secret, secret_id, number) "
        f"VALUES ('x', '{HERE}', '', '{{}}', '', '{HERE}', 0)",
        "update": "UPDATE messenger.webhooks SET url = ''",
        "delete": "DELETE FROM messenger.webhooks",
    },
    "webhook_backlog": {
        "select": "SELECT FROM messenger.webhook_backlog",
        "insert": "INSERT INTO messenger.webhook_backlog "
        "(webhook_id, conversation_id, pos, attempts, due_at) "
        f"VALUES ('{HERE}', '{HERE}', 0, 0, now())",
        "update": "UPDATE messenger.webhook_backlog SET pos = 0",
        "delete": "DELETE FROM messenger.webhook_backlog",
    },
    "webhook_attempts": {
        "select": "SELECT FROM messenger.webhook_attempts",
        "insert": "INSERT INTO messenger.webhook_attempts (webhook_id, at, event_id, type, attempt, took_ms) "
        f"VALUES ('{HERE}', now(), '', '', 1, 1)",
        "update": "UPDATE messenger.webhook_attempts SET attempt = 0",
        "delete": "DELETE FROM messenger.webhook_attempts",
    },
}
