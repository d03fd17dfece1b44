"""How a search goes through a user's conversations, and what of a worker's time it takes.

work    one request's work: for whom, until when
finder  the newest messages first, in all conversations at once
sweep   all conversations in the order of their ids, over several requests
turns   how searches share a worker's time
"""
