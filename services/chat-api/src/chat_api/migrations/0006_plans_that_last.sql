-- PostgreSQL keeps the plans of functions. One that was made while the tables were small may read them from end to
-- end, which is the cheapest way then, and goes on doing so after they have grown, until they are analysed: a send
-- took several times as long beside 10,000 conversations that had come since. So these functions may look rows up by
-- an index alone, whatever there is when they are planned.

-- So that it becomes part of the statement around it: what converts a text to bytes isn't IMMUTABLE either.
ALTER FUNCTION messenger.fingerprint(text, text) STABLE;

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
SET LOCAL ROLE messenger_definer;
ALTER FUNCTION messenger.my_conversations() SET enable_seqscan = off;
ALTER FUNCTION messenger.my_administered() SET enable_seqscan = off;
ALTER FUNCTION messenger.my_past_and_present() SET enable_seqscan = off;
ALTER FUNCTION messenger.is_mine_to_fill(uuid) SET enable_seqscan = off;
ALTER FUNCTION messenger.conversation_of(uuid) SET enable_seqscan = off;
ALTER FUNCTION messenger.heads(uuid[]) SET enable_seqscan = off;
ALTER FUNCTION messenger.changed_messages(uuid, bigint, integer) SET enable_seqscan = off;
ALTER FUNCTION messenger.changed_participants(uuid, bigint, integer) SET enable_seqscan = off;
ALTER FUNCTION messenger.title_change(uuid, bigint) SET enable_seqscan = off;
ALTER FUNCTION messenger.close_conversation(uuid) SET enable_seqscan = off;
ALTER FUNCTION messenger.post_system_message(uuid, uuid, text) SET enable_seqscan = off;
ALTER FUNCTION messenger.sent_messages(uuid[], bigint[]) SET enable_seqscan = off;
ALTER FUNCTION messenger.sent_messages(uuid[], bigint[]) SET enable_hashjoin = off;
ALTER FUNCTION messenger.sent_messages(uuid[], bigint[]) SET enable_mergejoin = off;

-- As in 0003, but for how rows are looked up: OFFSET 0 keeps the planner from joining whole tables to the batch.
-- The batch's own parts may be joined in any way.
CREATE OR REPLACE FUNCTION messenger.send_messages(batch jsonb)
RETURNS TABLE (place integer, verdict text, stored_id uuid, seq bigint, pos bigint, created_at text)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
BEGIN
    -- Locks first, in id order, so that two batches can't wait for each other. What follows is a statement
    -- of its own and therefore sees everything that was committed before the locks were granted.
    PERFORM 1 FROM conversations
     WHERE id = ANY (ARRAY(
               SELECT DISTINCT (row ->> 'conversation_id')::uuid FROM jsonb_array_elements(batch) AS row))
     ORDER BY id FOR NO KEY UPDATE;

    RETURN QUERY
    WITH input AS (
        SELECT (ordinality - 1)::integer AS place, item.*
          FROM ROWS FROM (jsonb_to_recordset(batch) AS (
                   id uuid, conversation_id uuid, sender_id bigint, client_message_id text, type text,
                   content text, file_url text, file_name text, file_size bigint, reply_to uuid
               )) WITH ORDINALITY AS item
    ), known AS (
        SELECT i.place, coalesce(
                   (SELECT m.id FROM messages m WHERE m.id = i.id),
                   (SELECT m.id FROM messages m
                     WHERE m.sender_id = i.sender_id AND m.client_message_id = i.client_message_id),
                   -- An earlier row of this very batch, which is the first of its kind.
                   nullif(first_value(i.id) OVER (
                       PARTITION BY i.sender_id, coalesce(i.client_message_id, i.id::text) ORDER BY i.place
                   ), i.id)
               ) AS id
          FROM input i
    ), judged AS (
        SELECT i.*, k.id AS known_id, CASE
                   WHEN p.user_id IS NULL OR c.deleted_at IS NOT NULL THEN 'not_found'
                   WHEN p.left_at IS NOT NULL THEN 'not_member'
                   WHEN p.role = 'observer' OR (c.type = 'announcement' AND p.role <> 'admin')
                       THEN 'forbidden'
                   WHEN i.reply_to IS NOT NULL
                       AND (SELECT m.conversation_id FROM messages m WHERE m.id = i.reply_to)
                           IS DISTINCT FROM i.conversation_id
                       THEN 'bad_reply'
                   ELSE 'stored' END AS ruling
          FROM input i
          JOIN known k USING (place)
          LEFT JOIN LATERAL (
               SELECT type, deleted_at FROM conversations WHERE id = i.conversation_id OFFSET 0
          ) c ON true
          LEFT JOIN LATERAL (
               SELECT user_id, role, left_at FROM conversation_participants
                WHERE conversation_id = i.conversation_id AND user_id = i.sender_id OFFSET 0
          ) p ON true
    ), fresh AS (
        SELECT j.*, row_number() OVER (PARTITION BY j.conversation_id ORDER BY j.place) AS number
          FROM judged j WHERE j.ruling = 'stored' AND j.known_id IS NULL
    ), moved AS (
        UPDATE conversations c
           SET last_seq = c.last_seq + f.count, last_pos = c.last_pos + f.count, last_message_at = now()
          FROM (SELECT conversation_id, count(*) AS count FROM fresh GROUP BY conversation_id) f
         WHERE c.id = f.conversation_id
        RETURNING c.id, c.last_seq - f.count AS seq, c.last_pos - f.count AS pos
    ), inserted AS (
        INSERT INTO messages (conversation_id, seq, id, pos, created_pos, sender_id, client_message_id, type, content,
                              file_url, file_name, file_size, reply_to, fingerprint)
        SELECT f.conversation_id, m.seq + f.number, f.id, m.pos + f.number, m.pos + f.number, f.sender_id,
               f.client_message_id, f.type, f.content, f.file_url, f.file_name, f.file_size, f.reply_to,
               fingerprint(f.type, f.content)
          FROM fresh f JOIN moved m ON m.id = f.conversation_id
        RETURNING id, conversation_id, sender_id, seq, pos, created_at
    ), read AS (
        INSERT INTO read_receipts AS r (conversation_id, user_id, last_read_seq, message_id)
        SELECT DISTINCT ON (n.conversation_id, n.sender_id) n.conversation_id, n.sender_id, n.seq, n.id
          FROM inserted n ORDER BY n.conversation_id, n.sender_id, n.seq DESC
        ON CONFLICT (conversation_id, user_id) DO UPDATE
           SET last_read_seq = excluded.last_read_seq, message_id = excluded.message_id, read_at = now()
         WHERE r.last_read_seq < excluded.last_read_seq
    )
    SELECT j.place,
           -- Who may no longer write is still told of what was stored when he could.
           CASE WHEN j.known_id IS NOT NULL AND j.ruling <> 'not_found' THEN 'repeat' ELSE j.ruling END,
           j.known_id, n.seq, n.pos, messenger.to_wire(n.created_at)
      FROM judged j LEFT JOIN inserted n ON n.id = j.id AND j.known_id IS NULL;
END
$$;
RESET ROLE;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
