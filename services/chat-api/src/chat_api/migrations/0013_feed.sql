-- The feed: how far each consumer has followed each conversation's changes.

CREATE TABLE messenger.feed_cursors (
    consumer        text NOT NULL,
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    -- The consumer is done with all changes up to this one.
    pos             bigint NOT NULL DEFAULT 0,
    -- Who works on it now, and until when nobody else may.
    lease           uuid,
    leased_until    timestamptz,
    PRIMARY KEY (consumer, conversation_id)
    -- A cursor changes often, and finds room for that on its page.
) WITH (fillfactor = 70);

-- The conversations in the order of their ids, `page` of them from the one after `after`: up to which id (null if
-- these were the last), which of them have changes that the consumer hasn't handled, and how many seconds ago the
-- first such change of a message was, for the oldest of them.
CREATE FUNCTION messenger.feed_behind(name text, after uuid, page integer)
RETURNS TABLE (upto uuid, behind text[], oldest_s double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1
SET search_path = messenger, pg_catalog, pg_temp
-- Two indexes in the same order: one look at each row of both.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_nestloop = off
AS $$
#variable_conflict use_variable
DECLARE
    page_end CONSTANT uuid := (SELECT c.id FROM conversations c WHERE c.id > after ORDER BY c.id LIMIT 1 OFFSET page - 1);
    bound CONSTANT uuid := coalesce(page_end, 'ffffffff-ffff-ffff-ffff-ffffffffffff');
BEGIN
    RETURN QUERY
    SELECT page_end, coalesce(array_agg(b.id::text ORDER BY b.id), '{}'), extract(epoch FROM now() - min((
               SELECT greatest(m.created_at, m.edited_at, m.deleted_at) FROM messages m
                WHERE m.conversation_id = b.id AND m.pos > b.pos ORDER BY m.pos LIMIT 1)))::double precision
      FROM (SELECT c.id, coalesce(f.pos, 0) AS pos
              FROM conversations c
              LEFT JOIN (SELECT * FROM feed_cursors f
                          WHERE f.consumer = name AND f.conversation_id > after AND f.conversation_id <= bound) f
                     ON f.conversation_id = c.id
             WHERE c.id > after AND c.id <= bound AND c.last_pos > coalesce(f.pos, 0)) b;
END
$$;

-- Takes those of the conversations that are behind and that nobody works on, for so many seconds. With `all_of_them`,
-- also those that are not behind. A row for each conversation that there is: whether it was taken, the consumer's
-- pos, the conversation's, and for how many more seconds somebody else has it.
CREATE FUNCTION messenger.feed_claim(
    name text, conversations uuid[], token uuid, seconds double precision, all_of_them boolean)
RETURNS TABLE (conversation_id text, is_taken boolean, pos bigint, last_pos bigint, busy_s double precision)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO feed_cursors (consumer, conversation_id)
    SELECT name, c.id FROM conversations c
     WHERE c.id = ANY ($2)
       AND NOT EXISTS (SELECT FROM feed_cursors f WHERE f.consumer = name AND f.conversation_id = c.id)
    ON CONFLICT DO NOTHING;

    RETURN QUERY
    WITH free AS MATERIALIZED (
        SELECT f.conversation_id FROM feed_cursors f JOIN conversations c ON c.id = f.conversation_id
         WHERE f.consumer = name AND f.conversation_id = ANY ($2) AND (all_of_them OR c.last_pos > f.pos)
           AND (f.leased_until IS NULL OR f.leased_until < clock_timestamp())
           FOR UPDATE OF f SKIP LOCKED
    ), taken AS (
        UPDATE feed_cursors f SET lease = token, leased_until = clock_timestamp() + seconds * interval '1 second'
          FROM free WHERE f.consumer = name AND f.conversation_id = free.conversation_id
        RETURNING f.conversation_id, f.pos
    )
    SELECT c.id::text, t.pos IS NOT NULL, coalesce(t.pos, f.pos), c.last_pos,
           greatest(extract(epoch FROM f.leased_until - clock_timestamp()), 0)::double precision
      FROM conversations c
      JOIN feed_cursors f ON f.consumer = name AND f.conversation_id = c.id
      LEFT JOIN taken t ON t.conversation_id = c.id
     WHERE c.id = ANY ($2);
END
$$;

-- Moves the cursors of conversations that are still taken with this token, and gives the conversations back. A null
-- for a pos leaves the cursor where it is. Returns which they are.
CREATE FUNCTION messenger.feed_advance(name text, token uuid, conversations uuid[], positions bigint[])
RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    UPDATE feed_cursors f SET pos = coalesce(w.pos, f.pos), lease = NULL, leased_until = NULL
      FROM unnest(conversations, positions) AS w (id, pos)
     WHERE f.consumer = name AND f.conversation_id = w.id AND f.lease = token
    RETURNING f.conversation_id
$$;

-- Keeps the conversations that are still taken with this token for so many seconds from now. Returns which they are.
CREATE FUNCTION messenger.feed_renew(name text, token uuid, conversations uuid[], seconds double precision)
RETURNS SETOF uuid
LANGUAGE sql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    UPDATE feed_cursors f SET leased_until = clock_timestamp() + seconds * interval '1 second'
     WHERE f.consumer = name AND f.conversation_id = ANY (conversations) AND f.lease = token
    RETURNING f.conversation_id
$$;

REVOKE ALL ON messenger.feed_cursors FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.feed_behind(text, uuid, integer),
       messenger.feed_claim(text, uuid[], uuid, double precision, boolean),
       messenger.feed_advance(text, uuid, uuid[], bigint[]),
       messenger.feed_renew(text, uuid, uuid[], double precision) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.feed_behind(text, uuid, integer),
      messenger.feed_claim(text, uuid[], uuid, double precision, boolean),
      messenger.feed_advance(text, uuid, uuid[], bigint[]),
      messenger.feed_renew(text, uuid, uuid[], double precision) TO messenger_chat;
GRANT SELECT, INSERT ON messenger.feed_cursors TO messenger_definer;
GRANT UPDATE (pos, lease, leased_until) ON messenger.feed_cursors TO messenger_definer;

-- Nobody sees or changes it but by these functions.
ALTER TABLE messenger.feed_cursors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.feed_cursors TO messenger_definer USING (true);

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.feed_behind(text, uuid, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.feed_claim(text, uuid[], uuid, double precision, boolean) OWNER TO messenger_definer;
ALTER FUNCTION messenger.feed_advance(text, uuid, uuid[], bigint[]) OWNER TO messenger_definer;
ALTER FUNCTION messenger.feed_renew(text, uuid, uuid[], double precision) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
