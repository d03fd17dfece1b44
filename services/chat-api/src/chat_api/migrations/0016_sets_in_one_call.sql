-- Policies ask for these sets once per statement. In PL/pgSQL all rows come by one call; in SQL each row is a call of its
-- own, with settings to set and to reset, which takes twice as long for a user in a thousand conversations.
GRANT CREATE ON SCHEMA messenger TO messenger_definer;
SET LOCAL ROLE messenger_definer;

CREATE OR REPLACE FUNCTION messenger.my_conversations() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY SELECT conversation_id FROM conversation_participants WHERE user_id = me() AND left_at IS NULL;
END
$$;

CREATE OR REPLACE FUNCTION messenger.my_past_and_present() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    RETURN QUERY SELECT conversation_id FROM conversation_participants WHERE user_id = me();
END
$$;

RESET ROLE;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
