"""Plans that functions keep: made while tables are small, they must not read large ones from end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor as Cursor

FEW, MANY = 10, 3_000
# The rows that any of these calls is about; some are read more than once.
READ_MAX = 30
# Users n and n + 1 are in conversation n, and n has sent something.
FILL = """
INSERT INTO messenger.conversations (id, type, title, created_by, last_seq, last_pos)
SELECT md5('c' || n)::uuid, 'group', 't', n, 1, 3 FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.conversation_participants (conversation_id, user_id, role, pos, joined_pos)
SELECT md5('c' || n)::uuid, n + second, 'admin', 1 + second, 1 + second
  FROM generate_series(%(first)s, %(last)s) n, generate_series(0, 1) second;
INSERT INTO messenger.users (id, name) SELECT n, 'w' || n FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.user_words (word, user_id)
SELECT 'w' || n, n FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.messages (conversation_id, seq, id, pos, created_pos, sender_id, type, content)
SELECT md5('c' || n)::uuid, 1, md5('m' || n)::uuid, 3, 3, n, 'text', 'a'
  FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.reaction_heads (message_id, conversation_id, pos, counts)
SELECT md5('m' || n)::uuid, md5('c' || n)::uuid, 3, '[]' FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.pin_heads (conversation_id, pos, user_id)
SELECT md5('c' || n)::uuid, 3, n FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.files (id, owner_id, name, size, mime, state, upload_digest)
SELECT md5('f' || n)::uuid, n, 'f', 1, 'text/plain', 'pending', ''
  FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.file_links (message_id, place, file_id, conversation_id)
SELECT md5('m' || n)::uuid, 1, md5('f' || n)::uuid, md5('c' || n)::uuid
  FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.file_heads (message_id, conversation_id, pos)
SELECT md5('m' || n)::uuid, md5('c' || n)::uuid, 3 FROM generate_series(%(first)s, %(last)s) n;
UPDATE messenger.messages SET attachments = '[{}]';
INSERT INTO messenger.mentions (conversation_id, user_id, seq, sender_id)
SELECT md5('c' || n)::uuid, n + 1, 1, n FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.feed_cursors (consumer, conversation_id, pos, lease)
SELECT 'search', md5('c' || n)::uuid, 0, md5('l')::uuid FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.feed_cursors (consumer, conversation_id, pos, lease)
SELECT 'events', md5('c' || n)::uuid, 0, md5('l')::uuid FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.event_log (number, conversation_id, after_pos, upto_pos, at)
SELECT n, md5('c' || n)::uuid, 0, 3, now() - interval '9 days' FROM generate_series(%(first)s, %(last)s) n;
UPDATE messenger.event_log_head SET last = %(last)s;
INSERT INTO messenger.search_blocks (conversation_id, first_seq, last_seq, newest_at, grams)
SELECT md5('c' || n)::uuid, 1, 1, now(), ARRAY[n] FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.feed_cursors (consumer, conversation_id, pos, lease)
SELECT 'push', md5('c' || n)::uuid, 0, md5('l')::uuid FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.push_keys (public_key, private_key) SELECT 'k', '' ON CONFLICT DO NOTHING;
INSERT INTO messenger.push_subscriptions (user_id, kind, endpoint, digest)
SELECT n, 'fcm', 'e' || n, sha256(convert_to('e' || n, 'UTF8')) FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.push_queue (kind, conversation_id, seq, due_at)
SELECT 'message', md5('c' || n)::uuid, 1, now() - n * interval '1 second'
  FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.push_shown (conversation_id, user_id, seq)
SELECT md5('c' || n)::uuid, n + 1, 1 FROM generate_series(%(first)s, %(last)s) n;
INSERT INTO messenger.push_decisions (conversation_id, user_id, seq, decided_at, rules)
SELECT md5('c' || n)::uuid, n, 1, now() - n * interval '1 hour', '{}'
  FROM generate_series(%(first)s, %(last)s) n
"""
READ = """
SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))
  FROM pg_stat_xact_user_tables WHERE schemaname = 'messenger'
"""
ACTING = "SELECT set_config('app.user_id', '7', true)"
CONVERSATION, MESSAGE = "md5('c7')::uuid", "md5('m7')::uuid"
LEASE = "md5('l')::uuid"
MENTIONS = {"mentions": {"user_ids": [8], "all": True}, "entities": []}
ANSWER = {"sender_id": 7, "type": "text", "content": "b", "client_message_id": "b", "mentions": MENTIONS}
REACTION = {"user_id": 7, "emoji": "👍", "on": True}
OUTCOME = {"state": "ready", "mime": "image/png", "kind": "image", "size": 1, "width": 1, "thumbs": [320]}
CALLS = {
    "send_messages": f"""
        messenger.send_messages(jsonb_build_array('{json.dumps(ANSWER)}'::jsonb || jsonb_build_object(
            'id', md5('b'), 'conversation_id', {CONVERSATION}, 'reply_to', {MESSAGE},
            'attachments', jsonb_build_array(md5('f7')::uuid))), 10)
        """,
    "settle_file": f"messenger.settle_file(md5('f7')::uuid, '{json.dumps(OUTCOME)}')",
    "changed_files": f"messenger.changed_files({CONVERSATION}, 0, 10)",
    "unlink_files": f"messenger.unlink_files({MESSAGE})",
    "sent_messages": f"messenger.sent_messages(ARRAY[{MESSAGE}], ARRAY[7::bigint])",
    "changed_messages": f"messenger.changed_messages({CONVERSATION}, 0, 10)",
    "changed_participants": f"messenger.changed_participants({CONVERSATION}, 0, 10)",
    "title_change": f"messenger.title_change({CONVERSATION}, -1)",
    "changed_reactions": f"messenger.changed_reactions({CONVERSATION}, 0, 10)",
    "changed_pins": f"messenger.changed_pins({CONVERSATION}, -1, 10)",
    "set_reactions": f"""
        messenger.set_reactions(jsonb_build_array('{json.dumps(REACTION)}'::jsonb || jsonb_build_object(
            'message_id', {MESSAGE})), ARRAY['admin', 'member'], 30)
        """,
    "heads": f"messenger.heads(ARRAY[{CONVERSATION}])",
    "memberships": "messenger.memberships(ARRAY[7::bigint])",
    "conversation_of": f"messenger.conversation_of({MESSAGE})",
    "is_mine_to_fill": f"messenger.is_mine_to_fill({CONVERSATION})",
    "my_administered": "messenger.my_administered()",
    "my_conversations": "messenger.my_conversations()",
    "my_past_and_present": "messenger.my_past_and_present()",
    "post_system_message": f"""
        messenger.post_system_message({CONVERSATION}, md5('s')::uuid, 'c', '{json.dumps(MENTIONS)}')
        """,
    "has_more_members": f"messenger.has_more_members({CONVERSATION}, 10)",
    "unread_of": f"messenger.unread_of({CONVERSATION}, ARRAY[7::bigint])",
    "close_conversation": f"messenger.close_conversation({CONVERSATION})",
    "members_named": f"messenger.members_named(ARRAY[7::bigint], ARRAY[{CONVERSATION}])",
    "find_users": "messenger.find_users(ARRAY['w2999'], 0, 10, true)",
    "ensure_users": "messenger.ensure_users(ARRAY[0::bigint], false)",
    "admit_users": 'messenger.admit_users(\'[{"id": 7, "issued_at": 1}]\')',
    "my_titles": "messenger.my_titles(10, NULL)",
    "my_search_state": "messenger.my_search_state(NULL, NULL, NULL)",
    "search_blocks_in": f"""
        messenger.search_blocks_in(
            ARRAY[{CONVERSATION}], ARRAY[7], ARRAY[7], NULL, now() + interval '1 day')
        """,
    "rare_search_blocks": "messenger.rare_search_blocks(ARRAY[7], NULL, now() + interval '1 day', 10)",
    "search_starts": f"messenger.search_starts(ARRAY[{CONVERSATION}], now() + interval '1 day')",
    "feed_behind": "messenger.feed_behind('search', md5('c7')::uuid, 3)",
    "feed_claim": f"messenger.feed_claim('search', ARRAY[{CONVERSATION}], md5('l')::uuid, 10, false)",
    "feed_advance": f"messenger.feed_advance('search', {LEASE}, ARRAY[{CONVERSATION}], ARRAY[1::bigint])",
    "feed_renew": f"messenger.feed_renew('search', {LEASE}, ARRAY[{CONVERSATION}], 10)",
    "search_changes": f"messenger.search_changes(ARRAY[{CONVERSATION}], ARRAY[0::bigint], 10)",
    "search_texts": f"messenger.search_texts(ARRAY[{CONVERSATION}], ARRAY[1::bigint], ARRAY[64::bigint])",
    "search_write": f"""
        messenger.search_write({LEASE}, ARRAY[{CONVERSATION}], ARRAY[3::bigint], '{{}}',
                               ARRAY[{CONVERSATION}], ARRAY[1::bigint], ARRAY[1::bigint], ARRAY[now()],
                               ARRAY['{{1,2}}'])
        """,
    "append_events": f"""
        messenger.append_events({LEASE}, ARRAY[{CONVERSATION}], ARRAY[0::bigint], ARRAY[3::bigint])
        """,
    "forget_events": "messenger.forget_events(interval '1 day', 3)",
    "push_key": "messenger.push_key(NULL)",
    "push_private_keys": "messenger.push_private_keys()",
    "push_add_key": "messenger.push_add_key('l', '', false)",
    "push_key_uses": "messenger.push_key_uses()",
    "push_subscribe": "messenger.push_subscribe('fcm', 'new', NULL, NULL, NULL, 20)",
    "push_plan": f"messenger.push_plan({LEASE}, ARRAY[{CONVERSATION}], ARRAY[0::bigint], 10, 3, 600)",
    "push_take": "messenger.push_take(5, 30)",
    "push_next": "messenger.push_next()",
    "push_renew": "messenger.push_renew(ARRAY[1::bigint], 30)",
    "push_finish": """
        messenger.push_finish(ARRAY[1::bigint], ARRAY[1::bigint], ARRAY['test'], ARRAY[NULL::uuid],
                              ARRAY[NULL::bigint], ARRAY[7::bigint], ARRAY[7::bigint], ARRAY[1],
                              ARRAY[1::float8], ARRAY[5::float8])
        """,
    "push_facts": f"messenger.push_facts(ARRAY[{CONVERSATION}], ARRAY[1::bigint], ARRAY[7::bigint])",
    "push_decide": f"""
        messenger.push_decide(ARRAY[{CONVERSATION}], ARRAY[1::bigint], ARRAY[7::bigint], ARRAY['read'],
                              ARRAY[true])
        """,
    "push_messages": f"messenger.push_messages(ARRAY[{CONVERSATION}], ARRAY[1::bigint], 500)",
    "push_devices": "messenger.push_devices(ARRAY[7::bigint], ARRAY[NULL::bigint])",
    "push_forget": "messenger.push_forget(86400, 5)",
    "push_decision": f"messenger.push_decision({CONVERSATION}, 1, 7)",
    "upsert_users": 'messenger.upsert_users(\'[{"id": 7, "name": "x", "words": ["x"]}]\')',
}


@pytest.fixture
def session(chat_database_url: str) -> Iterator[Cursor]:
    """A session of chat-api that keeps every plan it makes."""
    with closing(psycopg2.connect(chat_database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        yield cursor


@pytest.mark.parametrize("name", CALLS)
def test_a_function_reads_only_what_it_is_asked_about(session: Cursor, database_url: str, name: str) -> None:
    call = f"SELECT * FROM {CALLS[name]}"
    run(database_url, FILL, first=1, last=FEW)
    run(database_url, "ANALYZE")
    session.execute(f"BEGIN; {ACTING}; {call}; ROLLBACK")
    # Without ANALYZE, which would make every plan anew.
    run(database_url, FILL, first=FEW + 1, last=MANY)
    session.execute(f"BEGIN; {ACTING}")
    before = read(session)
    session.execute(call)
    assert session.fetchall()
    assert read(session) - before <= READ_MAX


def test_no_function_behind_the_wall_is_left_out(session: Cursor) -> None:
    session.execute(
        # Some are there twice, with other parameters, for the release before.
        "SELECT DISTINCT proname FROM pg_proc "
        "WHERE pronamespace = 'messenger'::regnamespace AND prosecdef ORDER BY 1"
    )
    assert [name for (name,) in session.fetchall()] == sorted(CALLS)


def run(url: str, sql: str, **parameters: int) -> None:
    """Runs the statement as the owner of the tables."""
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def read(session: Cursor) -> Any:
    """Returns how many rows the session has read so far in this transaction, and some from before."""
    session.execute(READ)
    [(rows,)] = session.fetchall()
    return rows
