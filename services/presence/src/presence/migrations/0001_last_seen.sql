-- When each user was last seen. The time is in no index, so with room on the page an update touches none.
CREATE TABLE presence.last_seen (
    user_id bigint PRIMARY KEY,
    last_seen_at timestamptz NOT NULL
) WITH (fillfactor = 80);
