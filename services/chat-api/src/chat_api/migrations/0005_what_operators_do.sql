-- What an operator may have done to a conversation that he is no member of: for nobody in particular.

-- Ends a conversation for everybody, as if each member had been removed: who they were, each with the pos of his
-- going. Nothing is deleted. Two whose direct conversation it was may begin another one.
CREATE FUNCTION messenger.close_conversation(conversation uuid)
RETURNS TABLE (user_id bigint, role text, pos bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    standing conversations;
BEGIN
    SELECT * INTO standing FROM conversations c
     WHERE c.id = conversation AND c.deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH gone AS (
        UPDATE conversation_participants p SET left_at = now(), pos = standing.last_pos + present.number
          FROM (SELECT user_id, row_number() OVER (ORDER BY user_id) AS number
                  FROM conversation_participants
                 WHERE conversation_id = conversation AND left_at IS NULL) present
         WHERE p.conversation_id = conversation AND p.user_id = present.user_id
        RETURNING p.user_id, p.role, p.pos
    ), closed AS (
        UPDATE conversations c
           SET last_pos = standing.last_pos + (SELECT count(*) FROM gone), deleted_at = now(), direct_key = NULL
         WHERE c.id = conversation
    )
    SELECT g.user_id, g.role, g.pos FROM gone g ORDER BY g.pos;
END
$$;

-- Stores a message that nobody wrote: of type system, its sender 0. A repeat by the same id finds the first one;
-- nothing is found where there is no such conversation.
CREATE FUNCTION messenger.post_system_message(conversation uuid, message uuid, content text)
RETURNS SETOF messenger.messages
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
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
        INSERT INTO messages (conversation_id, seq, id, pos, created_pos, sender_id, type, content, fingerprint)
        SELECT conversation, v.seq, message, v.pos, v.pos, 0, 'system', content, fingerprint('system', content)
          FROM moved v;
    END IF;
    RETURN QUERY SELECT m.* FROM messages m WHERE m.id = message AND m.conversation_id = conversation;
END
$$;

REVOKE ALL ON FUNCTION messenger.close_conversation(uuid) FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.post_system_message(uuid, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.close_conversation(uuid) TO messenger_chat;
GRANT EXECUTE ON FUNCTION messenger.post_system_message(uuid, uuid, text) TO messenger_chat;
GRANT UPDATE (deleted_at, direct_key) ON messenger.conversations TO messenger_definer;
GRANT UPDATE (left_at, pos) ON messenger.conversation_participants TO messenger_definer;
GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.close_conversation(uuid) OWNER TO messenger_definer;
ALTER FUNCTION messenger.post_system_message(uuid, uuid, text) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
