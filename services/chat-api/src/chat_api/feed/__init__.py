"""The feed: a process that follows the committed changes of conversations, for consumers with names.

app         builds the application: settings, consumers, and the order in which they start and stop
consumer    what a consumer has to do, and what it may rely on
follower    finds conversations with changes, claims them, and hands them to a consumer
agenda      which conversations are to be looked at, and when
marks       hears which conversations have moved
cursors     how far consumers have come, and who works on what, in PostgreSQL
held_lease  the lease of a batch, which is renewed
reached     remembers how far conversations have come
indexer     the consumer that writes the search index
event_log   the consumer that writes the log of events
webhooks    delivers to webhooks what that log has
push        the consumer that pushes new messages to the devices of users
settings    the settings of the process
metrics     what it tells of itself
"""
