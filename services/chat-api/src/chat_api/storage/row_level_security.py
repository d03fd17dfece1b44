"""Checks that row-level security binds the database role of chat-api."""

from __future__ import annotations

import logging
from typing import Final

from messenger_shared.postgres.database import Database

log = logging.getLogger(__name__)

_UNBOUND: Final = "SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)"


async def check_row_level_security(database: Database) -> bool:
    """Whether row-level security binds the current role. Logs a warning if it doesn't."""
    rows = await database.rows(_UNBOUND)
    if rows:
        log.warning("%s bypasses row-level security; give chat-api a role of its own", rows[0][0])
    return not rows
