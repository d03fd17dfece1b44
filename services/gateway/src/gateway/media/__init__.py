"""Media: what a file shows, how long it lasts, and whether it is clean. Nothing else that it tells is kept.

`processor` is what the gateway calls: it runs one `worker` process per file, and ends it when it takes too
long. `job` is what it gives to the worker. In the worker, `work` decides what to do: `pictures` opens a
picture and makes its thumbnails, `upright` turns one, `formats` drops metadata without loss, `durations`
reads how long audio and video last. `scanner` asks clamd or an HTTP service about viruses.

Only the worker imports Pillow and other readers, so no user's file is read in the gateway's own process.
"""
