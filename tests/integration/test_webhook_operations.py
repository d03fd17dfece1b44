"""What operators do about webhooks, as the runbook has it."""

from __future__ import annotations

import re
from pathlib import Path

from messenger_shared.postgres.database import Database
from tests.integration.delivering import Receiver, make_webhook
from tests.integration.following import run
from tests.integration.indexing import Room

RUNBOOK = Path(__file__).parents[2] / "shared" / "docs" / "runbook.md"


async def test_the_runbooks_statements_show_what_waits(
    database: Database, database_url: str, chat_database_url: str
) -> None:
    receiver = Receiver()
    receiver.url = "https://host.example"
    webhook = await make_webhook(database, receiver, name="crm")
    room = await Room(database, database_url).create()
    run(
        database_url,
        "INSERT INTO messenger.webhook_backlog (webhook_id, conversation_id, pos, attempts, due_at, failure) "
        "VALUES (%s, %s, 3, 2, now(), '500')",
        webhook,
        room.id,
    )
    texts = re.findall(r"```sql\n([^`]*messenger\.webhook[^`]*)```", RUNBOOK.read_text())
    totals, waiting = (run(chat_database_url, text.replace("%", "%%")) for text in texts)
    assert [row[:5] for row in totals] == [("crm", None, 0, 1, 0)]
    assert [(str(row[0]), row[1], row[2], row[6]) for row in waiting] == [(room.id, 4, 2, "500")]
