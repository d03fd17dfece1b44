-- The service's role, for all databases of the server: it owns nothing. There are no users to tell apart here,
-- so no row-level security either. An operator whose migrations may not create roles creates it first.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'messenger_presence') THEN
        CREATE ROLE messenger_presence NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- A migration of another database was faster.
END
$$;

REVOKE ALL ON ALL TABLES IN SCHEMA presence FROM PUBLIC;
GRANT USAGE ON SCHEMA presence TO messenger_presence;
GRANT SELECT, INSERT ON presence.last_seen TO messenger_presence;
GRANT UPDATE (last_seen_at) ON presence.last_seen TO messenger_presence;
