-- The feed: how far each consumer has followed each conversation's changes.

CREATE TABLE messenger.feed_cursors (
    consumer        text NOT NULL,
    conversation_id uuid NOT NULL REFERENCES messenger.conversations,
    -- The consumer is done with all changes up to this one.
    pos             bigint NOT NULL DEFAULT 0,
    -- Who works on it now, and until when nobody else may.
    lease           uuid,
    leased_until    timestamptz,
    PRIMARY KEY (consumer, conversation_id)
);
