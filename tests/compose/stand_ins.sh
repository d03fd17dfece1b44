#!/usr/bin/env bash
# Base images for a machine that reaches Debian's packages and no image registry: made with debootstrap and tagged with
# the official names, so that deploy/Dockerfile and docker-compose.yml run as they are. Where an image of that name is
# there already, it is kept. Needs root, podman and debootstrap; Node.js comes from the machine itself.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

missing() { ! podman image exists "$1"; }

# debian SUITE PACKAGES: a root file system with the machine's own certificates, as the image stand-in-SUITE.
debian() {
    missing "localhost/stand-in-$1" || return 0
    echo "stand-in: Debian $1 with $2" >&2
    debootstrap --variant=minbase --include="ca-certificates,$2" "$1" "$work/$1" "$mirror" >"$work/$1.log" 2>&1 \
        || { tail -5 "$work/$1.log" >&2; exit 1; }
    rm -f "$work/$1"/var/cache/apt/archives/*.deb
    cp /etc/ssl/certs/ca-certificates.crt "$work/$1/etc/ssl/certs/ca-certificates.crt"
    tar -C "$work/$1" -c . | podman import --quiet - "localhost/stand-in-$1" >/dev/null
    rm -rf "${work:?}/$1"
}

# image NAME SUITE: on top of it, what the Containerfile on standard input says; files beside it are in $work.
image() {
    missing "docker.io/library/$1" || return 0
    { echo "FROM localhost/stand-in-$2"; echo "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"; cat; } \
        | podman build --quiet --format docker --tag "docker.io/library/$1" --file - "$work" >/dev/null
}

debian bookworm python3,python3-venv,python3-pip,redis-server
debian trixie postgresql-17,haproxy,prometheus

# As in the official image, pip may install into this Python.
image python:3.11-slim bookworm <<'EOF'
RUN ln -s /usr/bin/python3 /usr/local/bin/python && rm -f /usr/lib/python3.11/EXTERNALLY-MANAGED
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
CMD ["python"]
EOF

if missing docker.io/library/node:20-slim; then
    cp "$(readlink -f "$(command -v node)")" "$work/node"
    cp -r "$(npm root --global)/npm" "$work/npm"
fi
image node:20-slim bookworm <<'EOF'
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["node"]
EOF

image redis:7 bookworm <<'EOF'
WORKDIR /data
CMD ["redis-server"]
EOF

# A first start makes the database that the environment asks for, as the official image does.
cat >"$work/docker-entrypoint.sh" <<'EOF'
#!/bin/bash
set -e
[ "$1" = postgres ] || exec "$@"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    initdb --username="$POSTGRES_USER" --pwfile=<(echo "$POSTGRES_PASSWORD") --auth-host=scram-sha-256 \
        --auth-local=trust $POSTGRES_INITDB_ARGS
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    pg_ctl -w -o "-c listen_addresses=" start
    psql --username="$POSTGRES_USER" --dbname=postgres --command="CREATE DATABASE \"$POSTGRES_DB\""
    pg_ctl -w stop
fi
exec "$@"
EOF
chmod 755 "$work/docker-entrypoint.sh"
image postgres:17 trixie <<'EOF'
COPY docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN rm -rf /var/lib/postgresql && install -d -o postgres -g postgres -m 700 /var/lib/postgresql /var/lib/postgresql/data
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin PGDATA=/var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
EOF

image haproxy:3.0 trixie <<'EOF'
USER haproxy
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
EOF
