"""The web process: `python -m app.cli.web DESCRIPTOR` serves on a listening socket that its supervisor opened.

The socket outlives the process, so while a web process that died is started again, connections wait instead of failing.
"""

from __future__ import annotations

import logging
import socket
import sys
from types import FrameType

import uvicorn

from app.http.wake import Wake
from app.main import create_app

STOP_S = 5


class Server(uvicorn.Server):
    """Answers waiting claims when it is told to stop, so that stopping takes no 20 seconds."""

    def __init__(self, config: uvicorn.Config, wake: Wake) -> None:
        super().__init__(config)
        self._wake = wake

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._wake.close_soon()
        super().handle_exit(sig, frame)


def main() -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    listener = socket.socket(fileno=int(sys.argv[1]))
    app = create_app()
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_S,
        timeout_keep_alive=75,
    )
    Server(config, app.state.parts.wake).run(sockets=[listener])


if __name__ == "__main__":
    main()
