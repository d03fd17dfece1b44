-- The host may have a text replaced before it is stored (MESSENGER_BEFORE_SEND_URL). An item of a batch then has the text
-- as it was sent in `sent_content`. The fingerprint is that text's, so that a repeat of the original stays a repeat.
-- Else as in 0011.
GRANT CREATE ON SCHEMA messenger TO messenger_definer;
SET LOCAL ROLE messenger_definer;
CREATE OR REPLACE FUNCTION messenger.send_messages(batch jsonb, all_members integer)
RETURNS TABLE (place integer, verdict text, stored_id uuid, seq bigint, pos bigint, created_at text, mentions jsonb,
               attachments jsonb)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    has_mentions CONSTANT boolean := batch @> '[{"mentions": {}}]';
    has_files CONSTANT boolean := batch @> '[{"attachments": []}]';
BEGIN
    -- Locks first, in id order, so that two batches can't wait for each other. What follows is a statement
    -- of its own and therefore sees everything that was committed before the locks were granted.
    PERFORM 1 FROM conversations
     WHERE id = ANY (ARRAY(
               SELECT DISTINCT (row ->> 'conversation_id')::uuid FROM jsonb_array_elements(batch) AS row))
     ORDER BY id FOR NO KEY UPDATE;

    IF has_files THEN
        PERFORM 1 FROM files
         WHERE id = ANY (ARRAY(
                   SELECT DISTINCT file_id::uuid
                     FROM jsonb_array_elements(batch) AS row,
                          jsonb_array_elements_text(nullif(row -> 'attachments', 'null')) AS file_id))
         ORDER BY id FOR NO KEY UPDATE;
    END IF;
    IF has_mentions THEN
        SELECT jsonb_agg(
                   CASE WHEN item @> '{"mentions": {}}' THEN item || jsonb_build_object(
                       'mentions', effective_mentions((item ->> 'conversation_id')::uuid, item -> 'mentions'),
                       'is_crowd', (item #> '{mentions,mentions,all}')::boolean
                                   AND has_more_members((item ->> 'conversation_id')::uuid, all_members))
                   ELSE item END ORDER BY number)
          INTO batch FROM jsonb_array_elements(batch) WITH ORDINALITY AS input (item, number);
    END IF;

    RETURN QUERY
    WITH input AS (
        SELECT (ordinality - 1)::integer AS place, item.*
          FROM ROWS FROM (jsonb_to_recordset(batch) AS (
                   id uuid, conversation_id uuid, sender_id bigint, client_message_id text, type text,
                   content text, file_url text, file_name text, file_size bigint, reply_to uuid,
                   mentions jsonb, is_crowd boolean, attachments uuid[], sent_content text
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
                   WHEN (i.mentions #> '{mentions,all}')::boolean
                       AND (i.is_crowd OR c.type <> 'direct' AND p.role <> 'admin')
                       THEN 'mention_all_refused'
                   WHEN i.attachments IS NOT NULL
                       THEN coalesce(file_refusal(i.attachments, i.sender_id), 'stored')
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
                              file_url, file_name, file_size, reply_to, fingerprint, mentions,
                              attachments)
        SELECT f.conversation_id, m.seq + f.number, f.id, m.pos + f.number, m.pos + f.number, f.sender_id,
               f.client_message_id, f.type, f.content, f.file_url, f.file_name, f.file_size, f.reply_to,
               fingerprint(f.type, coalesce(f.sent_content, f.content)), f.mentions,
               CASE WHEN f.attachments IS NOT NULL THEN describe_files(f.attachments) END
          FROM fresh f JOIN moved m ON m.id = f.conversation_id
        RETURNING id, conversation_id, sender_id, seq, pos, created_at, attachments
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
           j.known_id, n.seq, n.pos, messenger.to_wire(n.created_at), j.mentions, n.attachments
      FROM judged j LEFT JOIN inserted n ON n.id = j.id AND j.known_id IS NULL;

    IF has_mentions THEN
        PERFORM add_mentions((item ->> 'id')::uuid)
           FROM jsonb_array_elements(batch) WITH ORDINALITY AS input (item, number)
          WHERE item @> '{"mentions": {}}' ORDER BY number;
    END IF;
    IF has_files THEN
        PERFORM link_files((row ->> 'id')::uuid)
           FROM jsonb_array_elements(batch) AS row WHERE row @> '{"attachments": []}';
    END IF;
END
$$;
RESET ROLE;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
