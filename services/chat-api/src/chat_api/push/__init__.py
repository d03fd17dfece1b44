"""Push: what is known of devices, when a message is pushed, and how pushes look on the wire.

model         devices, pushes, and what became of one
rules         the table of rules that decide whether a message is pushed to a user
payloads      what a push says
aes128gcm     encrypts a payload for one browser (RFC 8291)
vapid         the keys of the server, and the token in a request to a push service (RFC 8292)
settings      the settings that chat-api and the feed share
"""
