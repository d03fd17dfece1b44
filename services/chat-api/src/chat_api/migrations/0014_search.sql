-- The search index. It holds no texts: a query finds blocks by their grams, and then reads their messages.

-- A run of a conversation's messages, at most 64. Blocks of a conversation don't overlap. There is no foreign key: its
-- check would lock the conversation's row for each block, which every send changes.
CREATE TABLE messenger.search_blocks (
    conversation_id uuid NOT NULL,
    first_seq       bigint NOT NULL,
    last_seq        bigint NOT NULL,
    -- The latest created_at of its messages.
    newest_at       timestamptz NOT NULL,
    -- As in chat_api/search/grams.py; one of them stands for the conversation.
    grams           integer[] NOT NULL,
    PRIMARY KEY (conversation_id, first_seq)
);
-- What is new waits in a list, which every search reads, and goes into the index together: one by one, each gram
-- costs four times as much. A megabyte of it costs a search half a millisecond.
CREATE INDEX search_blocks_by_grams ON messenger.search_blocks USING gin (grams)
  WITH (fastupdate = on, gin_pending_list_limit = 1024);

-- What the index lacks of these conversations, each after its pos, for at most so many changed messages of each: the
-- pos up to which this is all, whether the conversation is closed, the seqs of the changed messages, and the blocks
-- that there are in the runs of 64 that have them.
CREATE FUNCTION messenger.search_changes(conversations uuid[], positions bigint[], at_most integer)
RETURNS TABLE (conversation_id text, upto bigint, is_closed boolean, seqs bigint[], firsts bigint[], lasts bigint[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT c.id::text, CASE WHEN m.count < at_most THEN c.last_pos ELSE m.last_pos END, c.deleted_at IS NOT NULL,
           m.seqs, b.firsts, b.lasts
      FROM unnest(conversations, positions) AS w (id, pos)
      JOIN conversations c ON c.id = w.id
     CROSS JOIN LATERAL (
           SELECT count(*) AS count, max(x.pos) AS last_pos, coalesce(array_agg(x.seq), '{}') AS seqs
             FROM (SELECT y.seq, y.pos FROM messages y
                    WHERE y.conversation_id = w.id AND y.pos > w.pos AND c.deleted_at IS NULL
                    ORDER BY y.pos LIMIT at_most) x) m
     CROSS JOIN LATERAL (
           SELECT coalesce(array_agg(y.first_seq), '{}') AS firsts, coalesce(array_agg(y.last_seq), '{}') AS lasts
             FROM (SELECT DISTINCT (seq - 1) / 64 AS number FROM unnest(m.seqs) AS seq) run
             JOIN search_blocks y ON y.conversation_id = w.id
                  AND y.first_seq > run.number * 64 AND y.first_seq <= run.number * 64 + 64) b
$$;

-- What a search looks into, of the messages of these ranges, each range with its place in the arrays.
CREATE FUNCTION messenger.search_texts(conversations uuid[], firsts bigint[], lasts bigint[])
RETURNS TABLE (place integer, is_deleted boolean, sender_id bigint, content text, has_file boolean,
               file_names text[], created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT w.place::integer, m.deleted_at IS NOT NULL, m.sender_id, m.content,
           m.attachments IS NOT NULL OR m.file_url IS NOT NULL,
           CASE WHEN m.attachments IS NOT NULL OR m.file_name IS NOT NULL THEN
               m.file_name || ARRAY(SELECT file ->> 'name' FROM jsonb_array_elements(m.attachments) AS file)
           END, m.created_at
      FROM unnest(conversations, firsts, lasts) WITH ORDINALITY AS w (id, first, last, place)
      JOIN messages m ON m.conversation_id = w.id AND m.seq BETWEEN w.first AND w.last
$$;

-- Moves the cursors of the consumer `search`, and writes the blocks of those conversations that it still has with
-- this token. A block takes the place of all that were in its range; a closed conversation has no blocks. `grams` has
-- each block's as the text of an array.
CREATE FUNCTION messenger.search_write(
    token uuid, conversations uuid[], positions bigint[], closed uuid[],
    owners uuid[], firsts bigint[], lasts bigint[], newest timestamptz[], grams text[])
RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    ours CONSTANT uuid[] := ARRAY(SELECT messenger.feed_advance('search', token, conversations, positions));
BEGIN
    DELETE FROM search_blocks b
     USING unnest(owners, firsts, lasts) AS w (id, first, last)
     WHERE b.conversation_id = w.id AND b.first_seq > w.first - 64 AND b.first_seq <= w.last
       AND b.last_seq >= w.first AND w.id = ANY (ours);
    DELETE FROM search_blocks b WHERE b.conversation_id = ANY (closed) AND b.conversation_id = ANY (ours);
    INSERT INTO search_blocks (conversation_id, first_seq, last_seq, newest_at, grams)
    SELECT w.id, w.first, w.last, w.newest, w.grams::integer[]
      FROM unnest(owners, firsts, lasts, newest, grams) AS w (id, first, last, newest, grams)
     WHERE w.id = ANY (ours);
    RETURN QUERY SELECT id::text FROM unnest(ours) AS id;
END
$$;

REVOKE ALL ON messenger.search_blocks FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.search_changes(uuid[], bigint[], integer),
       messenger.search_texts(uuid[], bigint[], bigint[]),
       messenger.search_write(uuid, uuid[], bigint[], uuid[], uuid[], bigint[], bigint[], timestamptz[], text[])
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.search_changes(uuid[], bigint[], integer),
      messenger.search_texts(uuid[], bigint[], bigint[]),
      messenger.search_write(uuid, uuid[], bigint[], uuid[], uuid[], bigint[], bigint[], timestamptz[], text[])
   TO messenger_chat;
GRANT SELECT, INSERT, DELETE ON messenger.search_blocks TO messenger_definer;

-- Nobody sees or changes it but by functions.
ALTER TABLE messenger.search_blocks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.search_blocks TO messenger_definer USING (true);

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.search_changes(uuid[], bigint[], integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.search_texts(uuid[], bigint[], bigint[]) OWNER TO messenger_definer;
ALTER FUNCTION messenger.search_write(
    uuid, uuid[], bigint[], uuid[], uuid[], bigint[], bigint[], timestamptz[], text[]) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
