"""Files: where their bytes are, what they are, and the operations on them.

`store` is the port of a store of bytes, `fs_store` the one in a folder, `part` an upload in it, and `s3` the
store in a bucket. `content_types` tells what a file is by its content, `downloads` how it is served.
`processing` takes complete files through their `examination`: scanner and previews, in a `scratch` folder.
`operations` has the handlers of the clients' operations, `remover` removes the bytes of files that nobody
needs any more. `transfers` limits how many uploads and downloads there are at once.
"""
