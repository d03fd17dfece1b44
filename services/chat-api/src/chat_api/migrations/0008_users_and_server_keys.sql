-- Users with names, the keys of host applications, and conversations that a host names itself.

-- Ids for users that a host knows only by its own string. They begin above every id that a host counts itself,
-- and JavaScript can still hold them.
CREATE SEQUENCE messenger.user_ids AS bigint START 4503599627370497 MINVALUE 4503599627370497 MAXVALUE 9007199254740991;

CREATE TABLE messenger.users (
    id             bigint PRIMARY KEY CHECK (id > 0),
    external_id    text UNIQUE CHECK (length(external_id) BETWEEN 1 AND 128),
    name           text,
    avatar_url     text,
    locale         text,
    timezone       text,
    custom         jsonb NOT NULL DEFAULT '{}',
    -- Counts changes of the profile.
    version        integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    -- The host has set this profile with a server key, so the claims of tokens no longer do.
    is_provisioned boolean NOT NULL DEFAULT false,
    -- When the token was issued whose claims are the profile. An older token must not undo a rename.
    claims_at      timestamptz,
    deactivated_at timestamptz
);
-- The words of the names, folded by the service, to find users by the beginning of any word.
CREATE TABLE messenger.user_words (
    word    text COLLATE "C" NOT NULL,
    user_id bigint NOT NULL REFERENCES messenger.users,
    PRIMARY KEY (word, user_id)
);
CREATE INDEX user_words_by_user ON messenger.user_words (user_id);

-- Keys that conversations have at the host. A direct conversation may have several.
CREATE TABLE messenger.conversation_keys (
    external_key    text PRIMARY KEY CHECK (length(external_key) BETWEEN 1 AND 255),
    conversation_id uuid NOT NULL REFERENCES messenger.conversations
);
CREATE INDEX conversation_keys_by_conversation ON messenger.conversation_keys (conversation_id);
ALTER TABLE messenger.conversations ADD COLUMN custom jsonb;

-- `digest` is the SHA-256 of a key's secret; the key itself is stored nowhere.
CREATE TABLE messenger.server_keys (
    id           text PRIMARY KEY,
    name         text NOT NULL,
    digest       bytea NOT NULL,
    scopes       text[] NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    revoked_at   timestamptz
);
-- Each use of a server key: who, what, when. Never what was written.
CREATE TABLE messenger.server_audit (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at        timestamptz NOT NULL DEFAULT now(),
    key_id    text NOT NULL,
    operation text NOT NULL,
    -- The user, the conversation or the message concerned.
    target    text
);

-- Users from before this migration. The owner is behind the policies too, and no policy lets it see anything.
ALTER TABLE messenger.conversation_participants NO FORCE ROW LEVEL SECURITY;
INSERT INTO messenger.users (id) SELECT DISTINCT user_id FROM messenger.conversation_participants;
ALTER TABLE messenger.conversation_participants FORCE ROW LEVEL SECURITY;

-- Whether the transaction acts for a host application with a server key.
CREATE FUNCTION messenger.is_server() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN current_setting('app.user_id', true) = '-1';

-- Names of users in conversations that the acting user was or is in. `ids` and `conversations` are pairs, so
-- that each is a look-up. A user without a row was never seen by this version of the service.
CREATE FUNCTION messenger.members_named(ids bigint[], conversations uuid[])
RETURNS TABLE (id bigint, name text, avatar_url text, version integer, is_deactivated boolean)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 50
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT DISTINCT ON (wanted.id) wanted.id, u.name, u.avatar_url, coalesce(u.version, 1), u.deactivated_at IS NOT NULL
      FROM unnest($1, $2) AS wanted (id, conversation_id)
      JOIN conversation_participants p ON p.conversation_id = wanted.conversation_id AND p.user_id = wanted.id
      LEFT JOIN users u ON u.id = wanted.id
     WHERE is_server() OR wanted.conversation_id IN (
               SELECT own.conversation_id FROM conversation_participants own
                WHERE own.conversation_id = wanted.conversation_id AND own.user_id = me())
     ORDER BY wanted.id
$$;

-- Users with a name in which every one of `prefixes` begins a word, with an id above `after_id`: contacts of the
-- acting user, or with `of_everyone` any user. Contacts are taken one by one; otherwise the words' index is read.
CREATE FUNCTION messenger.find_users(prefixes text[], after_id bigint, at_most integer, of_everyone boolean)
RETURNS TABLE (id bigint, name text, avatar_url text, version integer, is_deactivated boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT u.id, u.name, u.avatar_url, u.version, false
      FROM (SELECT w.user_id FROM user_words w
             WHERE of_everyone AND starts_with(w.word, prefixes[1])
               AND w.word >= prefixes[1] AND w.word < prefixes[1] || U&'\+10FFFF'
            UNION
            SELECT p.user_id
              FROM conversation_participants own
              JOIN conversation_participants p ON p.conversation_id = own.conversation_id AND p.left_at IS NULL
             WHERE NOT of_everyone AND own.user_id = me() AND own.left_at IS NULL) found
     CROSS JOIN LATERAL (SELECT * FROM users WHERE id = found.user_id OFFSET 0) u
     WHERE u.id > after_id AND u.deactivated_at IS NULL
       AND NOT EXISTS (SELECT FROM unnest(prefixes) AS prefix
                        WHERE NOT EXISTS (SELECT FROM user_words w
                                           WHERE w.user_id = u.id AND starts_with(w.word, prefix)))
     ORDER BY u.id LIMIT at_most;
END
$$;

-- Makes the users who have no row yet. Without `may_create`, returns them instead.
CREATE FUNCTION messenger.ensure_users(ids bigint[], may_create boolean) RETURNS SETOF bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
BEGIN
    IF may_create THEN
        INSERT INTO users (id) SELECT DISTINCT wanted FROM unnest(ids) AS wanted ORDER BY wanted
        ON CONFLICT DO NOTHING;
    ELSE
        RETURN QUERY SELECT DISTINCT wanted FROM unnest(ids) AS wanted
                      WHERE (SELECT u.id FROM users u WHERE u.id = wanted) IS NULL ORDER BY wanted;
    END IF;
END
$$;

-- Replaces the words of a user's name. This and the next two functions are parts of those below.
CREATE FUNCTION messenger.set_words(user_id bigint, words jsonb) RETURNS void
LANGUAGE sql
AS $$
    DELETE FROM messenger.user_words w WHERE w.user_id = $1 AND NOT words ? w.word;
    INSERT INTO messenger.user_words (word, user_id)
    SELECT DISTINCT word, $1 FROM jsonb_array_elements_text(words) AS word
    ON CONFLICT DO NOTHING;
$$;

-- The user whom an item names by `id`, else by `external_id`; null if there is none.
CREATE FUNCTION messenger.user_of(item jsonb) RETURNS bigint
LANGUAGE sql STABLE
AS $$
    SELECT CASE WHEN item ->> 'id' IS NOT NULL
                THEN (SELECT u.id FROM messenger.users u WHERE u.id = (item ->> 'id')::bigint)
                ELSE (SELECT u.id FROM messenger.users u WHERE u.external_id = item ->> 'external_id') END
$$;

-- The next id of ours that no user has: a host may have used some of these numbers itself.
CREATE FUNCTION messenger.new_user_id() RETURNS bigint
LANGUAGE plpgsql
AS $$
DECLARE
    candidate bigint;
BEGIN
    LOOP
        candidate := nextval('messenger.user_ids');
        EXIT WHEN NOT EXISTS (SELECT FROM messenger.users u WHERE u.id = candidate);
    END LOOP;
    RETURN candidate;
END
$$;

-- Lets users in who come with a token: makes their rows, and takes the name and picture from the token's claims.
-- An item: {id or external_id, issued_at (Unix time), name, avatar_url, words}; place is its index.
CREATE FUNCTION messenger.admit_users(batch jsonb)
RETURNS TABLE (place integer, id bigint, is_deactivated boolean, is_changed boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    changed bigint[];
BEGIN
    INSERT INTO users (id, external_id)
    SELECT coalesce((item ->> 'id')::bigint, new_user_id()), item ->> 'external_id'
      FROM jsonb_array_elements(batch) AS item
     WHERE user_of(item) IS NULL
     ORDER BY 2, 1
    ON CONFLICT DO NOTHING;

    WITH claimed AS MATERIALIZED (
        SELECT DISTINCT ON (user_of(item)) user_of(item) AS id, item ->> 'name' AS name,
               item ->> 'avatar_url' AS avatar_url, item -> 'words' AS words,
               to_timestamp((item ->> 'issued_at')::float8) AS issued_at
          FROM jsonb_array_elements(batch) AS item
         WHERE item ->> 'name' IS NOT NULL OR item ->> 'avatar_url' IS NOT NULL
         ORDER BY user_of(item), (item ->> 'issued_at')::float8 DESC
    ), before AS MATERIALIZED (
        SELECT u.id, u.name, u.avatar_url FROM claimed c JOIN users u ON u.id = c.id
         WHERE NOT u.is_provisioned AND (u.claims_at IS NULL OR u.claims_at < c.issued_at)
         ORDER BY u.id FOR NO KEY UPDATE OF u
    ), renamed AS (
        UPDATE users u
           SET name = coalesce(c.name, b.name), avatar_url = coalesce(c.avatar_url, b.avatar_url),
               claims_at = c.issued_at,
               version = u.version + ((coalesce(c.name, b.name), coalesce(c.avatar_url, b.avatar_url))
                                      IS DISTINCT FROM (b.name, b.avatar_url))::integer
          FROM before b JOIN claimed c ON c.id = b.id
         WHERE u.id = b.id
        RETURNING u.id, c.words, (u.name, u.avatar_url) IS DISTINCT FROM (b.name, b.avatar_url) AS is_changed
    ), worded AS MATERIALIZED (
        SELECT r.id, r.is_changed, CASE WHEN r.words IS NOT NULL THEN set_words(r.id, r.words) END FROM renamed r
    )
    SELECT array_agg(w.id) INTO changed FROM worded w WHERE w.is_changed;

    RETURN QUERY
    SELECT (ordinality - 1)::integer, u.id, u.deactivated_at IS NOT NULL, coalesce(u.id = ANY (changed), false)
      FROM jsonb_array_elements(batch) WITH ORDINALITY AS input (item, ordinality)
      JOIN users u ON u.id = user_of(item);
END
$$;

-- Stores profiles as the host has them. An item: {id, external_id, words} and the fields to set; fields left out
-- stay. `place` is its index; `is_conflict`: the external id belongs to another user. Rows are made and locked in
-- one order, so that callers who send the same users can't wait for each other.
CREATE FUNCTION messenger.upsert_users(batch jsonb)
RETURNS TABLE (place integer, id bigint, is_changed boolean, is_conflict boolean)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    changed bigint[];
    made bigint[];
BEGIN
    WITH made AS (
        INSERT INTO users (id, external_id, name, avatar_url, locale, timezone, custom, is_provisioned)
        SELECT coalesce((item ->> 'id')::bigint, new_user_id()), item ->> 'external_id', item ->> 'name',
               item ->> 'avatar_url', item ->> 'locale', item ->> 'timezone', coalesce(item -> 'custom', '{}'), true
          FROM jsonb_array_elements(batch) AS item
         WHERE user_of(item) IS NULL
         ORDER BY 2, 1
        ON CONFLICT DO NOTHING
        RETURNING id, external_id
    )
    SELECT array_agg(m.id) INTO made FROM made m;
    PERFORM set_words(user_of(item), item -> 'words') FROM jsonb_array_elements(batch) AS item
      WHERE user_of(item) = ANY (made) AND item ? 'words';

    WITH wanted AS MATERIALIZED (
        SELECT u.id, i.item,
               coalesce(i.item ->> 'external_id', u.external_id) AS external_id,
               CASE WHEN i.item ? 'name' THEN i.item ->> 'name' ELSE u.name END AS name,
               CASE WHEN i.item ? 'avatar_url' THEN i.item ->> 'avatar_url' ELSE u.avatar_url END AS avatar_url,
               CASE WHEN i.item ? 'locale' THEN i.item ->> 'locale' ELSE u.locale END AS locale,
               CASE WHEN i.item ? 'timezone' THEN i.item ->> 'timezone' ELSE u.timezone END AS timezone,
               CASE WHEN i.item ? 'custom' THEN i.item -> 'custom' ELSE u.custom END AS custom,
               u.name AS old_name, u.avatar_url AS old_avatar_url
          FROM jsonb_array_elements(batch) AS i (item)
          JOIN users u ON u.id = user_of(i.item)
         -- A conflict of external ids changes nothing.
         WHERE coalesce((SELECT o.id FROM users o WHERE o.external_id = i.item ->> 'external_id'), u.id) = u.id
         ORDER BY u.id FOR NO KEY UPDATE OF u
    ), stored AS (
        UPDATE users u
           SET external_id = w.external_id, name = w.name, avatar_url = w.avatar_url, locale = w.locale,
               timezone = w.timezone, custom = w.custom, is_provisioned = true,
               version = u.version + ((w.name, w.avatar_url, w.locale, w.timezone, w.custom)
                         IS DISTINCT FROM (u.name, u.avatar_url, u.locale, u.timezone, u.custom))::integer
          FROM wanted w
         WHERE u.id = w.id
           AND (NOT u.is_provisioned OR (w.external_id, w.name, w.avatar_url, w.locale, w.timezone, w.custom)
                IS DISTINCT FROM (u.external_id, u.name, u.avatar_url, u.locale, u.timezone, u.custom))
        RETURNING u.id, w.item, (u.name, u.avatar_url) IS DISTINCT FROM (w.old_name, w.old_avatar_url) AS is_changed
    ), worded AS MATERIALIZED (
        SELECT s.id, s.is_changed, CASE WHEN s.item ? 'words' THEN set_words(s.id, s.item -> 'words') END
          FROM stored s
    )
    SELECT array_agg(w.id) INTO changed FROM worded w WHERE w.is_changed;

    RETURN QUERY
    SELECT (ordinality - 1)::integer, u.id, coalesce(u.id = ANY (changed), false),
           u.id IS NULL OR u.external_id IS DISTINCT FROM coalesce(item ->> 'external_id', u.external_id)
      FROM jsonb_array_elements(batch) WITH ORDINALITY AS input (item, ordinality)
      LEFT JOIN users u ON u.id = user_of(item);
END
$$;

REVOKE ALL ON messenger.users, messenger.user_words, messenger.conversation_keys, messenger.server_keys,
       messenger.server_audit, messenger.user_ids FROM PUBLIC;
REVOKE ALL ON FUNCTION messenger.is_server(), messenger.members_named(bigint[], uuid[]),
       messenger.find_users(text[], bigint, integer, boolean), messenger.ensure_users(bigint[], boolean),
       messenger.set_words(bigint, jsonb), messenger.user_of(jsonb), messenger.new_user_id(),
       messenger.admit_users(jsonb), messenger.upsert_users(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION messenger.is_server(), messenger.members_named(bigint[], uuid[]),
      messenger.find_users(text[], bigint, integer, boolean), messenger.ensure_users(bigint[], boolean),
      messenger.admit_users(jsonb), messenger.upsert_users(jsonb)
   TO messenger_chat;
GRANT EXECUTE ON FUNCTION messenger.is_server(), messenger.set_words(bigint, jsonb), messenger.user_of(jsonb),
      messenger.new_user_id() TO messenger_definer;
GRANT SELECT ON messenger.users, messenger.user_words, messenger.conversation_keys, messenger.server_keys,
      messenger.server_audit TO messenger_chat;
GRANT UPDATE (deactivated_at) ON messenger.users TO messenger_chat;
GRANT INSERT ON messenger.conversation_keys, messenger.server_keys, messenger.server_audit TO messenger_chat;
GRANT UPDATE (conversation_id) ON messenger.conversation_keys TO messenger_chat;
GRANT UPDATE (last_used_at, revoked_at) ON messenger.server_keys TO messenger_chat;
GRANT UPDATE (custom) ON messenger.conversations TO messenger_chat;
GRANT SELECT, INSERT ON messenger.users, messenger.user_words TO messenger_definer;
GRANT UPDATE ON messenger.users TO messenger_definer;
GRANT DELETE ON messenger.user_words TO messenger_definer;
GRANT USAGE ON SEQUENCE messenger.user_ids TO messenger_definer;

ALTER TABLE messenger.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.user_words ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.conversation_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.server_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE messenger.server_audit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer ON messenger.users TO messenger_definer USING (true);
CREATE POLICY definer ON messenger.user_words TO messenger_definer USING (true);

-- A user sees their own row. Others' names come from members_named.
CREATE POLICY chat_select ON messenger.users FOR SELECT TO messenger_chat
    USING (id = (SELECT messenger.me()) OR (SELECT messenger.is_server()));
CREATE POLICY chat_update ON messenger.users FOR UPDATE TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY chat_select ON messenger.user_words FOR SELECT TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY chat_all ON messenger.conversation_keys TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY chat_all ON messenger.server_keys TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY chat_all ON messenger.server_audit TO messenger_chat USING ((SELECT messenger.is_server()));

-- With a server key, a host reads and changes all conversations; what it may do there is for the rules to say.
CREATE POLICY server_all ON messenger.conversations TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.conversation_participants TO messenger_chat
    USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.participant_absences TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.messages TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.message_versions TO messenger_chat USING ((SELECT messenger.is_server()));
CREATE POLICY server_all ON messenger.read_receipts TO messenger_chat USING ((SELECT messenger.is_server()));

GRANT CREATE ON SCHEMA messenger TO messenger_definer;
SET LOCAL ROLE messenger_definer;
-- As in the second migration, but for the host.
CREATE OR REPLACE FUNCTION messenger.conversation_of(message uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = messenger, pg_catalog, pg_temp
SET enable_seqscan = off
AS $$
    SELECT m.conversation_id FROM messages m
     WHERE m.id = message
       AND (EXISTS (SELECT FROM conversation_participants p
                     WHERE p.conversation_id = m.conversation_id AND p.user_id = me())
            OR is_server())
$$;
RESET ROLE;
ALTER FUNCTION messenger.members_named(bigint[], uuid[]) OWNER TO messenger_definer;
ALTER FUNCTION messenger.find_users(text[], bigint, integer, boolean) OWNER TO messenger_definer;
ALTER FUNCTION messenger.ensure_users(bigint[], boolean) OWNER TO messenger_definer;
ALTER FUNCTION messenger.admit_users(jsonb) OWNER TO messenger_definer;
ALTER FUNCTION messenger.upsert_users(jsonb) OWNER TO messenger_definer;
REVOKE CREATE ON SCHEMA messenger FROM messenger_definer;
