"""Planted bugs of searches and of the index."""

from __future__ import annotations

from tests.faults.bugs import short_campaigns
from tests.faults.bugs.planting import Edit, bug

CHAT_API = "services/chat-api/src/chat_api"

SEARCHES = (
    bug(
        "what isn't in the index yet is not looked at",
        short_campaigns.SEARCHES,
        "unfound",
        Edit(
            f"{CHAT_API}/storage/search.py",
            "FROM mine WHERE last_pos > indexed_pos\n",
            "FROM mine WHERE last_pos < indexed_pos\n",
        ),
    ),
    bug(
        "the index passes over edits and deletions",
        short_campaigns.SEARCHES,
        "inconsistent",
        Edit(
            f"{CHAT_API}/migrations/0014_search.sql",
            "y.pos > w.pos AND c.deleted_at IS NULL",
            "y.created_pos > w.pos AND c.deleted_at IS NULL",
        ),
        # Otherwise a short run ends before anything is indexed.
        Edit(f"{CHAT_API}/feed/indexer.py", "gather_s: float = GATHER_S", "gather_s: float = 0.2"),
    ),
)
