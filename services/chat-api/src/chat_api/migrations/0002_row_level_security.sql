-- The second wall: the service's role sees and changes what the acting user may, whatever a statement forgets.
-- shared/docs/decisions/0008 has the reasons. Two roles, for all databases of the server:
--   messenger_chat     the service; it owns nothing, and app.user_id says for whom it acts
--   messenger_definer  owns the functions that look past the policies, and nobody logs in as it
-- An operator whose migrations may not create roles creates both, and grants messenger_definer to their role.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['messenger_chat', 'messenger_definer'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;  -- A migration of another database was faster.
            END;
        END IF;
    END LOOP;
    IF NOT pg_has_role('messenger_definer', 'SET') THEN
        -- To hand functions over, and not to share its rights: the tables' owner stays behind the policies too.
        EXECUTE format('GRANT messenger_definer TO %I WITH INHERIT FALSE, SET TRUE', current_user);
    END IF;
END
$$;

-- One index for what a user is in, was in, and administers; the earlier one held the first alone.
DROP INDEX messenger.conversation_participants_by_user;
CREATE INDEX conversation_participants_by_user
    ON messenger.conversation_participants (user_id, conversation_id) INCLUDE (left_at, role);

-- For whom the transaction acts. Once it was set in a session, the setting is '' and not NULL without a user.
CREATE FUNCTION messenger.me() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.user_id', true), '')::bigint;

-- Where he is now, administers, and is or ever was. As sets, so that a policy asks once per statement.
CREATE FUNCTION messenger.my_conversations() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT conversation_id FROM conversation_participants WHERE user_id = me() AND left_at IS NULL
$$;

CREATE FUNCTION messenger.my_administered() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT conversation_id FROM conversation_participants
     WHERE user_id = me() AND left_at IS NULL AND role = 'admin'
$$;

CREATE FUNCTION messenger.my_past_and_present() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT conversation_id FROM conversation_participants WHERE user_id = me()
$$;

-- Whether he has just created this conversation, and nobody is in it yet.
CREATE FUNCTION messenger.is_mine_to_fill(conversation uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT EXISTS (SELECT FROM conversations WHERE id = conversation AND created_by = me())
       AND NOT EXISTS (SELECT FROM conversation_participants WHERE conversation_id = conversation)
$$;

-- Where a message is, if he is or was there: who has left may be told so, without seeing the message.
CREATE FUNCTION messenger.conversation_of(message uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT m.conversation_id
      FROM messages m
      JOIN conversation_participants p ON p.conversation_id = m.conversation_id AND p.user_id = me()
     WHERE m.id = message
$$;

-- What is asked for nobody in particular: gateways that catch up for all their members.
CREATE FUNCTION messenger.heads(conversations uuid[]) RETURNS TABLE (id uuid, last_pos bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT c.id, c.last_pos FROM conversations c WHERE c.id = ANY ($1)
$$;

CREATE FUNCTION messenger.changed_messages(conversation uuid, after_pos bigint, at_most integer)
RETURNS SETOF messenger.messages
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT m.* FROM messages m WHERE m.conversation_id = $1 AND m.pos > $2 ORDER BY m.pos LIMIT $3
$$;

CREATE FUNCTION messenger.changed_participants(conversation uuid, after_pos bigint, at_most integer)
RETURNS TABLE (user_id bigint, role text, pos bigint, joined_pos bigint, is_left boolean)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT p.user_id, p.role, p.pos, p.joined_pos, p.left_at IS NOT NULL
      FROM conversation_participants p WHERE p.conversation_id = $1 AND p.pos > $2 ORDER BY p.pos LIMIT $3
$$;

CREATE FUNCTION messenger.title_change(conversation uuid, after_pos bigint)
RETURNS TABLE (pos bigint, id uuid, type text, title text, created_by bigint, created_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT c.title_pos, c.id, c.type, c.title, c.created_by, c.created_at
      FROM conversations c WHERE c.id = $1 AND c.title_pos > $2
$$;

-- The messages among these that are by the sender in the same place: the repeats of a batch of many senders.
CREATE FUNCTION messenger.sent_messages(ids uuid[], senders bigint[]) RETURNS SETOF messenger.messages
LANGUAGE sql STABLE SECURITY DEFINER ROWS 10
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT m.* FROM unnest($1, $2) AS wanted (id, sender_id)
      JOIN messages m ON m.id = wanted.id AND m.sender_id = wanted.sender_id
$$;

-- Writes for many users at once, and therefore checks each membership itself. The planner takes any batch for a
-- hundred rows, for which it would read whole tables: a single send costs five times as much then.
ALTER FUNCTION messenger.send_messages(jsonb) SECURITY DEFINER SET enable_seqscan = off;

REVOKE ALL ON ALL TABLES IN SCHEMA messenger FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA messenger FROM PUBLIC;
GRANT USAGE ON SCHEMA messenger TO messenger_chat, messenger_definer;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA messenger TO messenger_chat;
GRANT EXECUTE ON FUNCTION messenger.me(), messenger.to_wire(timestamptz) TO messenger_definer;

GRANT SELECT ON messenger.conversations, messenger.conversation_participants, messenger.participant_absences,
      messenger.messages, messenger.message_versions, messenger.read_receipts,
      messenger.notification_settings TO messenger_chat;
GRANT INSERT ON messenger.conversations, messenger.conversation_participants, messenger.participant_absences,
      messenger.message_versions, messenger.read_receipts, messenger.notification_settings TO messenger_chat;
GRANT DELETE ON messenger.message_versions, messenger.notification_settings TO messenger_chat;
-- What a row is about, who made it and when, stays what it was.
GRANT UPDATE (title, title_pos, last_pos, deleted_at) ON messenger.conversations TO messenger_chat;
GRANT UPDATE (role, joined_at, left_at, pos, joined_pos, joined_seq, hidden_seq)
   ON messenger.conversation_participants TO messenger_chat;
GRANT UPDATE (to_seq) ON messenger.participant_absences TO messenger_chat;
GRANT UPDATE (content, file_url, file_name, file_size, version, pos, edited_at, deleted_at)
   ON messenger.messages TO messenger_chat;
GRANT UPDATE (last_read_seq, message_id, read_at) ON messenger.read_receipts TO messenger_chat;
GRANT UPDATE (muted, muted_until, push_enabled, email_enabled)
   ON messenger.notification_settings TO messenger_chat;

GRANT SELECT ON messenger.conversations, messenger.conversation_participants, messenger.messages,
      messenger.read_receipts TO messenger_definer;
GRANT INSERT ON messenger.messages, messenger.read_receipts TO messenger_definer;
GRANT UPDATE (last_seq, last_pos, last_message_at) ON messenger.conversations TO messenger_definer;
GRANT UPDATE (last_read_seq, message_id, read_at) ON messenger.read_receipts TO messenger_definer;

-- FORCE: the owner of the tables is no exception, should a service connect as the owner.
ALTER TABLE messenger.conversations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.conversation_participants ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.participant_absences ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.message_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.read_receipts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.notification_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY definer ON messenger.conversations TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.conversation_participants TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.messages TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.read_receipts TO messenger_definer USING (true);

-- The acting user and his conversations stand in sub-selects, which are evaluated once per statement; in an OR
-- the cheaper condition comes first, and where it holds throughout, the set is never made.
-- Who has left still sees that he was there.
CREATE POLICY chat_select ON messenger.conversations FOR SELECT TO messenger_chat
    USING (created_by = (SELECT messenger.me()) OR id IN (SELECT messenger.my_past_and_present()));
CREATE POLICY chat_insert ON messenger.conversations FOR INSERT TO messenger_chat
    WITH CHECK (created_by = (SELECT messenger.me()));
CREATE POLICY chat_update ON messenger.conversations FOR UPDATE TO messenger_chat
    USING (id IN (SELECT messenger.my_conversations()));

CREATE POLICY chat_select ON messenger.conversation_participants FOR SELECT TO messenger_chat
    USING (user_id = (SELECT messenger.me()) OR conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_insert ON messenger.conversation_participants FOR INSERT TO messenger_chat
    WITH CHECK (conversation_id IN (SELECT messenger.my_administered())
                OR messenger.is_mine_to_fill(conversation_id));
-- He leaves, or puts a direct conversation away; admins change the others.
CREATE POLICY chat_update ON messenger.conversation_participants FOR UPDATE TO messenger_chat
    USING (user_id = (SELECT messenger.me()) OR conversation_id IN (SELECT messenger.my_administered()));

-- An admin begins the absence of whom he removes, and ends that of whom he adds again.
CREATE POLICY chat_select ON messenger.participant_absences FOR SELECT TO messenger_chat
    USING (user_id = (SELECT messenger.me()) OR conversation_id IN (SELECT messenger.my_administered()));
CREATE POLICY chat_insert ON messenger.participant_absences FOR INSERT TO messenger_chat
    WITH CHECK (user_id = (SELECT messenger.me()) AND conversation_id IN (SELECT messenger.my_conversations())
                OR conversation_id IN (SELECT messenger.my_administered()));
CREATE POLICY chat_update ON messenger.participant_absences FOR UPDATE TO messenger_chat
    USING (user_id = (SELECT messenger.me()) AND conversation_id IN (SELECT messenger.my_conversations())
           OR conversation_id IN (SELECT messenger.my_administered()));

-- Sending is send_messages alone. Who may edit and delete what is for the rules to say.
CREATE POLICY chat_select ON messenger.messages FOR SELECT TO messenger_chat
    USING (sender_id = (SELECT messenger.me()) OR conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_update ON messenger.messages FOR UPDATE TO messenger_chat
    USING (conversation_id IN (SELECT messenger.my_conversations()));

CREATE POLICY chat_select ON messenger.message_versions FOR SELECT TO messenger_chat
    USING (messenger.conversation_of(message_id) IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_insert ON messenger.message_versions FOR INSERT TO messenger_chat
    WITH CHECK (messenger.conversation_of(message_id) IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_delete ON messenger.message_versions FOR DELETE TO messenger_chat
    USING (messenger.conversation_of(message_id) IN (SELECT messenger.my_conversations()));

-- An admin sets where whom he adds begins to read.
CREATE POLICY chat_select ON messenger.read_receipts FOR SELECT TO messenger_chat
    USING (user_id = (SELECT messenger.me()) OR conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_insert ON messenger.read_receipts FOR INSERT TO messenger_chat
    WITH CHECK (user_id = (SELECT messenger.me()) AND conversation_id IN (SELECT messenger.my_conversations())
                OR conversation_id IN (SELECT messenger.my_administered()));
CREATE POLICY chat_update ON messenger.read_receipts FOR UPDATE TO messenger_chat
    USING (user_id = (SELECT messenger.me()) AND conversation_id IN (SELECT messenger.my_conversations())
           OR conversation_id IN (SELECT messenger.my_administered()));

CREATE POLICY chat_all ON messenger.notification_settings TO messenger_chat
    USING (user_id = (SELECT messenger.me()));

-- Only who may create in a schema may be given a function in it; after that, the definer needs it no more.
GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.my_conversations() OWNER TO messenger_definer;
ALTER FUNCTION messenger.my_administered() OWNER TO messenger_definer;
ALTER FUNCTION messenger.my_past_and_present() OWNER TO messenger_definer;
ALTER FUNCTION messenger.is_mine_to_fill(uuid) OWNER TO messenger_definer;
ALTER FUNCTION messenger.conversation_of(uuid) OWNER TO messenger_definer;
ALTER FUNCTION messenger.heads(uuid[]) OWNER TO messenger_definer;
ALTER FUNCTION messenger.changed_messages(uuid, bigint, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.changed_participants(uuid, bigint, integer) OWNER TO messenger_definer;
ALTER FUNCTION messenger.title_change(uuid, bigint) OWNER TO messenger_definer;
ALTER FUNCTION messenger.sent_messages(uuid[], bigint[]) OWNER TO messenger_definer;
ALTER FUNCTION messenger.send_messages(jsonb) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
