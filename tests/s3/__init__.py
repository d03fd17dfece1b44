"""An S3 store for tests: moto over HTTP, behind a check of signatures, lengths and lifetimes."""
