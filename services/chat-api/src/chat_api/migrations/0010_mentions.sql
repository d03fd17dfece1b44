-- Mentions of members in messages, and how much of a conversation notifies a member.

ALTER TABLE messenger.notification_settings
  ADD COLUMN notify text NOT NULL DEFAULT 'all' CHECK (notify IN ('all', 'mentions', 'none'));
-- What the message carries: {mentions: {user_ids, all}}, and entities if there are any.
ALTER TABLE messenger.messages ADD COLUMN mentions jsonb;

-- Whom a message mentions, to count and to list by user. A message that mentions all has one row, with the user 0:
-- a row per member would make a send in a conversation of a thousand write thousands of pages. The sender has no row.
CREATE TABLE messenger.mentions (
    conversation_id uuid NOT NULL,
    user_id         bigint NOT NULL,
    seq             bigint NOT NULL,
    sender_id       bigint NOT NULL,
    -- The order of mentions.
    id              bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (conversation_id, user_id, seq) INCLUDE (sender_id),
    FOREIGN KEY (conversation_id, seq) REFERENCES messenger.messages
);
CREATE UNIQUE INDEX mentions_by_user ON messenger.mentions (user_id, id);
CREATE UNIQUE INDEX mentions_of_all ON messenger.mentions (conversation_id, id) WHERE user_id = 0;

-- What remains of the wanted mentions: of user_ids and entities those of members. Null if nothing does.
CREATE FUNCTION messenger.effective_mentions(conversation uuid, wanted jsonb) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    WITH members AS MATERIALIZED (
        SELECT w.id, w.place
          FROM jsonb_array_elements(wanted #> '{mentions,user_ids}') WITH ORDINALITY AS w (id, place)
         CROSS JOIN LATERAL (SELECT FROM conversation_participants
                              WHERE conversation_id = conversation AND user_id = w.id::bigint AND left_at IS NULL
                             OFFSET 0) p
    ), kept AS (
        SELECT jsonb_agg(e.entity ORDER BY e.place) AS entities
          FROM jsonb_array_elements(wanted -> 'entities') WITH ORDINALITY AS e (entity, place)
         WHERE e.entity -> 'user_id' IN (SELECT id FROM members)
    ), named AS (
        SELECT coalesce(jsonb_agg(id ORDER BY place), '[]') AS user_ids FROM members
    )
    SELECT jsonb_build_object('mentions', jsonb_build_object('user_ids', user_ids, 'all', wanted #> '{mentions,all}'))
           || CASE WHEN entities IS NULL THEN '{}' ELSE jsonb_build_object('entities', entities) END
      FROM named, kept WHERE user_ids <> '[]' OR (wanted #> '{mentions,all}')::boolean
$$;

-- The user_id of each row that a message's mentions have in `mentions`.
CREATE FUNCTION messenger.mention_rows(mentions jsonb, sender_id bigint) RETURNS SETOF bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 5
AS $$
    SELECT 0 WHERE (mentions #> '{mentions,all}')::boolean
    UNION ALL
    SELECT id::bigint FROM jsonb_array_elements(mentions #> '{mentions,user_ids}') AS id
     WHERE NOT (mentions #> '{mentions,all}')::boolean AND id::bigint <> sender_id
$$;

CREATE FUNCTION messenger.has_more_members(conversation uuid, than integer) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT count(*) > than FROM (SELECT FROM conversation_participants
                                  WHERE conversation_id = conversation AND left_at IS NULL LIMIT than + 1) members
$$;

-- As in 0006, with mentions: {mentions: {user_ids, all}, entities} or null in an item, and what remains of them in
-- the answer. One more verdict:
--   mention_all_refused  the sender is no admin (who may be anybody in a direct), or there are more members than
--                        `all_members`
-- The statement that stores messages does the same work as before; only a batch with mentions runs the others.
CREATE FUNCTION messenger.send_messages(batch jsonb, all_members integer)
RETURNS TABLE (place integer, verdict text, stored_id uuid, seq bigint, pos bigint, created_at text, mentions jsonb)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
    has_mentions CONSTANT boolean := batch @> '[{"mentions": {}}]';
BEGIN
    -- Locks first, in id order, so that two batches can't wait for each other. What follows is a statement
    -- of its own and therefore sees everything that was committed before the locks were granted.
    PERFORM 1 FROM conversations
     WHERE id = ANY (ARRAY(
               SELECT DISTINCT (row ->> 'conversation_id')::uuid FROM jsonb_array_elements(batch) AS row))
     ORDER BY id FOR NO KEY UPDATE;

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
                   mentions jsonb, is_crowd boolean
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
                              file_url, file_name, file_size, reply_to, fingerprint, mentions)
        SELECT f.conversation_id, m.seq + f.number, f.id, m.pos + f.number, m.pos + f.number, f.sender_id,
               f.client_message_id, f.type, f.content, f.file_url, f.file_name, f.file_size, f.reply_to,
               fingerprint(f.type, f.content), f.mentions
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
           j.known_id, n.seq, n.pos, messenger.to_wire(n.created_at), j.mentions
      FROM judged j LEFT JOIN inserted n ON n.id = j.id AND j.known_id IS NULL;

    IF has_mentions THEN
        PERFORM add_mentions((item ->> 'id')::uuid)
           FROM jsonb_array_elements(batch) WITH ORDINALITY AS input (item, number)
          WHERE item @> '{"mentions": {}}' ORDER BY number;
    END IF;
END
$$;

-- Adds the rows of the mentions that a message has now. What is there already stays, with its place in the order.
CREATE FUNCTION messenger.add_mentions(message uuid) RETURNS void
LANGUAGE sql
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    INSERT INTO mentions (conversation_id, user_id, seq, sender_id)
    SELECT m.conversation_id, rows.user_id, m.seq, m.sender_id
      FROM messages m CROSS JOIN LATERAL messenger.mention_rows(m.mentions, m.sender_id) AS rows (user_id)
     WHERE m.id = message
    ON CONFLICT DO NOTHING
$$;

-- As in 0005, with mentions as in send_messages. How many members there are is for the caller to check.
CREATE FUNCTION messenger.post_system_message(conversation uuid, message uuid, content text, wanted jsonb)
RETURNS SETOF messenger.messages
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_variable
BEGIN
    PERFORM 1 FROM conversations c WHERE c.id = conversation AND c.deleted_at IS NULL FOR NO KEY UPDATE;
    IF FOUND AND NOT EXISTS (SELECT FROM messages m WHERE m.id = message) THEN
        WITH moved AS (
            UPDATE conversations c
               SET last_seq = c.last_seq + 1, last_pos = c.last_pos + 1, last_message_at = now()
             WHERE c.id = conversation
            RETURNING c.last_seq AS seq, c.last_pos AS pos
        )
        INSERT INTO messages (conversation_id, seq, id, pos, created_pos, sender_id, type, content, fingerprint, mentions)
        SELECT conversation, v.seq, message, v.pos, v.pos, 0, 'system', content, fingerprint('system', content),
               effective_mentions(conversation, wanted)
          FROM moved v;
        PERFORM add_mentions(message);
    END IF;
    RETURN QUERY SELECT m.* FROM messages m WHERE m.id = message AND m.conversation_id = conversation;
END
$$;

-- What those of `users` who are members have not read: for users whom an edit by the acting user mentions. It counts
-- as the service's own statements do, which row-level security binds to one user.
CREATE FUNCTION messenger.unread_of(conversation uuid, users bigint[])
RETURNS TABLE (user_id bigint, read_seq bigint, unread bigint, unread_mentions bigint, last_seq bigint,
               marked_from bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 50
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT p.user_id, coalesce(r.last_read_seq, 0),
           c.last_seq - a.seq - coalesce(k.passed, 0) - (
               SELECT count(*) FROM messages m
                WHERE m.conversation_id = c.id AND m.seq > a.seq AND m.deleted_at IS NOT NULL
                  AND m.sender_id <> p.user_id AND NOT EXISTS (
                      SELECT FROM participant_absences b
                       WHERE b.conversation_id = c.id AND b.user_id = p.user_id
                         AND m.seq > b.from_seq AND m.seq <= b.to_seq)),
           (SELECT count(*) FROM mentions m
             WHERE m.conversation_id = c.id AND m.user_id IN (p.user_id, 0) AND m.seq > a.seq
               AND m.sender_id <> p.user_id AND (m.user_id <> 0 OR m.seq > p.joined_seq) AND NOT EXISTS (
                   SELECT FROM participant_absences b
                    WHERE b.conversation_id = c.id AND b.user_id = p.user_id
                      AND m.seq > b.from_seq AND m.seq <= b.to_seq)),
           c.last_seq, k.from_seq
      FROM conversations c
      JOIN conversation_participants p ON p.conversation_id = c.id AND p.user_id = ANY (users) AND p.left_at IS NULL
      LEFT JOIN read_receipts r ON r.conversation_id = c.id AND r.user_id = p.user_id
      LEFT JOIN unread_marks k ON k.user_id = p.user_id AND k.conversation_id = c.id
            AND k.joined_pos = p.joined_pos AND k.read_seq = coalesce(r.last_read_seq, 0)
     CROSS JOIN LATERAL (SELECT coalesce(k.from_seq - 1, r.last_read_seq, 0) AS seq) a
     WHERE c.id = conversation AND conversation IN (SELECT my_conversations())
$$;

REVOKE ALL ON messenger.mentions FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.effective_mentions(uuid, jsonb), messenger.mention_rows(jsonb, bigint),
       messenger.has_more_members(uuid, integer), messenger.send_messages(jsonb, integer),
       messenger.add_mentions(uuid), messenger.post_system_message(uuid, uuid, text, jsonb),
       messenger.unread_of(uuid, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.effective_mentions(uuid, jsonb), messenger.mention_rows(jsonb, bigint),
      messenger.has_more_members(uuid, integer), messenger.send_messages(jsonb, integer),
      messenger.add_mentions(uuid), messenger.post_system_message(uuid, uuid, text, jsonb),
      messenger.unread_of(uuid, bigint[])
   TO messenger_chat;
GRANT EXECUTE ON FUNCTION messenger.effective_mentions(uuid, jsonb), messenger.mention_rows(jsonb, bigint),
      messenger.has_more_members(uuid, integer), messenger.add_mentions(uuid) TO messenger_definer;
GRANT SELECT, INSERT, DELETE ON messenger.mentions TO messenger_chat, messenger_definer;
GRANT UPDATE (mentions) ON messenger.messages TO messenger_chat;
GRANT UPDATE (notify) ON messenger.notification_settings TO messenger_chat;

ALTER TABLE messenger.mentions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.mentions TO messenger_definer USING (true);
-- The members see in each message whom it mentions. An edit and a deletion change the rows of others.
CREATE POLICY chat_all ON messenger.mentions TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY server_all ON messenger.mentions TO messenger_chat USING ((SELECT messenger.is_server()));

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.has_more_members(uuid, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.send_messages(jsonb, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.post_system_message(uuid, uuid, text, jsonb) OWNER TO messenger_definer;
ALTER FUNCTION messenger.unread_of(uuid, bigint[]) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
