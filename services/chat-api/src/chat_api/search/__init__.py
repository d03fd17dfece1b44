"""Search: what the index keeps of messages, and how a query finds them.

grams      the numbers by which the index finds blocks of messages
texts      which texts of a message a search looks into
layout     which messages are in a block together
blocks     blocks made from messages
index      the statements that write the index
query      what a search asks for
matching   words in texts
positions  places in a text from places in its folded form
store      what a search reads, as a protocol
walks      how a search goes through a user's conversations
searching  a page of messages within the time for one request
cursor     where a search goes on
"""
