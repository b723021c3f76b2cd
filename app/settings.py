"""What an operator sets, read once from ARBITRE_* variables at start and passed down."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent


def default_data() -> Path:
    """The one data folder when none is named: `$XDG_DATA_HOME/arbitre`, else `~/.local/share/arbitre`."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "arbitre"


class Settings(BaseSettings):
    """Times are in seconds and sizes in bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="ARBITRE_", extra="ignore")

    data: Path = Field(default_factory=default_data)
    database_url: str = ""
    base_url: str = "http://localhost:8000"
    lease_s: float = 60
    heartbeat_s: float = 20
    claim_wait_s: float = 20
    max_attempts: int = 3
    job_deadline_s: float = 86_400
    grace_s: float = 900
    upload_idle_s: float = 60
    direct_limit: int = 64 * 2**20
    archive_limit: int = 4 * 2**30
    archive_members: int = 200_000
    keep_free: int = 256 * 2**20
    rejected_per_day: int = 20
    checks_open: int = 10
    pool: int = Field(default=0, ge=0, le=256)
    """Sandboxes that the local runner holds ready; 0: as many as there are processors."""
    session_days: int = 30
    rate_limits: bool = True

    @property
    def database(self) -> str:
        """The database address: the one that is set, else SQLite in the data folder."""
        return self.database_url or f"sqlite:///{self.data / 'arbitre.sqlite3'}"

    @property
    def public_blobs(self) -> Path:
        return self.data / "blobs"

    @property
    def secret_blobs(self) -> Path:
        """Root of the `reference` and `hidden` stores; the folder is 0700."""
        return self.data / "secret"

    @property
    def keys(self) -> Path:
        return self.data / "keys"
