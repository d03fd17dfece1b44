-- Reactions to messages, and pinned messages. Each has a head row with the pos of its last change.

CREATE TABLE messenger.reactions (
    message_id      uuid NOT NULL REFERENCES messenger.messages (id),
    user_id         bigint NOT NULL,
    emoji           text NOT NULL,
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    -- The order of reactions.
    id              bigint GENERATED ALWAYS AS IDENTITY,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (message_id, user_id, emoji)
);
CREATE INDEX reactions_by_emoji ON messenger.reactions (message_id, emoji, id);
CREATE UNIQUE INDEX reactions_by_id ON messenger.reactions (message_id, id);

-- `counts` is what clients get: per emoji {emoji, count, user_ids}. It is counted from the rows whenever they
-- change, so that a page of messages needs no counting.
CREATE TABLE messenger.reaction_heads (
    message_id      uuid PRIMARY KEY REFERENCES messenger.messages (id),
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    pos             bigint NOT NULL,
    counts          jsonb NOT NULL
);
CREATE INDEX reaction_heads_by_pos ON messenger.reaction_heads (conversation_id, pos);

CREATE TABLE messenger.pins (
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    message_id      uuid NOT NULL REFERENCES messenger.messages (id),
    user_id         bigint NOT NULL,
    -- The order of pins.
    id              bigint GENERATED ALWAYS AS IDENTITY,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, message_id)
);
CREATE UNIQUE INDEX pins_by_id ON messenger.pins (conversation_id, id);
-- `user_id` made the last change.
CREATE TABLE messenger.pin_heads (
    conversation_id uuid PRIMARY KEY REFERENCES messenger.conversations,
    pos             bigint NOT NULL,
    user_id         bigint NOT NULL
);

-- Sets or removes reactions of many users in one round trip, and therefore checks each membership itself. An
-- item: {message_id, user_id, emoji, on}; `place` is its index. All changes of a message are one pos.
-- `roles` may react. verdict: set | unchanged | not_found | not_member | forbidden | reaction_limit.
-- Every allowed item has the message's state after the batch: pos, counts, and the emoji of its user (mine).
CREATE FUNCTION messenger.set_reactions(batch jsonb, roles text[], max_emoji integer)
RETURNS TABLE (place integer, verdict text, conversation_id uuid, pos bigint, counts jsonb, mine text[])
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    item record;
    verdicts text[] := '{}';
    changed uuid[] := '{}';
    message uuid;
    room uuid;
    new_pos bigint;
BEGIN
    -- Locks first, in id order, so that two batches can't wait for each other.
    PERFORM 1 FROM conversations WHERE id = ANY (ARRAY(
               SELECT DISTINCT m.conversation_id FROM jsonb_array_elements(batch) AS row
                 JOIN messages m ON m.id = (row ->> 'message_id')::uuid))
     ORDER BY id FOR NO KEY UPDATE;

    FOR item IN
        SELECT (row ->> 'message_id')::uuid AS message_id, (row ->> 'user_id')::bigint AS user_id,
               m.conversation_id, row ->> 'emoji' AS emoji, (row ->> 'on')::boolean AS is_on,
               CASE WHEN p.user_id IS NULL OR c.deleted_at IS NOT NULL THEN 'not_found'
                    WHEN p.left_at IS NOT NULL THEN 'not_member'
                    WHEN m.deleted_at IS NOT NULL OR EXISTS (
                         SELECT FROM participant_absences a
                          WHERE a.conversation_id = c.id AND a.user_id = p.user_id
                            AND m.seq > a.from_seq AND m.seq <= a.to_seq) THEN 'not_found'
                    WHEN p.role <> ALL (roles) THEN 'forbidden'
                    ELSE 'allowed' END AS ruling
          FROM jsonb_array_elements(batch) WITH ORDINALITY AS input (row, number)
          LEFT JOIN LATERAL (SELECT * FROM messages WHERE id = (row ->> 'message_id')::uuid OFFSET 0) m ON true
          LEFT JOIN LATERAL (SELECT * FROM conversations WHERE id = m.conversation_id OFFSET 0) c ON true
          LEFT JOIN LATERAL (SELECT * FROM conversation_participants
                              WHERE conversation_id = c.id AND user_id = (row ->> 'user_id')::bigint OFFSET 0) p
                 ON true
         ORDER BY number
    LOOP
        IF item.ruling <> 'allowed' THEN
            verdicts := verdicts || item.ruling;
        ELSIF NOT item.is_on THEN
            DELETE FROM reactions
             WHERE message_id = item.message_id AND user_id = item.user_id AND emoji = item.emoji;
            verdicts := verdicts || CASE WHEN FOUND THEN 'set' ELSE 'unchanged' END;
        ELSIF NOT EXISTS (SELECT FROM reactions WHERE message_id = item.message_id AND emoji = item.emoji)
              AND (SELECT count(DISTINCT emoji) FROM reactions WHERE message_id = item.message_id) >= max_emoji
        THEN
            verdicts := verdicts || 'reaction_limit'::text;
        ELSE
            INSERT INTO reactions (message_id, user_id, emoji, conversation_id)
            VALUES (item.message_id, item.user_id, item.emoji, item.conversation_id) ON CONFLICT DO NOTHING;
            verdicts := verdicts || CASE WHEN FOUND THEN 'set' ELSE 'unchanged' END;
        END IF;
        IF verdicts[cardinality(verdicts)] = 'set' AND item.message_id <> ALL (changed) THEN
            changed := changed || item.message_id;
        END IF;
    END LOOP;

    FOREACH message IN ARRAY changed LOOP
        UPDATE conversations c SET last_pos = last_pos + 1
          FROM messages m WHERE m.id = message AND c.id = m.conversation_id
        RETURNING c.id, c.last_pos INTO room, new_pos;
        INSERT INTO reaction_heads AS h (message_id, conversation_id, pos, counts)
        VALUES (message, room, new_pos, messenger.count_reactions(message))
        ON CONFLICT (message_id) DO UPDATE SET pos = excluded.pos, counts = excluded.counts;
    END LOOP;

    RETURN QUERY
    SELECT (number - 1)::integer, verdicts[number],
           m.conversation_id, coalesce(h.pos, 0), coalesce(h.counts, '[]'),
           ARRAY(SELECT r.emoji FROM reactions r
                  WHERE r.message_id = m.id AND r.user_id = (row ->> 'user_id')::bigint ORDER BY r.id)
      FROM jsonb_array_elements(batch) WITH ORDINALITY AS input (row, number)
      LEFT JOIN LATERAL (SELECT * FROM messages WHERE id = (row ->> 'message_id')::uuid
                            AND verdicts[number] IN ('set', 'unchanged') OFFSET 0) m ON true
      LEFT JOIN LATERAL (SELECT * FROM reaction_heads WHERE message_id = m.id OFFSET 0) h ON true;
END
$$;

-- What clients get of a message's reactions: the emoji in the order of first use, the first three users of each.
CREATE FUNCTION messenger.count_reactions(message uuid) RETURNS jsonb
LANGUAGE sql STABLE
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('emoji', emoji, 'count', count, 'user_ids', user_ids)
                              ORDER BY first_id), '[]')
      FROM (SELECT emoji, count(*) AS count, min(id) AS first_id,
                   ARRAY(SELECT f.user_id FROM reactions f
                          WHERE f.message_id = message AND f.emoji = r.emoji ORDER BY f.id LIMIT 3) AS user_ids
              FROM reactions r WHERE r.message_id = message GROUP BY emoji) counted
$$;

-- What is asked for nobody in particular: gateways that catch up for all their members.
CREATE FUNCTION messenger.changed_reactions(conversation uuid, after_pos bigint, at_most integer)
RETURNS SETOF messenger.reaction_heads
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT h.* FROM reaction_heads h
     WHERE h.conversation_id = $1 AND h.pos > $2 ORDER BY h.pos LIMIT $3
$$;

CREATE FUNCTION messenger.changed_pins(conversation uuid, after_pos bigint, at_most integer)
RETURNS TABLE (pos bigint, user_id bigint, message_ids uuid[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT h.pos, h.user_id, ARRAY(SELECT p.message_id FROM pins p
                                    WHERE p.conversation_id = $1 ORDER BY p.id DESC LIMIT $3)
      FROM pin_heads h WHERE h.conversation_id = $1 AND h.pos > $2
$$;

REVOKE ALL ON messenger.reactions, messenger.reaction_heads, messenger.pins, messenger.pin_heads FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.set_reactions(jsonb, text[], integer), messenger.count_reactions(uuid),
       messenger.changed_reactions(uuid, bigint, integer), messenger.changed_pins(uuid, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.set_reactions(jsonb, text[], integer),
      messenger.changed_reactions(uuid, bigint, integer), messenger.changed_pins(uuid, bigint, integer)
   TO messenger_chat;
GRANT EXECUTE ON FUNCTION messenger.count_reactions(uuid) TO messenger_definer;
GRANT SELECT, DELETE ON messenger.reactions, messenger.reaction_heads TO messenger_chat;
GRANT SELECT, INSERT, DELETE ON messenger.pins TO messenger_chat;
GRANT SELECT, INSERT ON messenger.pin_heads TO messenger_chat;
GRANT UPDATE (pos, user_id) ON messenger.pin_heads TO messenger_chat;
GRANT SELECT, INSERT, DELETE ON messenger.reactions TO messenger_definer;
GRANT SELECT, INSERT ON messenger.reaction_heads TO messenger_definer;
GRANT UPDATE (pos, counts) ON messenger.reaction_heads TO messenger_definer;
GRANT SELECT ON messenger.pins, messenger.pin_heads, messenger.participant_absences TO messenger_definer;

ALTER TABLE messenger.reactions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.reaction_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.pins ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.pin_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.reactions TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.reaction_heads TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.pins TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.pin_heads TO messenger_definer USING (true);

CREATE POLICY chat_select ON messenger.reactions FOR SELECT TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_delete ON messenger.reactions FOR DELETE TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_select ON messenger.reaction_heads FOR SELECT TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_delete ON messenger.reaction_heads FOR DELETE TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
-- Who may pin is for the rules to say.
CREATE POLICY chat_all ON messenger.pins TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_all ON messenger.pin_heads TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY server_all ON messenger.reactions TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.reaction_heads TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.pins TO messenger_chat USING ((SELECT messenger.is_server()));

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.set_reactions(jsonb, text[], integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.changed_reactions(uuid, bigint, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.changed_pins(uuid, bigint, integer) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
