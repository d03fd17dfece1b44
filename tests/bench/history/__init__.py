"""The history benchmark: how long a user waits at 10 million messages, compared with 10 thousand.

`python -m tests.bench.history` starts two embedded stacks, fills one with much and one with little data, and
measures the same latencies of both in turns, so that both see the same minutes of the machine. The measured
users are alike in both: each is in 500 conversations, one of them the largest, with the same amount unread.
Only the amount of data around them differs.

    __main__.py    the command line and the order of the runs
    shape.py       the contents of a database: conversations, members, sizes, all from one seed
    rows.py        the same as rows for COPY
    loader.py      loads the rows into a migrated database
    places.py      where a measurement may look: the users and conversations of a filled database
    stores.py      the operations through chat-api's own stores
    rest.py        the operations through the whole product
    measure.py     runs in turns, the percentiles, the table
"""
