"""Planted bugs of files, all in one run, which take as long as one. Each is found by a kind of its own."""

from __future__ import annotations

from tests.faults.bugs import short_campaigns
from tests.faults.bugs.planting import Edit, bugs

CHAT_API = "services/chat-api/src/chat_api"
TABLES = f"{CHAT_API}/migrations/0011_files.sql"
SETTLING = f"{CHAT_API}/migrations/0012_file_processing.sql"

# hole
_A_POS_TOO_MANY = Edit(
    SETTLING,
    "SET last_pos = last_pos + 1 WHERE id = message.conversation_id",
    "SET last_pos = last_pos + 2 WHERE id = message.conversation_id",
)
# stale
_MESSAGES_KEEP_THE_OLD_STATE = Edit(
    SETTLING, "             WHERE id = message.id;\n", "             WHERE id = message.id AND false;\n"
)
# leaked
_STRANGERS_READ = (
    Edit(
        f"{CHAT_API}/storage/files.py",
        "AND (f.owner_id = %(user)s OR EXISTS (",
        "AND (true OR EXISTS (",
    ),
    Edit(
        TABLES,
        "    USING (owner_id = (SELECT messenger.me())\n           OR EXISTS",
        "    USING (true OR EXISTS",
    ),
)

FILES = (
    bugs(
        "files take a pos too many, are old in messages, and are read by strangers",
        short_campaigns.FILES,
        "hole stale leaked",
        _A_POS_TOO_MANY,
        _MESSAGES_KEEP_THE_OLD_STATE,
        *_STRANGERS_READ,
    ),
)
