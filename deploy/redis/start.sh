#!/bin/sh
# Starts Redis with the users of users.acl, whose passwords are in the environment; no command line shows them.
set -eu

users=$(cat /etc/messenger/users.acl)
for name in GATEWAY CHAT_API PRESENCE OBSERVER; do
    eval "password=\${${name}_PASSWORD:?is not set}"
    digest=$(printf %s "$password" | sha256sum)
    users=$(printf '%s\n' "$users" | sed "s/ #$name / #${digest%% *} /")
done
umask 077
# Redis takes no comments there.
printf '%s\n' "$users" | grep -v '^#' >/tmp/users.acl

# It keeps nothing: all it carries is in flight, and who is online is reported anew. A gateway that lags for a moment is
# not cut off; one that stands still is, in bounded memory.
exec redis-server --aclfile /tmp/users.acl --save '' --appendonly no --maxmemory-policy noeviction \
    --client-output-buffer-limit 'pubsub 256mb 64mb 60'
