"""The operation table: everything that a client or a service can ask, one module per noun.

`operation` says what a row is, `table` joins the rows of all modules. The gateway makes its REST routes and
its socket commands of the table, the services register one handler per row, and openapi.json and
asyncapi.json are made of it.
"""
