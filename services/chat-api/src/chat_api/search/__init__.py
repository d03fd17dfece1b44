"""Search: what the index keeps of messages, and how a query finds them.

grams     the numbers by which the index finds blocks of messages
"""
