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
       messenger.has_more_members(uuid, integer), messenger.add_mentions(uuid),
       messenger.post_system_message(uuid, uuid, text, jsonb), messenger.unread_of(uuid, bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.effective_mentions(uuid, jsonb), messenger.mention_rows(jsonb, bigint),
      messenger.has_more_members(uuid, integer), messenger.add_mentions(uuid),
      messenger.post_system_message(uuid, uuid, text, jsonb), messenger.unread_of(uuid, bigint[])
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
ALTER FUNCTION messenger.post_system_message(uuid, uuid, text, jsonb) OWNER TO messenger_definer;
ALTER FUNCTION messenger.unread_of(uuid, bigint[]) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
