"""Who a client is.

`handshake` finds the token or ticket in a request and the identity that it proves; `upgrade` checks the
rest of the request for a socket. `authenticator` turns a token into an identity: verified, admitted by
`accounts` (which knows who is deactivated) and not revoked (`revocations`). `signing_keys` holds the keys
that tokens are checked with, `tickets` the one-time tickets, `server_keys` the keys of host applications,
`credentials` wires them. Called by `edge`, `admin`, `sockets` and `delivery`; it imports `connections`,
since a revocation closes sockets.
"""
