-- Files: their rows, which messages have them, and when their bytes are to be removed. Gateways have the bytes.

CREATE TABLE messenger.files (
    id            uuid PRIMARY KEY,
    owner_id      bigint NOT NULL,
    name          text NOT NULL,
    size          bigint NOT NULL,
    -- While the file is open, what its uploader says; from then on, what its content is.
    mime          text NOT NULL,
    kind          text NOT NULL DEFAULT 'file' CHECK (kind IN ('image', 'audio', 'video', 'file')),
    -- `open` until the upload is complete. `removed` as soon as a gateway may remove the bytes; the row stays for
    -- the quota.
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'ready', 'removed')),
    upload_digest bytea NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    -- When there is something to do: the bytes or, later, the row are to be removed. Null while a message has the
    -- file. This is the queue of removals.
    due_at        timestamptz DEFAULT now() + interval '24 hours'
);
CREATE INDEX files_by_owner ON messenger.files (owner_id, created_at) INCLUDE (size);
CREATE INDEX files_due ON messenger.files (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE messenger.file_links (
    message_id      uuid NOT NULL REFERENCES messenger.messages (id),
    place           smallint NOT NULL,
    file_id         uuid NOT NULL REFERENCES messenger.files,
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    PRIMARY KEY (message_id, place)
);
CREATE UNIQUE INDEX file_links_by_file ON messenger.file_links (file_id, message_id);

-- What the message carries: {file_id, name, size, mime, kind, state} of each file in order. Null without files.
ALTER TABLE messenger.messages ADD COLUMN attachments jsonb;

-- What clients get of these files, in this order.
CREATE FUNCTION messenger.describe_files(ids uuid[]) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT jsonb_agg(jsonb_build_object('file_id', f.id, 'name', f.name, 'size', f.size, 'mime', f.mime,
                                        'kind', f.kind, 'state', f.state) ORDER BY place)
      FROM unnest(ids) WITH ORDINALITY AS wanted (id, place)
     CROSS JOIN LATERAL (SELECT * FROM files WHERE id = wanted.id OFFSET 0) f
$$;

-- Why this user can't send these files: no_file (one isn't theirs, or is to be removed) or file_not_ready. Null if
-- they can.
CREATE FUNCTION messenger.file_refusal(ids uuid[], sender_id bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT CASE WHEN NOT bool_and(f.id IS NOT NULL) THEN 'no_file'
                WHEN NOT bool_and(f.state = 'ready') THEN 'file_not_ready' END
      FROM unnest(ids) AS wanted (id)
      LEFT JOIN LATERAL (SELECT id, state FROM files
                          WHERE id = wanted.id AND owner_id = $2 AND state <> 'removed'
                            AND coalesce(due_at > now(), true) OFFSET 0) f ON true
$$;

-- Links a message's files to it, so that they are kept. A repeat finds its links.
CREATE FUNCTION messenger.link_files(message uuid) RETURNS void
LANGUAGE sql
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    INSERT INTO file_links (message_id, place, file_id, conversation_id)
    SELECT m.id, place, (file ->> 'file_id')::uuid, m.conversation_id
      FROM messages m CROSS JOIN LATERAL jsonb_array_elements(m.attachments) WITH ORDINALITY AS files (file, place)
     WHERE m.id = message
    ON CONFLICT DO NOTHING;
    UPDATE files f SET due_at = NULL
     WHERE f.id IN (SELECT file_id FROM file_links WHERE message_id = message) AND f.due_at IS NOT NULL
$$;

-- As in 0006, with mentions ({mentions: {user_ids, all}, entities} or null) and attachments (ids of files, or null) in
-- an item, and what the message carries of them in the answer. More verdicts:
--   mention_all_refused      the sender is no admin (who may be anybody in a direct), or there are more members than
--                            `all_members`
--   no_file, file_not_ready  as in file_refusal
-- The statement that stores messages does the same work as before; only a batch with mentions or files runs the
-- others. A file that is being sent is locked, so that its removal doesn't begin.
CREATE FUNCTION messenger.send_messages(batch jsonb, all_members integer)
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
                   mentions jsonb, is_crowd boolean, attachments uuid[]
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
               fingerprint(f.type, f.content), f.mentions,
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

-- Ends a message's files. Those that no other message has are due at once. The caller has the lock of the message's
-- conversation, and may delete the message.
CREATE FUNCTION messenger.unlink_files(message uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
    ids CONSTANT uuid[] := ARRAY(SELECT file_id FROM file_links l WHERE l.message_id = message
                                    AND (conversation_id IN (SELECT my_conversations()) OR is_server()));
BEGIN
    -- Locks first, so that of two messages that are deleted at once, one sees that the other is gone.
    PERFORM 1 FROM files WHERE id = ANY (ids) ORDER BY id FOR NO KEY UPDATE;
    DELETE FROM file_links WHERE message_id = message AND file_id = ANY (ids);
    UPDATE files f SET due_at = now()
     WHERE f.id = ANY (ids) AND NOT EXISTS (SELECT FROM file_links WHERE file_id = f.id);
END
$$;

REVOKE ALL ON messenger.files, messenger.file_links FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.describe_files(uuid[]), messenger.file_refusal(uuid[], bigint),
       messenger.link_files(uuid), messenger.send_messages(jsonb, integer), messenger.unlink_files(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.send_messages(jsonb, integer), messenger.unlink_files(uuid) TO messenger_chat;
GRANT EXECUTE ON FUNCTION messenger.describe_files(uuid[]), messenger.file_refusal(uuid[], bigint),
      messenger.link_files(uuid)
   TO messenger_definer;
GRANT SELECT, INSERT, DELETE ON messenger.files TO messenger_chat;
GRANT UPDATE (mime, kind, state, due_at) ON messenger.files TO messenger_chat;
GRANT SELECT ON messenger.file_links TO messenger_chat;
GRANT UPDATE (attachments) ON messenger.messages TO messenger_chat;
GRANT SELECT ON messenger.files TO messenger_definer;
GRANT UPDATE (due_at) ON messenger.files TO messenger_definer;
GRANT SELECT, INSERT, DELETE ON messenger.file_links TO messenger_definer;

ALTER TABLE messenger.files ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.file_links ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.files TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.file_links TO messenger_definer USING (true);

CREATE POLICY chat_select ON messenger.file_links FOR SELECT TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
-- The links that the user sees are those of their conversations.
CREATE POLICY chat_select ON messenger.files FOR SELECT TO messenger_chat
    USING (owner_id = (SELECT messenger.me())
           OR EXISTS (SELECT FROM messenger.file_links WHERE file_id = files.id));
CREATE POLICY chat_insert ON messenger.files FOR INSERT TO messenger_chat
    WITH CHECK (owner_id = (SELECT messenger.me()));
CREATE POLICY chat_update ON messenger.files FOR UPDATE TO messenger_chat
    USING (owner_id = (SELECT messenger.me()));
CREATE POLICY server_all ON messenger.files TO messenger_chat USING ((SELECT messenger.is_server()));

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.send_messages(jsonb, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.unlink_files(uuid) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
