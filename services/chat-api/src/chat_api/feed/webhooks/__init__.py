"""Delivers to webhooks what the log of events has.

supervisor  which webhooks this process delivers to, by leases
peers       how many processes share the webhooks
dispatcher  one webhook: reads the log and the backlog, several conversations at once
lane        one conversation of a webhook: its changes one after the other
presence    who came online or went offline: at once, or never
receiver    the receiver of a webhook, while this process has the lease
postman     one attempt: signs, posts, and says what became of it
model       what these hand to each other
store       leases, progress, the backlog and attempts, in PostgreSQL
testing     posts a test when a host asks for one
metrics     what is counted
"""
