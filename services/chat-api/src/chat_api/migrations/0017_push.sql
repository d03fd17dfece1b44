-- Push: the devices of users, what is to be pushed to them, and what was decided about each message.

-- VAPID keys. The newest one is for new subscriptions; older ones go with the last subscription made with them.
CREATE TABLE messenger.push_keys (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Base64url, as browsers take it; the number of the private key, big-endian.
    public_key  text NOT NULL UNIQUE,
    private_key bytea NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- A device of a user: an address at a push service, and for `webpush` the keys of the browser.
CREATE TABLE messenger.push_subscriptions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    bigint NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('webpush', 'fcm', 'apns')),
    endpoint   text NOT NULL,
    -- An address may be too long for an index.
    digest     bytea NOT NULL UNIQUE,
    key_id     bigint REFERENCES messenger.push_keys,
    p256dh     text,
    auth       text,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- When the device told of it last.
    stored_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (kind <> 'webpush' OR (key_id IS NOT NULL AND p256dh IS NOT NULL AND auth IS NOT NULL))
);
CREATE INDEX push_subscriptions_by_user ON messenger.push_subscriptions (user_id, stored_at);
CREATE INDEX push_subscriptions_by_key ON messenger.push_subscriptions (key_id);

-- A user's daily hours without pushes, over midnight if they end earlier than they start.
CREATE TABLE messenger.push_settings (
    user_id     bigint PRIMARY KEY,
    quiet_start time NOT NULL,
    quiet_end   time NOT NULL,
    timezone    text NOT NULL
);

-- What is to be pushed, and when it is due. What a feed takes is due again after its lease, so a crash loses nothing.
CREATE TABLE messenger.push_queue (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL CHECK (kind IN ('message', 'read', 'test')),
    conversation_id uuid,
    seq             bigint,
    -- Null for all members.
    user_id         bigint,
    -- Null for all devices. A push that failed is tried again for its device alone.
    subscription_id bigint,
    attempt         integer NOT NULL DEFAULT 0,
    -- When it happened that is pushed.
    since           timestamptz NOT NULL DEFAULT now(),
    due_at          timestamptz NOT NULL DEFAULT now()
-- Every row lives for seconds. Dead ones at the beginning of the index would make each look long.
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
CREATE INDEX push_queue_by_time ON messenger.push_queue (due_at);

-- The message that a user was last pushed in a conversation and hasn't read since.
CREATE TABLE messenger.push_shown (
    conversation_id uuid NOT NULL,
    user_id         bigint NOT NULL,
    seq             bigint NOT NULL,
    PRIMARY KEY (conversation_id, user_id)
) WITH (fillfactor = 70);

-- Which rules said no for a message and a user; none: it was pushed. A rule after a `?` couldn't be asked.
CREATE TABLE messenger.push_decisions (
    conversation_id uuid NOT NULL,
    seq             bigint NOT NULL,
    user_id         bigint NOT NULL,
    decided_at      timestamptz NOT NULL DEFAULT now(),
    rules           text[] NOT NULL,
    PRIMARY KEY (conversation_id, seq, user_id)
);
CREATE INDEX push_decisions_by_time ON messenger.push_decisions (decided_at);

-- The newest key; with `wanted`, the key with these bytes; or none. Only the feed asks for private keys.
CREATE FUNCTION messenger.push_key(wanted text) RETURNS TABLE (id bigint, public_key text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT k.id, k.public_key FROM push_keys k WHERE wanted IS NULL OR k.public_key = wanted ORDER BY k.id DESC LIMIT 1
$$;

CREATE FUNCTION messenger.push_private_keys() RETURNS TABLE (id bigint, public_key text, private_key bytea)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 3
SET search_path = messenger, pg_catalog, pg_temp
AS $$
    SELECT k.id, k.public_key, k.private_key FROM push_keys k
$$;

-- Adds a pair of keys, with `only_first` if there is none, and returns the newest public key. Keys that no device uses
-- go after a day: until then somebody may subscribe who has asked for the key before.
CREATE FUNCTION messenger.push_add_key(public text, private bytea, only_first boolean) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE push_keys IN SHARE ROW EXCLUSIVE MODE;
    IF NOT only_first OR NOT EXISTS (SELECT FROM push_keys) THEN
        INSERT INTO push_keys (public_key, private_key) VALUES (public, private);
        DELETE FROM push_keys k
         WHERE k.id < (SELECT max(x.id) - 1 FROM push_keys x) AND k.created_at < now() - interval '1 day'
           AND NOT EXISTS (SELECT FROM push_subscriptions s WHERE s.key_id = k.id);
    END IF;
    RETURN (SELECT k.public_key FROM push_keys k ORDER BY k.id DESC LIMIT 1);
END
$$;

-- The keys, the newest first, with how many devices use each.
CREATE FUNCTION messenger.push_key_uses() RETURNS TABLE (public_key text, created_at timestamptz, devices bigint)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 3
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT k.public_key, k.created_at, (SELECT count(*) FROM push_subscriptions s WHERE s.key_id = k.id)
      FROM push_keys k ORDER BY k.id DESC
$$;

-- Stores a device of the acting user, who has it from then on, and removes their oldest above `at_most`. No row if the
-- key isn't there any more.
CREATE FUNCTION messenger.push_subscribe(
    kind text, endpoint text, p256dh text, auth text, wanted_key text, at_most integer)
RETURNS TABLE (application_server_key text, created_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER ROWS 1
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
#variable_conflict use_variable
DECLARE
    caller CONSTANT bigint := me();
    name CONSTANT bytea := sha256(convert_to(endpoint, 'UTF8'));
    stored push_subscriptions;
    key push_keys;
BEGIN
    -- One after the other, so that two at once don't leave one too many.
    PERFORM pg_advisory_xact_lock(hashtextextended('messenger.push_subscriptions', caller));
    SELECT s.* INTO stored FROM push_subscriptions s WHERE s.digest = name;
    IF kind = 'webpush' THEN
        SELECT k.* INTO key FROM push_keys k
         WHERE CASE WHEN wanted_key IS NOT NULL THEN k.public_key = wanted_key
                    ELSE stored.key_id IS NULL OR k.id = stored.key_id END
         ORDER BY k.id DESC LIMIT 1;
        IF key.id IS NULL THEN
            RETURN;
        END IF;
    END IF;
    INSERT INTO push_subscriptions AS s (user_id, kind, endpoint, digest, key_id, p256dh, auth)
    VALUES (caller, kind, endpoint, name, key.id, p256dh, auth)
    ON CONFLICT (digest) DO UPDATE
       SET user_id = excluded.user_id, kind = excluded.kind, key_id = excluded.key_id, p256dh = excluded.p256dh,
           auth = excluded.auth, stored_at = excluded.stored_at,
           created_at = CASE WHEN s.user_id = excluded.user_id THEN s.created_at ELSE excluded.created_at END
    RETURNING s.* INTO stored;
    DELETE FROM push_subscriptions s WHERE s.id IN (
        SELECT o.id FROM push_subscriptions o WHERE o.user_id = caller ORDER BY o.stored_at DESC, o.id DESC OFFSET at_most);
    RETURN QUERY SELECT key.public_key, stored.created_at;
END
$$;

-- Whether a time of day is within quiet hours. A zone that PostgreSQL doesn't know any more has none.
CREATE FUNCTION messenger.is_quiet(quiet_start time, quiet_end time, timezone text) RETURNS boolean
LANGUAGE plpgsql STABLE
AS $$
DECLARE
    clock CONSTANT time := (now() AT TIME ZONE timezone)::time;
BEGIN
    IF quiet_start <= quiet_end THEN
        RETURN clock >= quiet_start AND clock < quiet_end;
    END IF;
    RETURN clock >= quiet_start OR clock < quiet_end;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END
$$;

-- Queues the new messages of these conversations after each pos, and moves the cursors of the consumer `push`. Only the
-- newest `at_most` changes of each are looked at: who has more to catch up with is told of the newest. What was shown
-- of messages that are deleted now, or to who has written since, is queued as read. Returns where the cursors are.
CREATE FUNCTION messenger.push_plan(
    token uuid, conversations uuid[], positions bigint[], at_most integer, delay_s double precision,
    max_age_s double precision)
RETURNS TABLE (conversation_id text, pos bigint)
LANGUAGE plpgsql SECURITY DEFINER ROWS 50
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    upto bigint[];
    ids uuid[];
    seqs bigint[];
    senders bigint[];
    created timestamptz[];
    is_new boolean[];
    is_deleted boolean[];
    ours uuid[];
BEGIN
    -- One statement, so that messages and positions are of one moment.
    WITH wanted AS (
        SELECT w.id, w.pos, w.place, c.last_pos
          FROM unnest(conversations, positions) WITH ORDINALITY AS w (id, pos, place)
          JOIN conversations c ON c.id = w.id
    ), changed AS (
        SELECT w.id, m.* FROM wanted w CROSS JOIN LATERAL (
            SELECT x.seq, x.sender_id, x.created_at, x.created_pos > w.pos AND x.deleted_at IS NULL AS is_new,
                   x.deleted_at IS NOT NULL AS is_deleted
              FROM messages x WHERE x.conversation_id = w.id AND x.pos > w.pos ORDER BY x.pos DESC LIMIT at_most) m
    )
    SELECT (SELECT array_agg(w.last_pos ORDER BY w.place) FROM wanted w), array_agg(m.id), array_agg(m.seq),
           array_agg(m.sender_id), array_agg(m.created_at), array_agg(m.is_new), array_agg(m.is_deleted)
      INTO upto, ids, seqs, senders, created, is_new, is_deleted FROM changed m;
    ours := ARRAY(SELECT messenger.feed_advance('push', token, conversations, upto));

    INSERT INTO push_queue (kind, conversation_id, seq, since, due_at)
    SELECT 'message', n.id, n.seq, n.created_at, n.created_at + delay_s * interval '1 second'
      FROM unnest(ids, seqs, senders, created, is_new) AS n (id, seq, sender_id, created_at, is_new)
     WHERE n.is_new AND n.id = ANY (ours) AND n.created_at > now() - max_age_s * interval '1 second'
       AND EXISTS (SELECT FROM conversation_participants p JOIN push_subscriptions s ON s.user_id = p.user_id
                    WHERE p.conversation_id = n.id AND p.left_at IS NULL AND p.user_id <> n.sender_id);
    WITH gone AS (
        DELETE FROM push_shown x
         USING unnest(ids, seqs, senders, is_new, is_deleted) AS n (id, seq, sender_id, is_new, is_deleted)
         WHERE x.conversation_id = n.id AND n.id = ANY (ours)
           AND (n.is_new AND x.user_id = n.sender_id OR n.is_deleted AND x.seq = n.seq)
        RETURNING x.conversation_id, x.user_id, x.seq
    )
    INSERT INTO push_queue (kind, conversation_id, seq, user_id)
    SELECT 'read', g.conversation_id, g.seq, g.user_id FROM gone g;
    RETURN QUERY SELECT w.id::text, w.pos FROM unnest(conversations, upto) AS w (id, pos) WHERE w.id = ANY (ours);
END
$$;

-- Takes up to `at_most` rows of the queue that are due, for so many seconds.
CREATE FUNCTION messenger.push_take(at_most integer, seconds double precision)
RETURNS TABLE (id bigint, kind text, conversation_id text, seq bigint, user_id bigint, subscription_id bigint,
               attempt integer, age_s double precision)
LANGUAGE sql SECURITY DEFINER ROWS 50
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    UPDATE push_queue q SET due_at = clock_timestamp() + seconds * interval '1 second'
      FROM (SELECT d.id FROM push_queue d WHERE d.due_at <= clock_timestamp()
             ORDER BY d.due_at LIMIT at_most FOR UPDATE SKIP LOCKED) d
     WHERE q.id = d.id
    RETURNING q.id, q.kind, q.conversation_id::text, q.seq, q.user_id, q.subscription_id, q.attempt,
              extract(epoch FROM clock_timestamp() - q.since)::double precision
$$;

-- In how many seconds the next row is due; negative if it is late, null if there is none.
CREATE FUNCTION messenger.push_next() RETURNS double precision
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT extract(epoch FROM min(q.due_at) - clock_timestamp())::double precision FROM push_queue q
$$;

-- Keeps rows of the queue for so many seconds from now.
CREATE FUNCTION messenger.push_renew(ids bigint[], seconds double precision) RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    UPDATE push_queue q SET due_at = clock_timestamp() + seconds * interval '1 second' WHERE q.id = ANY (ids)
$$;

-- Removes rows of the queue that are done, and devices that are gone; queues the pushes again that are to be tried
-- again, each after its pause. Those are arrays of the same length.
CREATE FUNCTION messenger.push_finish(
    done bigint[], gone bigint[], kinds text[], conversations uuid[], seqs bigint[], users bigint[], devices bigint[],
    attempts integer[], ages_s double precision[], pauses_s double precision[])
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    INSERT INTO push_queue (kind, conversation_id, seq, user_id, subscription_id, attempt, since, due_at)
    SELECT r.kind, r.conversation_id, r.seq, r.user_id, r.device, r.attempt,
           now() - r.age_s * interval '1 second', now() + r.pause_s * interval '1 second'
      FROM unnest(kinds, conversations, seqs, users, devices, attempts, ages_s, pauses_s)
           AS r (kind, conversation_id, seq, user_id, device, attempt, age_s, pause_s);
    DELETE FROM push_subscriptions s WHERE s.id = ANY (gone);
    DELETE FROM push_queue q WHERE q.id = ANY (done);
$$;

-- What the rules ask about messages and users. Each item is a message and a user, or null for all members with devices.
-- Who acts for a user gets only what concerns that user.
CREATE FUNCTION messenger.push_facts(conversations uuid[], seqs bigint[], users bigint[])
RETURNS TABLE (place integer, user_id bigint, sender_id bigint, age_s double precision, is_member boolean,
               is_deactivated boolean, is_deleted boolean, is_read boolean, is_muted boolean, push_enabled boolean,
               notify text, is_mentioned boolean, is_quiet boolean, shown_seq bigint, has_device boolean)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT w.place::integer, p.user_id, m.sender_id,
           extract(epoch FROM clock_timestamp() - m.created_at)::double precision,
           p.left_at IS NULL AND p.joined_seq < m.seq, coalesce(u.deactivated_at IS NOT NULL, false),
           m.deleted_at IS NOT NULL, coalesce(r.last_read_seq >= m.seq, false),
           coalesce(n.muted AND (n.muted_until IS NULL OR n.muted_until > now()), false),
           coalesce(n.push_enabled, true), coalesce(n.notify, 'all'),
           EXISTS (SELECT FROM mentions x
                    WHERE x.conversation_id = w.id AND x.user_id IN (p.user_id, 0) AND x.seq = m.seq
                      AND x.sender_id <> p.user_id),
           coalesce(is_quiet(q.quiet_start, q.quiet_end, q.timezone), false), coalesce(x.seq, 0), p.has_device
      FROM unnest(conversations, seqs, users) WITH ORDINALITY AS w (id, seq, user_id, place)
      JOIN messages m ON m.conversation_id = w.id AND m.seq = w.seq
     CROSS JOIN LATERAL (
           SELECT o.user_id, o.left_at, o.joined_seq, d.user_id IS NOT NULL AS has_device
             FROM conversation_participants o
             LEFT JOIN LATERAL (
                  SELECT s.user_id FROM push_subscriptions s WHERE s.user_id = o.user_id LIMIT 1) d ON true
            WHERE o.conversation_id = w.id AND CASE WHEN w.user_id IS NULL
                  THEN o.left_at IS NULL OR o.left_at > m.created_at ELSE o.user_id = w.user_id END) p
      LEFT JOIN users u ON u.id = p.user_id
      LEFT JOIN push_settings q ON q.user_id = p.user_id
      LEFT JOIN LATERAL (
           SELECT o.* FROM read_receipts o WHERE o.conversation_id = w.id AND o.user_id = p.user_id OFFSET 0) r ON true
      LEFT JOIN LATERAL (
           SELECT o.* FROM notification_settings o
            WHERE o.user_id = p.user_id AND o.conversation_id = w.id OFFSET 0) n ON true
      LEFT JOIN LATERAL (
           SELECT o.* FROM push_shown o WHERE o.conversation_id = w.id AND o.user_id = p.user_id OFFSET 0) x ON true
     WHERE (p.has_device OR w.user_id IS NOT NULL) AND (me() IS NULL OR me() = w.user_id OR is_server())
$$;

-- Records decisions, and the messages among them that are pushed now: those without rules that said no. `rules` has
-- them separated by commas.
CREATE FUNCTION messenger.push_decide(conversations uuid[], seqs bigint[], users bigint[], said_no text[], pushed boolean[])
RETURNS void
LANGUAGE sql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    INSERT INTO push_decisions AS d (conversation_id, seq, user_id, rules)
    SELECT w.id, w.seq, w.user_id, string_to_array(w.rules, ',')
      FROM unnest(conversations, seqs, users, said_no) AS w (id, seq, user_id, rules)
    ON CONFLICT (conversation_id, seq, user_id) DO UPDATE SET rules = excluded.rules, decided_at = excluded.decided_at;
    INSERT INTO push_shown AS s (conversation_id, user_id, seq)
    SELECT w.id, w.user_id, max(w.seq) FROM unnest(conversations, seqs, users, pushed) AS w (id, seq, user_id, pushed)
     WHERE w.pushed GROUP BY 1, 2
    ON CONFLICT (conversation_id, user_id) DO UPDATE SET seq = greatest(s.seq, excluded.seq);
    -- Who has read it since the facts were read closes nothing by reading.
    WITH gone AS (
        DELETE FROM push_shown s USING unnest(conversations, users, pushed) AS w (id, user_id, pushed)
         WHERE w.pushed AND s.conversation_id = w.id AND s.user_id = w.user_id
           AND s.seq <= (SELECT r.last_read_seq FROM read_receipts r
                          WHERE r.conversation_id = w.id AND r.user_id = w.user_id)
        RETURNING s.conversation_id, s.user_id, s.seq
    )
    INSERT INTO push_queue (kind, conversation_id, seq, user_id)
    SELECT 'read', g.conversation_id, g.seq, g.user_id FROM gone g;
$$;

-- What pushes of these messages may show.
CREATE FUNCTION messenger.push_messages(conversations uuid[], seqs bigint[], chars integer)
RETURNS TABLE (place integer, id text, type text, title text, sender_id bigint, sender_name text, message_type text,
               content text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 50
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    SELECT w.place::integer, m.id::text, c.type, c.title, m.sender_id, u.name, m.type,
           left(coalesce(nullif(m.content, ''), m.attachments #>> '{0,name}', m.file_name), chars)
      FROM unnest(conversations, seqs) WITH ORDINALITY AS w (id, seq, place)
      JOIN messages m ON m.conversation_id = w.id AND m.seq = w.seq
      JOIN conversations c ON c.id = w.id
      LEFT JOIN users u ON u.id = m.sender_id
$$;

-- The devices of users, and what stands on their badges: the unread messages of conversations that aren't muted. An
-- item is a user, and one device or null for all.
CREATE FUNCTION messenger.push_devices(users bigint[], devices bigint[])
RETURNS TABLE (place integer, badge bigint, id bigint, kind text, endpoint text, key_id bigint, p256dh text, auth text)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 100
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
    WITH wanted AS MATERIALIZED (
        SELECT w.place::integer AS place, w.user_id, w.device
          FROM unnest(users, devices) WITH ORDINALITY AS w (user_id, device, place)
    ), badges AS MATERIALIZED (
        SELECT o.user_id, coalesce(sum(f.unread), 0)::bigint AS badge
          FROM (SELECT DISTINCT w.user_id FROM wanted w) o
          LEFT JOIN LATERAL (
               SELECT c.last_seq - a.seq - coalesce(k.passed, 0) - (
                          SELECT count(*) FROM messages m
                           WHERE m.conversation_id = c.id AND m.seq > a.seq AND m.deleted_at IS NOT NULL
                             AND m.sender_id <> p.user_id AND NOT EXISTS (
                                 SELECT FROM participant_absences b
                                  WHERE b.conversation_id = c.id AND b.user_id = p.user_id
                                    AND m.seq > b.from_seq AND m.seq <= b.to_seq)) AS unread
                 FROM (SELECT x.* FROM conversation_participants x
                        WHERE x.user_id = o.user_id AND x.left_at IS NULL OFFSET 0) p
                CROSS JOIN LATERAL (SELECT x.* FROM conversations x WHERE x.id = p.conversation_id OFFSET 0) c
                 LEFT JOIN LATERAL (
                      SELECT x.last_read_seq FROM read_receipts x
                       WHERE x.conversation_id = p.conversation_id AND x.user_id = p.user_id OFFSET 0) r ON true
                 LEFT JOIN LATERAL (
                      SELECT x.from_seq, x.passed FROM unread_marks x
                       WHERE x.user_id = p.user_id AND x.conversation_id = p.conversation_id
                         AND x.joined_pos = p.joined_pos AND x.read_seq = coalesce(r.last_read_seq, 0) OFFSET 0) k ON true
                 LEFT JOIN LATERAL (
                      SELECT x.muted, x.muted_until FROM notification_settings x
                       WHERE x.user_id = p.user_id AND x.conversation_id = p.conversation_id OFFSET 0) n ON true
                CROSS JOIN LATERAL (SELECT coalesce(k.from_seq - 1, r.last_read_seq, 0) AS seq) a
                WHERE c.last_seq > a.seq
                  AND (p.hidden_seq IS NULL OR p.hidden_seq < c.last_seq)
                  AND NOT coalesce(n.muted AND (n.muted_until IS NULL OR n.muted_until > now()), false)) f ON true
         GROUP BY o.user_id
    )
    SELECT w.place, b.badge, s.id, s.kind, s.endpoint, s.key_id, s.p256dh, s.auth
      FROM wanted w
      JOIN badges b ON b.user_id = w.user_id
      JOIN push_subscriptions s ON s.user_id = w.user_id AND (w.device IS NULL OR s.id = w.device)
$$;

-- Removes decisions from before so many seconds, up to `at_most`, and returns how many.
CREATE FUNCTION messenger.push_forget(seconds double precision, at_most integer) RETURNS bigint
LANGUAGE sql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    WITH gone AS (
        DELETE FROM push_decisions d WHERE d.ctid = ANY (ARRAY(
            SELECT o.ctid FROM push_decisions o
             WHERE o.decided_at < now() - seconds * interval '1 second' LIMIT at_most))
        RETURNING 1
    )
    SELECT count(*) FROM gone
$$;

-- What was decided about a message for a user: the acting one, or with a server key any.
CREATE FUNCTION messenger.push_decision(conversation uuid, message_seq bigint, of_user bigint)
RETURNS TABLE (decided_at timestamptz, rules text[])
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT d.decided_at, d.rules FROM push_decisions d
     WHERE d.conversation_id = conversation AND d.seq = message_seq AND d.user_id = of_user
       AND (of_user = me() OR is_server())
$$;

REVOKE ALL ON messenger.push_keys, messenger.push_subscriptions, messenger.push_settings, messenger.push_queue,
       messenger.push_shown, messenger.push_decisions FROM PUBLIC;
GRANT SELECT, INSERT, UPDATE, DELETE ON messenger.push_keys, messenger.push_subscriptions, messenger.push_queue,
      messenger.push_shown, messenger.push_decisions TO messenger_definer;
GRANT SELECT ON messenger.push_settings, messenger.notification_settings TO messenger_definer;
GRANT SELECT, DELETE ON messenger.push_subscriptions TO messenger_chat;
GRANT SELECT, INSERT, UPDATE, DELETE ON messenger.push_settings TO messenger_chat;
GRANT INSERT ON messenger.push_queue TO messenger_chat;
GRANT SELECT, DELETE ON messenger.push_shown TO messenger_chat;

ALTER TABLE messenger.push_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.push_subscriptions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.push_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.push_queue ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.push_shown ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.push_decisions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.push_keys TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.push_subscriptions TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.push_settings TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.push_queue TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.push_shown TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.push_decisions TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.notification_settings TO messenger_definer USING (true);
-- Users have what is their own. All else, and what is others', is by functions.
CREATE POLICY chat_all ON messenger.push_subscriptions TO messenger_chat USING (user_id = (SELECT messenger.me()));
CREATE POLICY chat_all ON messenger.push_settings TO messenger_chat USING (user_id = (SELECT messenger.me()));
CREATE POLICY chat_insert ON messenger.push_queue FOR INSERT TO messenger_chat
    WITH CHECK (user_id = (SELECT messenger.me()) AND kind IN ('read', 'test'));
CREATE POLICY chat_all ON messenger.push_shown TO messenger_chat USING (user_id = (SELECT messenger.me()));

-- With the cursors of several consumers, plans from when they were few looked at all of a consumer's. feed_claim is as in
-- 0013, but that it looks up each cursor.
GRANT CREATE ON SCHEMA messenger TO messenger_definer;
SET LOCAL ROLE messenger_definer;
CREATE OR REPLACE FUNCTION messenger.feed_claim(
    name text, conversations uuid[], token uuid, seconds double precision, all_of_them boolean)
RETURNS TABLE (conversation_id text, is_taken boolean, pos bigint, last_pos bigint, busy_s double precision)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET enable_material = off
AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO feed_cursors (consumer, conversation_id)
    SELECT name, c.id
      FROM unnest($2) AS w (id)
     CROSS JOIN LATERAL (SELECT x.id FROM conversations x WHERE x.id = w.id OFFSET 0) c
      LEFT JOIN LATERAL (SELECT x.pos FROM feed_cursors x
                          WHERE x.consumer = name AND x.conversation_id = w.id OFFSET 0) f ON true
     WHERE f.pos IS NULL
    ON CONFLICT DO NOTHING;

    RETURN QUERY
    WITH free AS MATERIALIZED (
        SELECT f.conversation_id
          FROM unnest($2) AS w (id)
         CROSS JOIN LATERAL (SELECT x.last_pos FROM conversations x WHERE x.id = w.id OFFSET 0) c
         CROSS JOIN LATERAL (
               SELECT x.conversation_id FROM feed_cursors x
                WHERE x.consumer = name AND x.conversation_id = w.id AND (all_of_them OR c.last_pos > x.pos)
                  AND (x.leased_until IS NULL OR x.leased_until < clock_timestamp())
                  FOR UPDATE SKIP LOCKED) f
    ), taken AS (
        UPDATE feed_cursors f SET lease = token, leased_until = clock_timestamp() + seconds * interval '1 second'
          FROM free WHERE f.consumer = name AND f.conversation_id = free.conversation_id
        RETURNING f.conversation_id, f.pos
    )
    SELECT c.id::text, t.pos IS NOT NULL, coalesce(t.pos, f.pos), c.last_pos,
           greatest(extract(epoch FROM f.leased_until - clock_timestamp()), 0)::double precision
      FROM unnest($2) AS w (id)
     CROSS JOIN LATERAL (SELECT x.id, x.last_pos FROM conversations x WHERE x.id = w.id OFFSET 0) c
     CROSS JOIN LATERAL (SELECT x.pos, x.leased_until FROM feed_cursors x
                          WHERE x.consumer = name AND x.conversation_id = w.id OFFSET 0) f
      LEFT JOIN taken t ON t.conversation_id = w.id;
END
$$;
ALTER FUNCTION messenger.feed_advance(text, uuid, uuid[], bigint[]) SET enable_material = off;
ALTER FUNCTION messenger.feed_renew(text, uuid, uuid[], double precision) SET enable_material = off;
RESET ROLE;

DO $$
DECLARE
    one regprocedure;
BEGIN
    GRANT CREATE ON SCHEMA messenger TO messenger_definer;
    FOR one IN
        SELECT p.oid FROM pg_proc p
         WHERE p.pronamespace = 'messenger'::regnamespace AND (p.proname LIKE 'push\_%' OR p.proname = 'is_quiet')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', one);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO messenger_chat, messenger_definer', one);
        EXECUTE format('ALTER FUNCTION %s OWNER TO messenger_definer', one);
    END LOOP;
    REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
END
$$;
