-- Where many users are members, for a gateway at which they arrive together: asked for nobody in particular.
CREATE FUNCTION messenger.memberships(users bigint[])
RETURNS TABLE (user_id bigint, conversation_id uuid, last_pos bigint, returned_pos bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
-- The planner doesn't know how few they are, and would rather read whole tables.
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT p.user_id, c.id, c.last_pos, coalesce((
               SELECT p.joined_pos FROM participant_absences a
                WHERE a.conversation_id = p.conversation_id AND a.user_id = p.user_id LIMIT 1), 0)
      FROM unnest($1) AS wanted (id)
      JOIN conversation_participants p ON p.user_id = wanted.id AND p.left_at IS NULL
      JOIN conversations c ON c.id = p.conversation_id AND c.deleted_at IS NULL
$$;
REVOKE ALL ON FUNCTION messenger.memberships(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.memberships(bigint[]) TO messenger_chat;
GRANT SELECT ON messenger.participant_absences TO messenger_definer;
CREATE POLICY definer ON messenger.participant_absences TO messenger_definer USING (true);
GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.memberships(bigint[]) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
