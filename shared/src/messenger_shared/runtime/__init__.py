"""How a service runs.

`service` has health routes, components with a start and a stop, and shutdown; `http_server` and `frame_masks`
harden aiohttp's server; `http_methods` answers OPTIONS; `background_tasks` runs work that nobody awaits.
"""
