-- What host applications hear: a log of what changed where, and the webhooks that are told of it.

-- The one row that whoever appends to the log locks until its commit: so numbers are in the order of commits, without
-- gaps, and a reader that has seen one has seen all below it.
CREATE TABLE messenger.event_log_head (
    is_only   boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    last      bigint NOT NULL DEFAULT 0,
    -- The rows up to this number are deleted.
    forgotten bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO messenger.event_log_head DEFAULT VALUES;

-- The conversation has changes above after_pos, up to upto_pos. What they are is read where they are: the log holds
-- nothing that anybody wrote. There is no foreign key: its check would lock the conversation's row.
CREATE TABLE messenger.event_log (
    number          bigint PRIMARY KEY,
    conversation_id uuid NOT NULL,
    after_pos       bigint NOT NULL,
    upto_pos        bigint NOT NULL,
    at              timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE messenger.webhooks (
    name             text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 100),
    -- Another one each time that a webhook of this name is made.
    id               uuid NOT NULL UNIQUE,
    url              text NOT NULL,
    types            text[] NOT NULL,
    created_at       timestamptz NOT NULL DEFAULT now(),
    -- Why nothing is delivered: the host asked for that, or the receiver answered 410.
    disabled         text CHECK (disabled IN ('host', 'gone')),
    -- What signs. A hash couldn't. secret_id is the request that made it, so that its repeat gets the same one.
    secret           text NOT NULL,
    secret_id        uuid NOT NULL,
    old_secret       text,
    old_secret_until timestamptz,
    -- What the log has up to this number is delivered, or waits in webhook_backlog.
    number           bigint NOT NULL,
    -- The process that delivers, and until when nobody else may.
    lease            uuid,
    leased_until     timestamptz
) WITH (fillfactor = 50);

-- The conversations whose next change a receiver didn't take. Rows of webhooks that are gone are swept.
CREATE TABLE messenger.webhook_backlog (
    webhook_id      uuid NOT NULL,
    conversation_id uuid NOT NULL,
    -- What was delivered last.
    pos             bigint NOT NULL,
    -- How often the next change was tried.
    attempts        integer NOT NULL,
    due_at          timestamptz NOT NULL,
    since           timestamptz NOT NULL DEFAULT now(),
    -- Set when the last attempt failed. Nothing more is tried until somebody asks.
    parked_at       timestamptz,
    failure         text,
    PRIMARY KEY (webhook_id, conversation_id)
);
CREATE INDEX webhook_backlog_by_due ON messenger.webhook_backlog (webhook_id, due_at) WHERE parked_at IS NULL;

CREATE TABLE messenger.webhook_attempts (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id      uuid NOT NULL,
    at              timestamptz NOT NULL,
    event_id        text NOT NULL,
    type            text NOT NULL,
    attempt         integer NOT NULL,
    -- The answer's, or null, and then why there was none.
    status          integer,
    failure         text,
    took_ms         integer NOT NULL
);
CREATE INDEX webhook_attempts_by_webhook ON messenger.webhook_attempts (webhook_id, id);

-- Moves the cursors of the consumer `events`, and appends a row for each conversation that it still has with this
-- token. Returns these, and the last number of the log.
CREATE FUNCTION messenger.append_events(
    token uuid, conversations uuid[], after_positions bigint[], positions bigint[])
RETURNS TABLE (conversation_id text, last bigint)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    ours CONSTANT uuid[] := ARRAY(SELECT messenger.feed_advance('events', token, conversations, positions));
    new_last bigint;
BEGIN
    UPDATE event_log_head h SET last = h.last + cardinality(ours) RETURNING h.last INTO new_last;
    INSERT INTO event_log (number, conversation_id, after_pos, upto_pos)
    SELECT new_last - cardinality(ours) + row_number() OVER (), w.id, w.after_pos, w.upto_pos
      FROM unnest(conversations, after_positions, positions) AS w (id, after_pos, upto_pos)
     WHERE w.id = ANY (ours);
    RETURN QUERY SELECT id::text, new_last FROM unnest(ours) AS id;
END
$$;

-- Deletes at most so many of the oldest rows of the log that are older than this. Returns how many.
CREATE FUNCTION messenger.forget_events(age interval, at_most integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
DECLARE
    up_to CONSTANT bigint := (
        SELECT max(oldest.number) FROM (SELECT e.number, e.at FROM event_log e ORDER BY e.number LIMIT at_most) oldest
         WHERE oldest.at < now() - age);
    count bigint;
BEGIN
    IF up_to IS NULL THEN
        RETURN 0;
    END IF;
    UPDATE event_log_head SET forgotten = up_to;
    DELETE FROM event_log e WHERE e.number <= up_to;
    GET DIAGNOSTICS count = ROW_COUNT;
    RETURN count;
END
$$;

REVOKE ALL ON messenger.event_log_head, messenger.event_log, messenger.webhooks, messenger.webhook_backlog,
       messenger.webhook_attempts FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.append_events(uuid, uuid[], bigint[], bigint[]),
       messenger.forget_events(interval, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.append_events(uuid, uuid[], bigint[], bigint[]),
      messenger.forget_events(interval, integer) TO messenger_chat;
GRANT SELECT ON messenger.event_log_head, messenger.event_log TO messenger_chat;
GRANT SELECT, INSERT, UPDATE, DELETE ON messenger.webhooks, messenger.webhook_backlog TO messenger_chat;
GRANT SELECT, INSERT, DELETE ON messenger.webhook_attempts TO messenger_chat;
GRANT SELECT, UPDATE ON messenger.event_log_head TO messenger_definer;
GRANT SELECT, INSERT, DELETE ON messenger.event_log TO messenger_definer;

-- For the host and the feed alone; no user has a part in them.
ALTER TABLE messenger.event_log_head ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.event_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.webhooks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.webhook_backlog ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.webhook_attempts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.event_log_head TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.event_log TO messenger_definer USING (true);
CREATE POLICY server_select ON messenger.event_log_head FOR SELECT TO messenger_chat
    USING ((SELECT messenger.is_server()));
CREATE POLICY server_select ON messenger.event_log FOR SELECT TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.webhooks TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.webhook_backlog TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.webhook_attempts TO messenger_chat USING ((SELECT messenger.is_server()));

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
ALTER FUNCTION messenger.append_events(uuid, uuid[], bigint[], bigint[]) OWNER TO messenger_definer;
ALTER FUNCTION messenger.forget_events(interval, integer) OWNER TO messenger_definer;
SET LOCAL ROLE messenger_definer;
-- The log begins here. What was before isn't news.
INSERT INTO messenger.feed_cursors (consumer, conversation_id, pos) SELECT 'events', id, last_pos FROM messenger.conversations;
RESET ROLE;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
