"""Holds the statements that check whether the database accepts chat-api's writes."""

from __future__ import annotations

from typing import Final

# The first statement touches no row. It fails where this role can't write: on a standby, with a read-only
# setting, or without the right. The second one writes to the write-ahead log. Its commit waits for the log as
# every other commit does.
WRITE_CHECK: Final = """
UPDATE messenger.conversations SET last_pos = last_pos WHERE false;
SELECT pg_logical_emit_message(true, 'messenger', '')
"""
