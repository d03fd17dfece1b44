"""Search: what the index keeps of messages, and how a query finds them.

grams     the numbers by which the index finds blocks of messages
texts     which texts of a message a search looks into
"""
