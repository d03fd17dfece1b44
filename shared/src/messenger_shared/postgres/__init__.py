"""PostgreSQL: `database` runs statements and transactions with deadlines, over the connections of `pool`.

`servers` lists the addresses to try, `health` records whether the server answers and takes writes,
`sqlstates` classifies its errors, `migrations` brings a schema up to date.
"""
