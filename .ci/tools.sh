# shellcheck shell=bash
# Sourced by ./check: the system's tools that tests drive, and a Docker Engine of our own where none answers.

# name on this page | Debian package | what is not run without it
tools() {
    cat <<'TABLE'
bubblewrap|bubblewrap|sandbox tests
postgresql|postgresql|tests on PostgreSQL
docker|docker.io|container tests
debootstrap|debootstrap|the image test
docker-compose|docker-compose|the compose.yaml test
chromium|chromium|browser tests
shellcheck|shellcheck|the lint of shell scripts
TABLE
}

# The newest server that Debian or Ubuntu has installed; its programs are not on the PATH.
postgres_binaries() { find /usr/lib/postgresql -path '*/bin/initdb' -printf '%h\n' 2>/dev/null | sort -V | tail -n 1; }

have() {
    case $1 in
        bubblewrap) command -v bwrap ;;
        postgresql) [ -n "$(postgres_binaries)" ] ;;
        docker) docker info || { is_root && command -v dockerd; } ;;
        docker-compose) docker compose version || command -v docker-compose ;;
        *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

missing_tools() { tools | while IFS='|' read -r name _; do have "$name" || echo "$name"; done; }

needs() { tools | awk -F'|' -v name="$1" '$1 == name { print $3 }'; }

install_tools() {
    local packages
    packages=$(for name in $(missing_tools); do tools | awk -F'|' -v name="$name" '$1 == name { print $2 }'; done)
    # shellcheck disable=SC2086 # a list of package names
    if [ -n "$packages" ] && is_root && has_apt; then apt_install $packages || true; fi
}

# start_engine: uses the Docker Engine that answers, else starts one without a network, for the time of the tests.
start_engine() {
    engine_pid=
    if docker info >/dev/null 2>&1 || ! is_root || ! command -v dockerd >/dev/null 2>&1; then return; fi
    engine=$(mktemp -d)
    mkdir -p .check/docker
    dockerd --data-root "$root/.check/docker" --exec-root "$engine/exec" -H "unix://$engine/docker.sock" \
        --pidfile "$engine/pid" --bridge=none --iptables=false >"$engine/log" 2>&1 &
    engine_pid=$!
    export DOCKER_HOST="unix://$engine/docker.sock"
    for _ in $(seq 60); do
        if docker info >/dev/null 2>&1; then return; fi
        sleep 0.5
    done
    tail -n 5 "$engine/log" >&2
    say "The Docker Engine did not start within 30 seconds; its last lines stand above."
    failed=yes
}

stop_engine() {
    if [ -z "$engine_pid" ]; then return; fi
    docker image prune --force >/dev/null 2>&1 # what older builds left; the newest keep their tags
    kill "$engine_pid" 2>/dev/null
    wait "$engine_pid" 2>/dev/null
    rm -rf "$engine"
}
