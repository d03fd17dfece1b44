"""The history benchmark: what a user waits for at 10 million messages, beside what he waits at 10 thousand.

`python -m tests.bench.history` starts two embedded stacks, fills one with much and one with little, and takes
the same latencies of both in turns, so that both see the same minutes of the machine. The users who are
measured look the same in both: each is in 500 conversations, is in the largest one, and has left unread what
he has left unread. Only the amount of data around them differs.

    __main__.py    the command line and the order of things
    shape.py       what is in a database: conversations, members, sizes, all from one seed
    rows.py        the same as rows for COPY
    loader.py      brings the rows into a migrated database
    places.py      where a measurement may look: the users and the conversations of a filled database
    stores.py      the operations through chat-api's own stores
    rest.py        the operations through the whole product
    measure.py     runs in turns, the percentiles, the table
"""
