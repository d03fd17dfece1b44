#!/usr/bin/env bash
# Makes base images on a machine that reaches Debian's packages but no image registry: with debootstrap, tagged with the
# official names, so that deploy/Dockerfile and docker-compose.yml run unchanged. Existing images of these names stay.
# It needs root, podman and debootstrap. Node.js comes from the machine itself, the packages from the archive that the
# machine's apt uses, or from DEBIAN_MIRROR=URL.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# own_mirror: prints the archive from which apt takes this Debian's packages.
own_mirror() {
    local ID='' VERSION_CODENAME=''
    . /etc/os-release
    [ "$ID" = debian ] || return 0
    apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' 2>/dev/null \
        | awk -v release="$VERSION_CODENAME" '$1 == "Packages" && $2 == release && $3 == "main" { print $4; exit }'
}

mirror=${DEBIAN_MIRROR:-$(own_mirror)}
if [ -z "$mirror" ]; then
    echo "apt names no archive of Debian here: set DEBIAN_MIRROR to one" >&2
    exit 1
fi
# debootstrap uses the proxy of apt.
if [ -z "${http_proxy:-}" ]; then
    eval "$(apt-config shell http_proxy Acquire::http::Proxy)"
    export http_proxy
fi

missing() { ! podman image exists "$1"; }

# debian SUITE PACKAGES: makes the image stand-in-SUITE, a root file system with the machine's own certificates.
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

# image NAME SUITE: builds NAME on top of stand-in-SUITE, from the Containerfile on standard input and files in $work.
image() {
    missing "docker.io/library/$1" || return 0
    { echo "FROM localhost/stand-in-$2"; echo "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"; cat; } \
        | podman build --quiet --format docker --tag "docker.io/library/$1" --file - "$work" >/dev/null
}

debian bookworm redis-server
debian trixie python3,python3-venv,postgresql-17,haproxy,prometheus

# As in the official image, Python is in /usr/local, and pip may install into it and be removed.
image python:3.13-slim trixie <<'EOF'
RUN python3 -m venv /usr/local
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

# The first start creates the database that the environment names, as the official image does.
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
