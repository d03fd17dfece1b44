"""Environment variables: `environment` reads them, `variables` declares one with its type, default and
meaning, `common` has those that several services share.
"""
