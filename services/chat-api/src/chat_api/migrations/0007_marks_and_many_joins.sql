-- What a user has marked as unread, for that user's eyes alone: receipts are seen by the other members.
CREATE TABLE messenger.unread_marks (
    user_id         bigint NOT NULL,
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    from_seq        bigint NOT NULL CHECK (from_seq > 0),
    -- Where the user had read to, and since when they are a member. When either has moved on, the mark counts no
    -- more. So a send, which moves its sender's position, need not know of marks.
    read_seq        bigint NOT NULL,
    joined_pos      bigint NOT NULL,
    -- How many messages from from_seq to read_seq are no unread ones for this user: their own, and those of times
    -- of absence. Neither changes any more, so that counting is a subtraction.
    passed          bigint NOT NULL,
    PRIMARY KEY (user_id, conversation_id)
);
REVOKE ALL ON messenger.unread_marks FROM PUBLIC;
GRANT SELECT, INSERT, DELETE ON messenger.unread_marks TO messenger_chat;
GRANT UPDATE (from_seq, read_seq, joined_pos, passed) ON messenger.unread_marks TO messenger_chat;
GRANT SELECT ON messenger.unread_marks TO messenger_definer;
ALTER TABLE messenger.unread_marks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.unread_marks TO messenger_definer USING (true);
CREATE POLICY chat_select ON messenger.unread_marks FOR SELECT TO messenger_chat
    USING (user_id = (SELECT messenger.me()));
CREATE POLICY chat_insert ON messenger.unread_marks FOR INSERT TO messenger_chat
    WITH CHECK (user_id = (SELECT messenger.me()) AND conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_update ON messenger.unread_marks FOR UPDATE TO messenger_chat
    USING (user_id = (SELECT messenger.me()) AND conversation_id IN (SELECT messenger.my_conversations()));
CREATE POLICY chat_delete ON messenger.unread_marks FOR DELETE TO messenger_chat
    USING (user_id = (SELECT messenger.me()));

-- As in the second and sixth migration, but for this: users who came together share a pos, and come together here.
GRANT CREATE ON SCHEMA messenger TO messenger_definer;
SET LOCAL ROLE messenger_definer;
CREATE OR REPLACE FUNCTION messenger.changed_participants(conversation uuid, after_pos bigint, at_most integer)
RETURNS TABLE (user_id bigint, role text, pos bigint, joined_pos bigint, is_left boolean)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT p.user_id, p.role, p.pos, p.joined_pos, p.left_at IS NOT NULL
      FROM conversation_participants p WHERE p.conversation_id = $1 AND p.pos > $2
     ORDER BY p.pos FETCH FIRST $3 ROWS WITH TIES
$$;
RESET ROLE;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
