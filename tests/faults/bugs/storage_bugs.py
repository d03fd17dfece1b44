"""Planted bugs of storing: what is committed, when, how often and under which number."""

from __future__ import annotations

from tests.faults.bugs import short_campaigns
from tests.faults.bugs.planting import Edit, bug

CHAT_API = "services/chat-api/src/chat_api"
SHARED = "shared/src/messenger_shared"
TABLES = f"{CHAT_API}/migrations/0001_conversations_and_messages.sql"
MENTIONS = f"{CHAT_API}/migrations/0010_mentions.sql"
SENDING = f"{CHAT_API}/migrations/0018_replaced_texts.sql"

_NO_UNIQUE_ID = (
    Edit(TABLES, "CREATE UNIQUE INDEX messages_by_client_message_id", "CREATE INDEX messages_by_client"),
    Edit(
        SENDING,
        "m.client_message_id = i.client_message_id),",
        "m.client_message_id = i.client_message_id AND false),",
    ),
    Edit(SENDING, "coalesce(i.client_message_id, i.id::text)", "i.id::text"),
)

STORAGE = (
    bug(
        "two requests with one key don't wait for each other",
        short_campaigns.HOSTS,
        "doubled",
        Edit(
            f"{CHAT_API}/storage/server_conversations.py",
            "            await transaction.rows(_LOCK, (key,))\n",
            "",
        ),
    ),
    bug(
        "a repeat of a host's message is stored again",
        short_campaigns.HOSTS,
        "doubled",
        Edit(
            f"{SHARED}/contract/operations/server/conversations.py",
            '        {"Idempotency-Key": "client_message_id"},\n',
            "        {},\n",
        ),
    ),
    bug(
        "published before it is committed",
        short_campaigns.CHAT_API_KILLS,
        "altered lost",
        Edit(
            f"{CHAT_API}/send_batcher.py",
            "        verdicts = await self._store.store([draft for draft, _ in batch])\n",
            """\
        from chat_api.storage.messages import _STORE
        async with self._store._database.transaction() as transaction:
            rows = await transaction.rows(_STORE, (orjson.dumps([d for d, _ in batch]).decode(),))
            verdicts = [Verdict(*row) for row in rows]
            fresh = [(d, v) for (d, _), v in zip(batch, verdicts, strict=True) if v.verdict == "stored"]
            self._publish([_outcome(d, v, {}) for d, v in fresh])
            await asyncio.sleep(0.2)
""",
        ),
    ),
    bug(
        "acked before it is committed",
        short_campaigns.CHAT_API_KILLS,
        "lost",
        Edit(
            f"{CHAT_API}/storage/messages.py",
            "                rows = await self._database.rows(_STORE, (batch,))\n",
            """\
                from asyncio import ensure_future, get_running_loop
                block = self._database.transaction()
                rows = await (await block.__aenter__()).rows(_STORE, (batch,))
                end = block.__aexit__
                get_running_loop().call_later(0.1, lambda: ensure_future(end(None, None, None)))
""",
        ),
    ),
    bug(
        "committed without waiting for the disk",
        short_campaigns.POSTGRES_ENDS,
        "lost",
        Edit(
            "deploy/local/src/messenger_local/postgres.py",
            '"synchronous_commit": "on"',
            '"synchronous_commit": "off", "wal_writer_delay": "2s"',
        ),
    ),
    bug(
        "a batch that failed counts as stored",
        short_campaigns.POSTGRES_ENDS,
        "lost",
        Edit(
            f"{CHAT_API}/send_batcher.py",
            "            _fail(batch, error)\n        except Exception:",
            """\
            verdict = Verdict("stored", None, 1, 1, "2026-01-01T00:00:00Z", None)
            for draft, future in batch:
                message = message_from_draft(draft, verdict)
                _resolve(future, _StoredMessage(message, orjson.dumps(message), False))
        except Exception:""",
        ),
    ),
    bug("a client's id is not unique", short_campaigns.REPEATS, "doubled", *_NO_UNIQUE_ID),
    bug(
        "asked again with a new id",
        short_campaigns.DROPS,
        "doubled",
        *_NO_UNIQUE_ID,
        Edit(
            f"{SHARED}/rpc/client.py",
            "    ttl_ms = max(0, int((pending.expires_at - now) * 1000))\n",
            """\
    ttl_ms = max(0, int((pending.expires_at - now) * 1000))
    if pending.is_retry and "message_id" in pending.body and "client_message_id" in pending.body:
        from messenger_shared.contract.identifiers import new_id
        pending.body["message_id"] = new_id()
""",
        ),
    ),
    bug(
        "numbers are the highest so far and one, without a lock",
        short_campaigns.QUIET,
        "altered hole",
        Edit(
            TABLES,
            "    PRIMARY KEY (conversation_id, seq),\n    UNIQUE (conversation_id, pos)\n",
            "    CHECK (seq > 0)\n",
        ),
        Edit(MENTIONS, ",\n    FOREIGN KEY (conversation_id, seq) REFERENCES messenger.messages\n", "\n"),
        Edit(SENDING, "AS row))\n     ORDER BY id FOR NO KEY UPDATE;", "AS row))\n     ORDER BY id;"),
        Edit(
            SENDING,
            "SET last_seq = c.last_seq + f.count, last_pos = c.last_pos + f.count, last_message_at",
            "SET last_seq = f.seq + f.count, last_pos = f.pos + f.count, last_message_at",
        ),
        Edit(
            SENDING,
            "FROM (SELECT conversation_id, count(*) AS count FROM fresh GROUP BY conversation_id) f",
            """\
FROM (SELECT v.id AS conversation_id, count(*) AS count, v.last_seq AS seq, v.last_pos AS pos
                  FROM fresh j JOIN conversations v ON v.id = j.conversation_id GROUP BY v.id) f""",
        ),
        Edit(
            SENDING,
            "RETURNING c.id, c.last_seq - f.count AS seq, c.last_pos - f.count AS pos",
            "RETURNING c.id, f.seq AS seq, f.pos AS pos",
        ),
        # Sends of one conversation go to several workers at once, as happens when one is slow.
        Edit(
            f"{SHARED}/rpc/workers.py",
            "zlib.crc32(key.encode()) * _MULTIPLIER & _MASK",
            "int(asyncio.get_running_loop().time() * 1e6) * _MULTIPLIER & _MASK",
        ),
    ),
    bug(
        "a page of history begins one too late",
        short_campaigns.QUIET,
        "lost",
        Edit(f"{CHAT_API}/storage/messages.py", "AND seq > %(start)s AND", "AND seq > %(start)s + 1 AND"),
    ),
)
