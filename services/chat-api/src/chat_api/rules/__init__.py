"""The rules, without I/O.

permissions    which role may do what, per conversation type
access         who may read a conversation
conversations  what a new conversation looks like
messages       who may edit and delete a message, and when
mentions       whom a message mentions, and whom an edit adds
settings       what a change of notification settings means
"""
