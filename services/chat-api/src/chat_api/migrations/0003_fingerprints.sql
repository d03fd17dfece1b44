-- What a message said first stays known after it was edited or deleted, as eight bytes that don't tell it: the
-- same client_message_id with another text is a mistake of the client's for ever, and with the same one a repeat.

CREATE FUNCTION messenger.fingerprint(type text, content text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN substring(sha256(convert_to(type || E'\n' || content, 'UTF8')) FOR 8);
REVOKE ALL ON FUNCTION messenger.fingerprint(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.fingerprint(text, text) TO messenger_definer;

-- Null for what was deleted before this column was there.
ALTER TABLE messenger.messages ADD COLUMN fingerprint bytea;
-- The owner is behind the policies too, and no policy lets it see anything.
ALTER TABLE messenger.messages NO FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.message_versions NO FORCE ROW LEVEL SECURITY;
UPDATE messenger.messages m SET fingerprint = messenger.fingerprint(m.type, coalesce(
    (SELECT v.content FROM messenger.message_versions v WHERE v.message_id = m.id AND v.version = 1), m.content))
 WHERE m.deleted_at IS NULL;
ALTER TABLE messenger.messages FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.message_versions FORCE ROW LEVEL SECURITY;

-- As in the first migration, but for the fingerprint.
GRANT CREATE ON SCHEMA messenger TO messenger_definer;
SET LOCAL ROLE messenger_definer;
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
     WHERE id IN (SELECT DISTINCT (row ->> 'conversation_id')::uuid FROM jsonb_array_elements(batch) AS row)
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
                   WHEN i.reply_to IS NOT NULL AND NOT EXISTS (
                       SELECT 1 FROM messages m
                        WHERE m.id = i.reply_to AND m.conversation_id = i.conversation_id)
                       THEN 'bad_reply'
                   ELSE 'stored' END AS ruling
          FROM input i
          JOIN known k USING (place)
          LEFT JOIN conversations c ON c.id = i.conversation_id
          LEFT JOIN conversation_participants p
                 ON p.conversation_id = i.conversation_id AND p.user_id = i.sender_id
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
