"""Where this program keeps things on each system: its settings, and what it can fetch or make again."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def config_folder() -> Path:
    """`$XDG_CONFIG_HOME/arbitre`, else `%APPDATA%\\arbitre` on Windows, else `~/.config/arbitre` (macOS too)."""
    return _folder("XDG_CONFIG_HOME", "APPDATA", ".config")


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/arbitre`, else `%LOCALAPPDATA%\\arbitre` on Windows, else `~/.cache/arbitre`."""
    return _folder("XDG_CACHE_HOME", "LOCALAPPDATA", ".cache")


def _folder(variable: str, windows: str, elsewhere: str) -> Path:
    named = os.environ.get(variable) or (os.environ.get(windows) if sys.platform == "win32" else None)
    return (Path(named) if named else Path.home() / elsewhere) / "arbitre"
