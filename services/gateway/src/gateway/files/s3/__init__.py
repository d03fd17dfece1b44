"""The bytes of files in an S3-compatible store: clients exchange them with the store itself, by signed URLs.

`store` implements the port. `uploads` has what is uploaded in parts, `client` makes requests and signs URLs,
`listing` lists the bucket for the check of files.
Only a gateway with such a store imports these modules, and with them botocore.
"""
