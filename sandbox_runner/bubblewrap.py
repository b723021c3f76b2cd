"""The command line of one sandbox, in two tiers, and the read-only folders it sees.

Both tiers: new pid, network, ipc, uts and cgroup namespaces, an empty file system with read-only mounts of the
interpreter, the system's shared libraries, numpy, scipy and the scoring package, no /proc, no /dev, no home, no data
folder, an empty environment, a new session, and the first system-call filter.

root: bubblewrap run as root stays host root, so `setpriv` inside gives up every privilege for a fresh uid. This cannot
happen before bubblewrap, because the files may lie under a home that only root can enter.
user: a user namespace; nobody inside, the runner's own uid outside, all capabilities dropped by bubblewrap.
"""

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

Tier = Literal["root", "user"]

HOME = "/arbitre"
_UIDS = range(2_000_000_000, 2_000_000_000 + 2**20)  # between the ranges that systemd's table of uids gives to anybody
_NAMESPACES = ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
_LIFE = ("--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox", "--chdir", "/")
_INSTALL = ("apt-get install -y", "dnf install -y", "zypper install -y", "pacman -S", "apk add")
_CHILD = ("__init__.py", "bpf.py", "child.py", "work.py")
_OPTIONAL = ("pyarrow",)
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_SETPRIV = ("--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")


class SandboxUnavailable(RuntimeError):
    """No sandbox can be started here; the text says why. Nothing is ever run without one."""


@dataclass(frozen=True)
class Layout:
    """What a sandbox sees. `binds`: (folder or file here, path inside), read-only; `hidden`: paths inside shown empty.

    `module`: whose `main` runs.
    """

    binds: tuple[tuple[Path, str], ...]
    links: tuple[tuple[str, str], ...]
    hidden: tuple[str, ...]
    interpreter: str
    module: str = "sandbox_runner.child"


def tier() -> Tier:
    """How sandboxes are built for the user who runs this process."""
    return "root" if os.geteuid() == 0 else "user"


def layout() -> Layout:
    """The mounts for this interpreter and this installation. Raises `SandboxUnavailable` if a part is missing."""
    interpreter = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    libraries, links = _system_libraries()
    standard = Path(os.__file__).resolve().parent
    prefix = Path(sys.base_prefix).resolve()
    home = standard if prefix == Path("/usr") else prefix / "lib"  # elsewhere libpython and its like lie there too
    own = [*libraries, home, interpreter, *([_program("setpriv")] if tier() == "root" else [])]
    hidden = tuple(str(standard / name) for name in ("site-packages", "dist-packages") if (standard / name).is_dir())
    return Layout(tuple((path, str(path)) for path in own) + tuple(_packages()), links, hidden, str(interpreter))


def command(layout: Layout, *, seccomp: int, uid: int | None) -> list[str]:
    """The command line. `seccomp`: descriptor of the first filter. `uid`: whom to become in tier root, else None."""
    line = [str(_program("bwrap")), *_NAMESPACES, *_LIFE, "--cap-drop", "ALL", "--seccomp", str(seccomp)]
    if uid is None:
        line += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    else:
        line += [part for name in ("SETUID", "SETGID", "SETPCAP") for part in ("--cap-add", f"CAP_{name}")]
    for name in _ONE_THREAD:
        line += ["--setenv", name, "1"]
    line += ["--setenv", "ARROW_DEFAULT_MEMORY_POOL", "system"]  # the others start a thread
    line += [*_mounts(layout), "--"]
    if uid is not None:
        line += [str(_program("setpriv")), "--reuid", str(uid), "--regid", str(uid), *_SETPRIV]
    program = f"import sys; sys.path.append({HOME!r}); from {layout.module} import main; main()"
    return [*line, layout.interpreter, "-I", "-S", "-B", "-X", "utf8", "-c", program]


def slot_uid(number: int) -> int:
    """A uid that nobody has, another for each sandbox. Raises `SandboxUnavailable` where such uids are not mapped."""
    for inside, _, length in (map(int, line.split()) for line in Path("/proc/self/uid_map").read_text().splitlines()):
        if inside <= _UIDS.start and _UIDS.stop <= inside + length:
            return _UIDS[number % len(_UIDS)]
    raise SandboxUnavailable(
        f"The runner is root in a user namespace without the uids {_UIDS.start} to {_UIDS.stop - 1}, which its "
        "sandboxes need. Start the runner as an ordinary user."
    )


def _mounts(layout: Layout) -> list[str]:
    line = []
    for folder in _parents(layout):  # bubblewrap makes missing parents of a file for root only
        line += ["--dir", folder]
    for source, inside in layout.binds:
        line += ["--ro-bind", str(source), inside]
    for target, inside in layout.links:
        line += ["--symlink", target, inside]
    for folder in layout.hidden:
        line += ["--tmpfs", folder, "--remount-ro", folder]
    return [*line, "--remount-ro", "/"]


def _parents(layout: Layout) -> list[str]:
    parents = {str(parent) for _, inside in layout.binds for parent in PurePosixPath(inside).parents}
    bound = {inside for _, inside in layout.binds}
    return sorted(parents - bound - {"/"})


def _packages() -> list[tuple[Path, str]]:
    binds = []
    for name in ("numpy", "scipy", "scoring", *_OPTIONAL):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            if name in _OPTIONAL:
                continue
            raise SandboxUnavailable(f"The Python package {name} is not installed. Install arbitre[runner].")
        folder = Path(spec.origin).resolve().parent
        wheel_libraries = folder.with_name(f"{name}.libs")
        binds += [(path, f"{HOME}/{path.name}") for path in (folder, wheel_libraries) if path.is_dir()]
    here = Path(__file__).resolve().parent
    return binds + [(here / name, f"{HOME}/sandbox_runner/{name}") for name in _CHILD]


def _system_libraries() -> tuple[list[Path], tuple[tuple[str, str], ...]]:
    """Folders of shared libraries and the loader, and the links (/lib -> usr/lib) that stand for them."""
    several = f"{platform.machine()}-linux-gnu"
    folders: list[Path] = []
    links: list[tuple[str, str]] = []
    for top in map(Path, ("/usr/lib", "/usr/lib64", "/lib", "/lib64")):
        if top.is_symlink():
            links.append((str(top.readlink()), str(top)))
        elif (top / several).is_dir():
            folders += [top / several, *top.glob("ld-linux*.so*")]
        elif top.is_dir():
            folders.append(top)
    cache = Path("/etc/ld.so.cache")
    return folders + ([cache] if cache.exists() else []), tuple(links)


def _program(name: str) -> Path:
    found = shutil.which(name) or shutil.which(name, path="/usr/bin:/bin")
    if found is None:
        package = {"bwrap": "bubblewrap", "setpriv": "util-linux"}[name]
        known = [line for line in _INSTALL if shutil.which(line.split()[0])] or ["the package manager:"]
        raise SandboxUnavailable(f"The program {name} is missing. Install it as root: {known[0]} {package}")
    return Path(found)
