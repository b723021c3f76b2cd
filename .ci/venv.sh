# shellcheck shell=sh
# Sourced by ./run and ./check: finds a Python and makes a virtual environment out of lock files.
# POSIX sh. Says one line per step on stderr.

: "${root:?the folder of the clone}"

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
has_apt() { command -v apt-get >/dev/null 2>&1; }

# apt_install PACKAGE...: only called as root on Debian or Ubuntu. Lists may be empty on a fresh machine, hence the second try.
apt_install() {
    say "Installing from Debian: $*"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    if ! apt-get install -y --no-install-recommends "$@" >"$log" 2>&1; then
        { apt-get update && apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1 || {
            tail -n 5 "$log" >&2
            rm -f "$log"
            say "apt-get could not install: $*. Its last lines stand above."
            return 1
        }
    fi
    rm -f "$log"
}

good_python() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; }

# Sets $python to the first interpreter that the lock files have wheels for.
find_python() {
    for python in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14; do
        if good_python "$python"; then return 0; fi
    done
    stop "Arbitre needs Python 3.11, 3.12, 3.13 or 3.14, and none was found. Install one (Debian, Ubuntu: apt-get install python3 python3-venv), or name one: PYTHON=/path/to/python3.12 $0"
}

# Prints, on one line, the Debian packages without which Arbitre cannot start: ensurepip of Debian's own Python, bubblewrap, setpriv.
missing_packages() {
    packages=
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        packages=$("$python" -c 'import sys; print(f"python3.{sys.version_info[1]}-venv")')
    fi
    command -v bwrap >/dev/null 2>&1 || packages="$packages bubblewrap"
    command -v setpriv >/dev/null 2>&1 || packages="$packages util-linux"
    printf '%s\n' "${packages# }"
}

# make_venv DIR LOCK...: DIR is rebuilt from nothing when a lock, the interpreter or the place changed, else left as it is.
make_venv() {
    venv=$1
    shift
    stamp=$({ cat "$@" && "$python" -VV && printf '%s' "$venv"; } | sha256sum)
    if [ "$(cat "$venv/.lock-stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
    say "Making a virtual environment in $venv ($("$python" -V))"
    mkdir -p "$venv" 2>/dev/null || true
    [ -w "$venv" ] || stop "The folder $venv cannot be written. Start as the user who owns the clone, or clone to a folder of your own."
    mask=$(umask)
    umask 022 # where the runner is root, the uid inside its sandboxes must be able to read the environment
    "$python" -m venv --clear "$venv" >&2 || stop "The virtual environment could not be made in $venv. The lines above say why."
    install_locks "$@"
    umask "$mask"
    printf '%s\n' "$stamp" >"$venv/.lock-stamp"
}

# Reads pip's output: counts packages, repeats errors, fails when the writer said so in its last line.
show_progress() {
    count=0
    while read -r word package rest; do
        case $word in
            Collecting | Processing)
                count=$((count + 1))
                if [ $((count % 10)) = 0 ]; then say "  $count of $1"; fi
                ;;
            Installing) say "  all $count read, installing them" ;;
            ERROR:) say "  $package $rest" ;;
            pip-failed) return 1 ;;
        esac
    done
}

# install_locks LOCK...: into $venv. Wheels only: an unpinned build of a source archive would run code that no hash covers.
install_locks() {
    total=$(cat "$@" | grep -o '^[A-Za-z0-9._-]*==' | sort -u | wc -l)
    say "Installing $total pinned packages, hashes checked (a minute or two, the first time)"
    for lock in "$@"; do
        set -- "$@" -r "$lock"
        shift
    done
    {
        PYTHONUNBUFFERED=1 "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off \
            --require-hashes --only-binary :all: "$@" 2>&1 || echo pip-failed
    } | show_progress "$total" || stop "The packages could not be installed. Without a network, copy a .venv of the same folder, or let pip find the wheels (PIP_FIND_LINKS=DIR). Then start again."
}

# install_project: links the clone into $venv and compiles translations; only when one of their sources has changed.
install_project() {
    stamp=$({ cat "$root/pyproject.toml" "$venv/.lock-stamp" && find "$root/web/locale" -name '*.po' -exec cat {} +; } 2>/dev/null | sha256sum)
    if [ "$(cat "$venv/.project-stamp" 2>/dev/null)" = "$stamp" ]; then return 0; fi
    say "Installing Arbitre itself"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --no-index \
        --editable "$root" >&2 || stop "Arbitre could not be installed from $root. The lines above say why."
    printf '%s\n' "$stamp" >"$venv/.project-stamp"
}
