"""chat-api: the truth about conversations and messages.

app               wires all of it
handlers          one short coroutine per operation
rules             what is allowed; no I/O
send_batcher      gathers sends, so that many share one transaction
storage           the SQL, beside the functions that run it; `migrations` are the tables
search            what the search index keeps of messages
feed              a process of its own: follows committed changes, and writes the search index
publisher         tells the gateways of durable changes, after their commit
high_water_marks  tells the gateways every second how far conversations have come
ports, model      what a store promises, and the data that travels between store and handlers
event_ports       the same for what hosts and webhooks are told of
tracing           spans of stored messages, where tracing is on
settings          the environment variables that it reads
check             audits the database: python -m chat_api.check
reindex           rebuilds the search index: python -m chat_api.reindex
migrate           python -m chat_api.migrate
"""
