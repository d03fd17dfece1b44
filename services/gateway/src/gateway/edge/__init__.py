"""What clients reach over HTTP.

`websocket` is the handler of the socket routes: it authenticates, admits, upgrades, serves, and cleans
up. `rest` makes a route of every row of the operation table for clients, `server` for host applications;
`server_users` has the handlers of those that the gateway answers itself. `pages` serves the web client
and the demo, `docs` and `documents` the published contract, which `contract` writes to files. `problems`,
`headers` and `origins` concern every response. It may import every package below; only `gateway.app` and
`gateway.admin` import it.
"""
