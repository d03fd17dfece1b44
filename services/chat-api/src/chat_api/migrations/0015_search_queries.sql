-- What searches read past the policies: always of the acting user's own conversations, and never a text of a message.

-- The titles of the acting user's conversations, newest activity first, `at_once` in a row: [[activity, id, title]].
-- A direct conversation's title is the other member's name. Activity counts microseconds since 1970; with
-- `up_to`, only what isn't above it. Those without a title are left out, and those that the user has hidden.
CREATE FUNCTION messenger.my_titles(at_once integer, up_to bigint) RETURNS TABLE (titles jsonb)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT jsonb_agg(jsonb_build_array(activity, id, title) ORDER BY place)
      FROM (SELECT activity, id, title, row_number() OVER (ORDER BY activity DESC, id DESC) AS place
              FROM (SELECT c.id, coalesce(other.name, c.title) AS title,
                           (extract(epoch FROM coalesce(c.last_message_at, c.created_at)) * 1000000)::bigint AS activity
                      FROM conversation_participants p
                     CROSS JOIN LATERAL (SELECT * FROM conversations v WHERE v.id = p.conversation_id LIMIT 1) c
                      LEFT JOIN LATERAL (
                           SELECT u.name FROM conversation_participants o JOIN users u ON u.id = o.user_id
                            WHERE c.type = 'direct' AND o.conversation_id = c.id
                            ORDER BY o.user_id = me() LIMIT 1) other ON true
                     WHERE p.user_id = me() AND p.left_at IS NULL AND c.deleted_at IS NULL
                       AND (p.hidden_seq IS NULL OR p.hidden_seq < c.last_seq)) mine
             WHERE title IS NOT NULL AND (up_to IS NULL OR activity <= up_to)) numbered
     GROUP BY (place - 1) / at_once ORDER BY (place - 1) / at_once
$$;

-- The acting user's conversations with messages: when the last one came, how many there are, and how far the index has
-- followed. One conversation, or `at_most` with an id above `after`, or all.
CREATE FUNCTION messenger.my_search_state(conversation uuid, after uuid, at_most integer)
RETURNS TABLE (id uuid, active_at timestamptz, indexed_pos bigint, last_pos bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT c.id, coalesce(c.last_message_at, c.created_at), coalesce(f.pos, 0), c.last_pos
      FROM conversation_participants p
     CROSS JOIN LATERAL (SELECT * FROM conversations v WHERE v.id = p.conversation_id LIMIT 1) c
      LEFT JOIN LATERAL (SELECT i.pos FROM feed_cursors i
                          WHERE i.consumer = 'search' AND i.conversation_id = p.conversation_id LIMIT 1) f ON true
     WHERE p.user_id = me() AND p.left_at IS NULL AND c.deleted_at IS NULL AND c.last_seq > 0
       AND ($1 IS NULL OR p.conversation_id = $1) AND ($2 IS NULL OR p.conversation_id > $2)
     ORDER BY p.conversation_id LIMIT $3
$$;

-- Those blocks of the acting user's conversations that have all `wanted` grams, with some message after `newer_than`, and
-- none of whose first message is later than `up_to`. Each conversation comes with its own gram.
CREATE FUNCTION messenger.search_blocks_in(
    conversations uuid[], own_grams integer[], wanted integer[], newer_than timestamptz, up_to timestamptz)
RETURNS TABLE (conversation_id uuid, first_seq bigint, last_seq bigint, newest_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT b.conversation_id, b.first_seq, b.last_seq, b.newest_at
      FROM (SELECT i.conversation_id, i.first_seq, i.last_seq, i.newest_at FROM search_blocks i
             WHERE i.grams @> wanted AND i.grams && own_grams OFFSET 0) b
     -- Another conversation may have the same gram.
     WHERE b.conversation_id = ANY (conversations) AND (newer_than IS NULL OR b.newest_at > newer_than)
       AND EXISTS (SELECT FROM conversation_participants p
                    WHERE p.conversation_id = b.conversation_id AND p.user_id = me() AND p.left_at IS NULL)
       AND (up_to IS NULL OR b.newest_at <= up_to OR EXISTS (
            SELECT FROM messages m
             WHERE m.conversation_id = b.conversation_id AND m.seq = b.first_seq AND m.created_at <= up_to))
$$;

-- The same in all conversations of the acting user, if no more than `at_most` blocks of anybody have the grams. If more
-- do, the only row is null.
CREATE FUNCTION messenger.rare_search_blocks(
    wanted integer[], newer_than timestamptz, up_to timestamptz, at_most integer)
RETURNS TABLE (conversation_id uuid, first_seq bigint, last_seq bigint, newest_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    WITH found AS MATERIALIZED (
        SELECT i.conversation_id, i.first_seq, i.last_seq, i.newest_at FROM search_blocks i
         WHERE i.grams @> wanted LIMIT at_most + 1
    ), counted AS (
        SELECT count(*) AS number FROM found
    )
    SELECT b.conversation_id, b.first_seq, b.last_seq, b.newest_at
      FROM counted CROSS JOIN found b
     WHERE number <= at_most AND (newer_than IS NULL OR b.newest_at > newer_than)
       AND EXISTS (SELECT FROM conversation_participants p
                    WHERE p.conversation_id = b.conversation_id AND p.user_id = me() AND p.left_at IS NULL)
       AND (up_to IS NULL OR b.newest_at <= up_to OR EXISTS (
            SELECT FROM messages m
             WHERE m.conversation_id = b.conversation_id AND m.seq = b.first_seq AND m.created_at <= up_to))
     UNION ALL
    SELECT NULL, NULL, NULL, NULL FROM counted WHERE number > at_most
$$;

-- For each of the acting user's conversations, the last message that isn't later than `up_to`, for searches without the
-- index. Messages are later the higher their seq is, but for some seconds.
CREATE FUNCTION messenger.search_starts(conversations uuid[], up_to timestamptz)
RETURNS TABLE (conversation_id uuid, seq bigint, created_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    low bigint;
    high bigint;
    middle bigint;
    at timestamptz;
BEGIN
    FOR conversation_id, high IN
        SELECT c.id, c.last_seq FROM unnest(conversations) AS wanted (id)
         CROSS JOIN LATERAL (SELECT * FROM conversations v WHERE v.id = wanted.id LIMIT 1) c
         CROSS JOIN LATERAL (SELECT FROM conversation_participants p
                              WHERE p.conversation_id = wanted.id AND p.user_id = me() AND p.left_at IS NULL
                              LIMIT 1) mine
         WHERE c.deleted_at IS NULL
    LOOP
        low := 0;
        WHILE up_to IS NOT NULL AND low < high LOOP
            middle := (low + high + 1) / 2;
            SELECT m.created_at INTO at FROM messages m
             WHERE m.conversation_id = search_starts.conversation_id AND m.seq = middle;
            IF at > up_to THEN high := middle - 1; ELSE low := middle; END IF;
        END LOOP;
        SELECT m.seq, m.created_at INTO seq, created_at FROM messages m
         WHERE m.conversation_id = search_starts.conversation_id AND m.seq = high;
        CONTINUE WHEN NOT FOUND;
        RETURN NEXT;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION messenger.my_titles(integer, bigint),
       messenger.my_search_state(uuid, uuid, integer),
       messenger.search_blocks_in(uuid[], integer[], integer[], timestamptz, timestamptz),
       messenger.rare_search_blocks(integer[], timestamptz, timestamptz, integer),
       messenger.search_starts(uuid[], timestamptz)
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.my_titles(integer, bigint),
       messenger.my_search_state(uuid, uuid, integer),
       messenger.search_blocks_in(uuid[], integer[], integer[], timestamptz, timestamptz),
       messenger.rare_search_blocks(integer[], timestamptz, timestamptz, integer),
       messenger.search_starts(uuid[], timestamptz)
   TO messenger_chat;

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.my_titles(integer, bigint) OWNER TO messenger_definer;
ALTER FUNCTION messenger.my_search_state(uuid, uuid, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.search_blocks_in(uuid[], integer[], integer[], timestamptz, timestamptz)
   OWNER TO messenger_definer;
ALTER FUNCTION messenger.rare_search_blocks(integer[], timestamptz, timestamptz, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.search_starts(uuid[], timestamptz) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
