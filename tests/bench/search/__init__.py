"""The search benchmark: how long a search takes among a million and among ten million messages.

`python -m tests.bench.search` fills an embedded stack without a feed with texts, conversations and users from
one seed. Then a feed indexes them, and users in ten, a hundred and a thousand conversations search over REST:
with warm caches, and after a restart of PostgreSQL. At the end W2 runs with a feed and without one.

    __main__.py     the command line and the order of the runs
    zipf.py         choices with weights, and Zipf's law
    korean.py english.py words/
                    the words and how frequent they are
    texts.py        the texts of messages
    shape.py        conversations, and the users who search
    indexing.py     how fast the feed indexes, and the size of the index
    queries.py      what is searched for: frequent and rare pieces of the texts
    searching.py    searches over REST
    cold.py         a restart of PostgreSQL with cold caches
    report.py       the table and the JSON
"""
