-- What searches read past the policies: always of the acting user's own conversations, and never a text of a message.

-- The titles of the acting user's conversations, newest activity first, `at_once` in a row: [[activity, id, title]].
-- A direct conversation's title is the other member's name. Activity counts microseconds since 1970; with
-- `up_to`, only what isn't above it. Those without a title are left out, and those that the user has hidden.
CREATE FUNCTION messenger.my_titles(at_once integer, up_to bigint) RETURNS TABLE (titles jsonb)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT jsonb_agg(jsonb_build_array(activity, id, title) ORDER BY place)
      FROM (SELECT activity, id, title, row_number() OVER (ORDER BY activity DESC, id DESC) AS place
              FROM (SELECT c.id, coalesce(other.name, c.title) AS title,
                           (extract(epoch FROM coalesce(c.last_message_at, c.created_at)) * 1000000)::bigint AS activity
                      FROM conversation_participants p
                     CROSS JOIN LATERAL (SELECT * FROM conversations v WHERE v.id = p.conversation_id LIMIT 1) c
                      LEFT JOIN LATERAL (
                           SELECT u.name FROM conversation_participants o JOIN users u ON u.id = o.user_id
                            WHERE c.type = 'direct' AND o.conversation_id = c.id
                            ORDER BY o.user_id = me() LIMIT 1) other ON true
                     WHERE p.user_id = me() AND p.left_at IS NULL AND c.deleted_at IS NULL
                       AND (p.hidden_seq IS NULL OR p.hidden_seq < c.last_seq)) mine
             WHERE title IS NOT NULL AND (up_to IS NULL OR activity <= up_to)) numbered
     GROUP BY (place - 1) / at_once ORDER BY (place - 1) / at_once
$$;

REVOKE ALL ON FUNCTION messenger.my_titles(integer, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.my_titles(integer, bigint) TO messenger_chat;

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.my_titles(integer, bigint) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
