"""The feed's benchmark: its cost for those who chat, how far it is behind them, how soon it pushes messages.

`python -m tests.bench.feed` runs W2 in turns on a stack without a feed, on one with a feed, and on one whose
three webhooks get every event. Then users write a hundred messages a second, and each is pushed to a browser.

    __main__.py     the command line and the order of the runs
    beside_chat.py  W2 on the three stacks, and the index's lag
    receiver.py     the webhooks and their receiver, a process of its own
    backends.py     the CPU of the feed's backends in PostgreSQL
    pushing.py      the time from a message to its push
"""
