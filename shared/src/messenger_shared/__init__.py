"""What the three services share: their contract, and the plumbing under them. No rule of any service is here.

From top to bottom; each imports only those below it (`.importlinter` holds that):

tracing        spans of OpenTelemetry, where they are switched on
rpc            requests and answers over the bus, and which workers are alive
bus            Redis Pub/Sub: channels, keys, connections; a bus in memory for tests
postgres       the connection pool, statements with deadlines, migrations
runtime        how a service runs: its HTTP server, health routes, start and stop, background tasks
observability  metrics, logs, and the health of each worker
settings       environment variables: declared, read once, checked
contract       what is public: operations and schemas, events, errors, close codes, tokens, ids
"""
