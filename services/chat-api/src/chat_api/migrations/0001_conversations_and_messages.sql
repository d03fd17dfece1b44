-- The tables, and the one function that writes messages.

CREATE TABLE messenger.conversations (
    id              uuid PRIMARY KEY,
    type            text NOT NULL CHECK (type IN ('direct', 'group', 'announcement')),
    title           text,
    created_by      bigint NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    -- Both are issued inside the writing transaction, under this row's lock: commit order is number order.
    last_seq        bigint NOT NULL DEFAULT 0,
    last_pos        bigint NOT NULL DEFAULT 0,
    -- Of the last change of the title.
    title_pos       bigint NOT NULL DEFAULT 0,
    last_message_at timestamptz,
    -- "lower:higher" of the two users, for a direct conversation alone.
    direct_key      text UNIQUE,
    deleted_at      timestamptz
);

CREATE TABLE messenger.conversation_participants (
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    user_id         bigint NOT NULL CHECK (user_id > 0),
    role            text NOT NULL CHECK (role IN ('admin', 'member', 'observer')),
    joined_at       timestamptz NOT NULL DEFAULT now(),
    left_at         timestamptz,
    -- Of the last change of this membership, and of the joining: tells a new member from one with a new role.
    pos             bigint NOT NULL,
    joined_pos      bigint NOT NULL,
    -- What was said before is nothing that he could have read since.
    joined_seq      bigint NOT NULL DEFAULT 0,
    -- A direct conversation that its owner has put away, until a message above this one comes.
    hidden_seq      bigint,
    PRIMARY KEY (conversation_id, user_id)
);
CREATE INDEX conversation_participants_by_user
    ON messenger.conversation_participants (user_id, conversation_id) WHERE left_at IS NULL;
CREATE INDEX conversation_participants_by_pos ON messenger.conversation_participants (conversation_id, pos);

-- Who came back doesn't see what was said while he was away: the messages above from_seq, up to to_seq.
CREATE TABLE messenger.participant_absences (
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    user_id         bigint NOT NULL,
    from_seq        bigint NOT NULL,
    to_seq          bigint NOT NULL,
    PRIMARY KEY (conversation_id, user_id, from_seq)
);

CREATE TABLE messenger.messages (
    conversation_id   uuid NOT NULL REFERENCES messenger.conversations,
    seq               bigint NOT NULL,
    id                uuid NOT NULL UNIQUE,
    -- Of the last change of this message.
    pos               bigint NOT NULL,
    -- Of its sending: tells what is new to somebody from what has only changed.
    created_pos       bigint NOT NULL,
    version           integer NOT NULL DEFAULT 1,
    sender_id         bigint NOT NULL,
    client_message_id text,
    type              text NOT NULL CHECK (type IN ('text', 'image', 'file', 'system')),
    content           text,
    file_url          text,
    file_name         text,
    file_size         bigint,
    reply_to          uuid,
    created_at        timestamptz NOT NULL DEFAULT now(),
    edited_at         timestamptz,
    deleted_at        timestamptz,
    PRIMARY KEY (conversation_id, seq),
    UNIQUE (conversation_id, pos)
);
CREATE UNIQUE INDEX messages_by_client_message_id
    ON messenger.messages (sender_id, client_message_id) WHERE client_message_id IS NOT NULL;
-- Unread is a difference of two numbers, less these. With the sender, who is all that row-level security asks
-- for, so that counting reads the index alone.
CREATE INDEX messages_deleted ON messenger.messages (conversation_id, seq) INCLUDE (sender_id)
 WHERE deleted_at IS NOT NULL;

-- The texts that an edit replaced, each with the moment at which it was written. Deleting takes them along.
CREATE TABLE messenger.message_versions (
    message_id uuid NOT NULL REFERENCES messenger.messages (id),
    version    integer NOT NULL,
    content    text NOT NULL,
    edited_at  timestamptz NOT NULL,
    PRIMARY KEY (message_id, version)
);

-- One row per member that only moves forward: who has read a message is a comparison.
CREATE TABLE messenger.read_receipts (
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    user_id         bigint NOT NULL,
    last_read_seq   bigint NOT NULL,
    message_id      uuid,
    read_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, user_id)
);

CREATE TABLE messenger.notification_settings (
    user_id         bigint NOT NULL,
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    muted           boolean NOT NULL DEFAULT false,
    muted_until     timestamptz,
    push_enabled    boolean NOT NULL DEFAULT true,
    email_enabled   boolean NOT NULL DEFAULT true,
    PRIMARY KEY (user_id, conversation_id)
);

-- A moment as the wire has it.
CREATE FUNCTION messenger.to_wire(moment timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- Stores a batch of messages in one transaction and gives a verdict for each, by its place in the batch:
--   stored      it is new; seq, pos and created_at are its own
--   repeat      a message with this id, or with this sender and client_message_id, exists: its id is stored_id
--   not_found   no such conversation, or the sender never was in it
--   not_member  the sender has left
--   forbidden   the sender may not write here
--   bad_reply   reply_to is no message of this conversation
-- Within the batch, rows keep their order; a refused or a repeated row takes no number.
CREATE FUNCTION messenger.send_messages(batch jsonb)
RETURNS TABLE (place integer, verdict text, stored_id uuid, seq bigint, pos bigint, created_at text)
LANGUAGE plpgsql
SET search_path = messenger, pg_catalog, pg_temp
AS $$
#variable_conflict use_column
BEGIN
    -- Locks first, in id order, so that two batches can't wait for each other. What follows is a statement
    -- of its own and therefore sees everything that was committed before the locks were granted.
    PERFORM 1 FROM conversations
     WHERE id IN (SELECT DISTINCT (row ->> 'conversation_id')::uuid FROM jsonb_array_elements(batch) AS row)
     ORDER BY id FOR NO KEY UPDATE;

    RETURN QUERY
    WITH input AS (
        SELECT (ordinality - 1)::integer AS place, item.*
          FROM ROWS FROM (jsonb_to_recordset(batch) AS (
                   id uuid, conversation_id uuid, sender_id bigint, client_message_id text, type text,
                   content text, file_url text, file_name text, file_size bigint, reply_to uuid
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
                   WHEN i.reply_to IS NOT NULL AND NOT EXISTS (
                       SELECT 1 FROM messages m
                        WHERE m.id = i.reply_to AND m.conversation_id = i.conversation_id)
                       THEN 'bad_reply'
                   ELSE 'stored' END AS ruling
          FROM input i
          JOIN known k USING (place)
          LEFT JOIN conversations c ON c.id = i.conversation_id
          LEFT JOIN conversation_participants p
                 ON p.conversation_id = i.conversation_id AND p.user_id = i.sender_id
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
                              file_url, file_name, file_size, reply_to)
        SELECT f.conversation_id, m.seq + f.number, f.id, m.pos + f.number, m.pos + f.number, f.sender_id,
               f.client_message_id, f.type, f.content, f.file_url, f.file_name, f.file_size, f.reply_to
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
           j.known_id, n.seq, n.pos, messenger.to_wire(n.created_at)
      FROM judged j LEFT JOIN inserted n ON n.id = j.id AND j.known_id IS NULL;
END
$$;
