#!/bin/sh
# Starts Redis with the users of users.acl. Their passwords come from the environment, so no command line shows them.
set -eu

users=$(cat /etc/messenger/users.acl)
for name in GATEWAY CHAT_API PRESENCE FEED OBSERVER; do
    eval "password=\${${name}_PASSWORD:?is not set}"
    digest=$(printf %s "$password" | sha256sum)
    users=$(printf '%s\n' "$users" | sed "s/ #$name / #${digest%% *} /")
done
umask 077
# Redis allows no comments in this file.
printf '%s\n' "$users" | grep -v '^#' >/tmp/users.acl

# Redis stores nothing on disk: its data is only in flight, and gateways report again who is online. The output buffer
# lets a gateway lag for a moment. A gateway that stalls is disconnected, so memory stays bounded.
exec redis-server --aclfile /tmp/users.acl --save '' --appendonly no --maxmemory-policy noeviction \
    --client-output-buffer-limit 'pubsub 256mb 64mb 60'
