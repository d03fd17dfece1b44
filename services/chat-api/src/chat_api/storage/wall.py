"""Owns noticing that the database's second wall is not there: that row-level security doesn't bind us."""

from __future__ import annotations

import logging
from typing import Final

from messenger_shared.postgres import Database

log = logging.getLogger(__name__)

_UNBOUND: Final = "SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)"


async def look_at_wall(database: Database) -> bool:
    """Whether row-level security binds the role that we are; says so in the log when it doesn't."""
    rows = await database.rows(_UNBOUND)
    if rows:
        log.warning("%s is above row-level security; give chat-api a role of its own", rows[0][0])
    return not rows
