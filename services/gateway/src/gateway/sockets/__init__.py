"""The commands of a socket, and its life from first frame to close.

`reader` takes frames off a socket within its rate limits. `commands` decodes and checks a frame and
dispatches it; `command_queue` keeps the order of one socket's commands. `socket_commands` and
`presence_commands` are the commands that the gateway answers itself. `heartbeat` pings and closes dead
sockets, `admission` bounds how many are opening at once, `drain` closes all of them before a shutdown.
Called by `gateway.edge`, `gateway.admin` and `gateway.app`.
"""
