"""The one way out: HTTP requests to servers that users and host applications name.

`settings` says where requests may go, `addresses` decides about an address, `urls` about a URL. `resolver`
looks names up and refuses addresses, `connections` makes connections and bounds what comes back, `slots`
bounds how many requests there are at once. `client` joins them; `metrics` counts. `signatures` signs
what is sent.
"""
