"""Push as a consumer of the feed: new messages are queued, and pushed three seconds later.

wiring        makes the parts from the settings
planner       the consumer: queues what may have to be pushed
queue         the queue and everything else in PostgreSQL
pusher        takes what is due, and gives it to the outbox
decider       applies the rules to what is due
viewers       asks the gateways who looks at a conversation
outbox        sends pushes, many at once but one at a time to a device
ledger        notes what became of pushes, and writes it down together
settings      the settings of push
webpush       the channel to browsers
stdout        a channel that only prints, for kinds without an adapter
metrics       what it tells of itself
"""
