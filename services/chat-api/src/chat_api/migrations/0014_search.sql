-- The search index. It holds no texts: a query finds blocks by their grams, and then reads their messages.

-- A run of a conversation's messages, at most 64. Blocks of a conversation don't overlap.
CREATE TABLE messenger.search_blocks (
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    first_seq       bigint NOT NULL,
    last_seq        bigint NOT NULL,
    -- The latest created_at of its messages.
    newest_at       timestamptz NOT NULL,
    -- As in chat_api/search/grams.py; one of them stands for the conversation.
    grams           integer[] NOT NULL,
    PRIMARY KEY (conversation_id, first_seq)
);
-- Without a list of pending entries, which every search would have to read.
CREATE INDEX search_blocks_by_grams ON messenger.search_blocks USING gin (grams) WITH (fastupdate = off);
