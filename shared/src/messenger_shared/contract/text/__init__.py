"""Rules about texts that services and clients share.

What is blank, how searches fold, what is an emoji, and what the name of a file can't have.
"""
