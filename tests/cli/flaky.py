"""A network between a client and a real server: slow, breaking off, losing answers, as often as a test says."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

PIECE = 1 << 16


@dataclass
class Network:
    """`cuts`: after how many bytes from the client the connection breaks, one entry for each break to come.

    `lost`: what a request holds whose answer is lost, one entry for each. `pause_s`: after every 64 KiB.
    """

    url: str
    target: tuple[str, int]
    pause_s: float = 0.0
    cuts: list[int] = field(default_factory=list)
    lost: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextmanager
def network(url: str) -> Iterator[Network]:
    """Stands before the server at `url` until the block ends."""
    parts = urlsplit(url)
    listener = socket.create_server(("127.0.0.1", 0))
    state = Network(f"http://127.0.0.1:{listener.getsockname()[1]}", (str(parts.hostname), int(parts.port or 80)))
    thread = threading.Thread(target=_accept, args=(listener, state), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _accept(listener: socket.socket, state: Network) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        state.connections += 1
        threading.Thread(target=_serve, args=(client, state), daemon=True).start()


def _serve(client: socket.socket, state: Network) -> None:
    try:
        server = socket.create_connection(state.target, timeout=30)
    except OSError:
        client.close()
        return
    answers = threading.Event()
    back = threading.Thread(target=_answers, args=(server, client, answers), daemon=True)
    back.start()
    sent = 0
    with contextlib.suppress(OSError):
        while data := client.recv(PIECE):
            sent += len(data)
            if state.lost and state.lost[0] in data:
                state.lost.pop(0)
                answers.set()
            if state.cuts and sent > state.cuts[0]:
                state.cuts.pop(0)
                break
            server.sendall(data)
            time.sleep(state.pause_s)
    _close(client, server)
    back.join(30)
    client.close()
    server.close()


def _answers(server: socket.socket, client: socket.socket, lost: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while data := server.recv(PIECE):
            if lost.is_set():
                break
            client.sendall(data)
    _close(client, server)


def _close(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
