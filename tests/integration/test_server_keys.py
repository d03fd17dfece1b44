"""Server keys in real PostgreSQL: only a valid key is used."""

from __future__ import annotations

from chat_api.storage.server_keys import PgServerKeys
from messenger_shared.postgres.database import Database

DIGEST, WRONG = "ab" * 32, "cd" * 32


async def test_only_a_right_key_that_is_not_revoked_counts_as_used(database: Database) -> None:
    keys = PgServerKeys(database)
    await keys.add("k", "a test", DIGEST, ["users"])
    assert await keys.use("k", WRONG) is None
    assert await keys.use("other", DIGEST) is None
    [key] = await keys.all()
    assert key.last_used_at is None
    assert await keys.use("k", DIGEST) == ["users"]
    [used] = await keys.all()
    assert used.last_used_at is not None
    assert await keys.revoke("k")
    assert await keys.use("k", DIGEST) is None
    [revoked] = await keys.all()
    assert revoked.last_used_at == used.last_used_at
    assert not await keys.revoke("other")
