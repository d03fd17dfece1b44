-- Files are examined before they are ready: previews are made, and scanners asked. Gateways do that, and take the
-- files from a queue. When a file's state changes, messages that have it change, each at a pos of its own.

-- `pending`: complete, and being examined. `rejected`: nobody gets the bytes; messages still name the file.
ALTER TABLE messenger.files DROP CONSTRAINT files_state_check;
ALTER TABLE messenger.files ADD CONSTRAINT files_state_check
    CHECK (state IN ('open', 'pending', 'ready', 'rejected', 'removed'));
ALTER TABLE messenger.files
    ADD COLUMN width       integer,
    ADD COLUMN height      integer,
    ADD COLUMN blurhash    text,
    ADD COLUMN duration_ms bigint,
    -- The longest sides of the previews that there are.
    ADD COLUMN thumbs      integer[],
    -- When a gateway may take the file: to examine it, or to remove the bytes of a rejected one. This is the queue.
    -- A gateway that takes a file moves the moment, so that the file comes again if that gateway dies.
    ADD COLUMN process_at  timestamptz,
    -- How often the file was taken.
    ADD COLUMN attempts    integer NOT NULL DEFAULT 0;
CREATE INDEX files_to_process ON messenger.files (process_at) WHERE process_at IS NOT NULL;

-- The pos of the last change of a message's files. What they are now is in `messages.attachments`.
CREATE TABLE messenger.file_heads (
    message_id      uuid PRIMARY KEY REFERENCES messenger.messages (id),
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    pos             bigint NOT NULL
);
CREATE INDEX file_heads_by_pos ON messenger.file_heads (conversation_id, pos);

-- As in 0011, with width, height, blurhash, duration_ms and thumbs of files that have them.
CREATE OR REPLACE FUNCTION messenger.describe_files(ids uuid[]) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
               'file_id', f.id, 'name', f.name, 'size', f.size, 'mime', f.mime, 'kind', f.kind, 'state', f.state,
               'width', f.width, 'height', f.height, 'blurhash', f.blurhash, 'duration_ms', f.duration_ms,
               'thumbs', nullif(f.thumbs, '{}'))) ORDER BY place)
      FROM unnest(ids) WITH ORDINALITY AS wanted (id, place)
     CROSS JOIN LATERAL (SELECT * FROM files WHERE id = wanted.id OFFSET 0) f
$$;

-- As in 0011, for files that may be pending. One that was rejected is as good as none. All messages of a pending file
-- change at once when it is settled, so it can't be in many: after a hundred, file_not_ready.
CREATE OR REPLACE FUNCTION messenger.file_refusal(ids uuid[], sender_id bigint) RETURNS text
LANGUAGE sql STABLE
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT CASE WHEN NOT bool_and(f.id IS NOT NULL) THEN 'no_file'
                WHEN NOT bool_and(f.state = 'ready' OR f.state = 'pending' AND (
                     SELECT count(*) FROM (SELECT FROM file_links l WHERE l.file_id = f.id LIMIT 100) linked) < 100)
                     THEN 'file_not_ready' END
      FROM unnest(ids) AS wanted (id)
      LEFT JOIN LATERAL (SELECT id, state FROM files
                          WHERE id = wanted.id AND owner_id = $2 AND state NOT IN ('rejected', 'removed')
                            AND coalesce(due_at > now(), true) OFFSET 0) f ON true
$$;

-- Ends the examination of a pending file with its `outcome`: state (ready or rejected), mime, kind, size, width,
-- height, blurhash, duration_ms, thumbs. Messages that have the file carry its new state, and each takes a pos.
-- verdict: settled | again (the file was sent meanwhile: call again, nothing has changed) | not_found.
-- A row per message that has the file, and one without a message if there is none. A repeat returns the same rows.
CREATE FUNCTION messenger.settle_file(file uuid, outcome jsonb)
RETURNS TABLE (verdict text, message_id uuid, conversation_id uuid, pos bigint, attachments jsonb)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    rooms CONSTANT uuid[] := ARRAY(SELECT DISTINCT conversation_id FROM file_links WHERE file_id = file);
    present text;
    message record;
    new_pos bigint;
BEGIN
    -- Locks first, in the order of send_messages: conversations in id order, then the file. While the file is
    -- locked, nobody sends it.
    PERFORM 1 FROM conversations WHERE id = ANY (rooms) ORDER BY id FOR NO KEY UPDATE;
    SELECT state INTO present FROM files WHERE id = file FOR NO KEY UPDATE;
    IF present IS NULL OR present NOT IN ('pending', 'ready', 'rejected') THEN
        RETURN QUERY SELECT 'not_found', NULL::uuid, NULL::uuid, NULL::bigint, NULL::jsonb;
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM file_links WHERE file_id = file AND conversation_id <> ALL (rooms)) THEN
        RETURN QUERY SELECT 'again', NULL::uuid, NULL::uuid, NULL::bigint, NULL::jsonb;
        RETURN;
    END IF;

    IF present = 'pending' THEN
        UPDATE files f
           SET state = n.state, mime = n.mime, kind = n.kind, size = n.size, width = n.width, height = n.height,
               blurhash = n.blurhash, duration_ms = n.duration_ms, thumbs = n.thumbs,
               -- The gateway removes the bytes now. If it dies, another one does.
               process_at = CASE n.state WHEN 'rejected' THEN now() + interval '1 minute' END
          FROM jsonb_to_record(outcome) AS n (state text, mime text, kind text, size bigint, width integer,
                                            height integer, blurhash text, duration_ms bigint, thumbs integer[])
         WHERE f.id = file;
        FOR message IN
            SELECT m.id, m.conversation_id FROM file_links l JOIN messages m ON m.id = l.message_id
             WHERE l.file_id = file ORDER BY m.conversation_id, m.seq
        LOOP
            UPDATE conversations SET last_pos = last_pos + 1 WHERE id = message.conversation_id
            RETURNING last_pos INTO new_pos;
            INSERT INTO file_heads AS h (message_id, conversation_id, pos)
            VALUES (message.id, message.conversation_id, new_pos)
            ON CONFLICT (message_id) DO UPDATE SET pos = excluded.pos;
            UPDATE messages SET attachments = describe_files(ARRAY(
                       SELECT file_id FROM file_links WHERE message_id = message.id ORDER BY place))
             WHERE id = message.id;
        END LOOP;
    END IF;

    RETURN QUERY
    SELECT 'settled', m.id, m.conversation_id, h.pos, m.attachments
      FROM (SELECT) one
      LEFT JOIN (file_links l JOIN file_heads h ON h.message_id = l.message_id JOIN messages m ON m.id = l.message_id)
             ON l.file_id = file
     ORDER BY m.conversation_id, h.pos;
END
$$;

-- What is asked for nobody in particular: gateways that catch up for all their members. A deleted message has no
-- attachments.
CREATE FUNCTION messenger.changed_files(conversation uuid, after_pos bigint, at_most integer)
RETURNS TABLE (message_id uuid, pos bigint, attachments jsonb)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT h.message_id, h.pos, m.attachments FROM file_heads h JOIN messages m ON m.id = h.message_id
     WHERE h.conversation_id = $1 AND h.pos > $2 AND m.attachments IS NOT NULL ORDER BY h.pos LIMIT $3
$$;

REVOKE ALL ON messenger.file_heads FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.settle_file(uuid, jsonb), messenger.changed_files(uuid, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.settle_file(uuid, jsonb), messenger.changed_files(uuid, bigint, integer)
   TO messenger_chat;
GRANT SELECT, DELETE ON messenger.file_heads TO messenger_chat;
GRANT UPDATE (process_at, attempts) ON messenger.files TO messenger_chat;
GRANT SELECT, INSERT ON messenger.file_heads TO messenger_definer;
GRANT UPDATE (pos) ON messenger.file_heads TO messenger_definer;
GRANT UPDATE (state, mime, kind, size, width, height, blurhash, duration_ms, thumbs, process_at)
   ON messenger.files TO messenger_definer;
GRANT UPDATE (attachments) ON messenger.messages TO messenger_definer;

ALTER TABLE messenger.file_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.file_heads TO messenger_definer USING (true);
CREATE POLICY chat_select ON messenger.file_heads FOR SELECT TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_delete ON messenger.file_heads FOR DELETE TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY server_all ON messenger.file_heads TO messenger_chat USING ((SELECT messenger.is_server()));
-- What is examined is not for its owner to change: the release before would make such a file ready.
ALTER POLICY chat_update ON messenger.files
    USING (owner_id = (SELECT messenger.me()) AND state NOT IN ('pending', 'rejected'))
    WITH CHECK (owner_id = (SELECT messenger.me()));

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.settle_file(uuid, jsonb) OWNER TO messenger_definer;
ALTER FUNCTION messenger.changed_files(uuid, bigint, integer) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
