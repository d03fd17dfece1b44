-- What a user chose to show of himself; whoever never chose has no row.
CREATE TABLE presence.choices (
    user_id              bigint PRIMARY KEY,
    invisible            boolean NOT NULL,
    last_seen_visibility text NOT NULL CHECK (last_seen_visibility IN ('everyone', 'contacts', 'nobody')),
    -- Grows with every change.
    version              bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 80);

-- Those that Redis has to know before it takes anybody for present.
CREATE INDEX choices_exceptions ON presence.choices (user_id)
 WHERE invisible OR last_seen_visibility = 'nobody';

REVOKE ALL ON presence.choices FROM PUBLIC;
GRANT SELECT, INSERT ON presence.choices TO messenger_presence;
GRANT UPDATE (invisible, last_seen_visibility, version) ON presence.choices TO messenger_presence;
