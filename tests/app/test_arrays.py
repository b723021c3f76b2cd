"""Reading one vector of a runner's npz: what it packed, and nothing that lies."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from app.files.arrays import vector
from scoring.casetable import pack_arrays

NAME = "auroc.auroc|split:public"


def npz(name: str, content: bytes, kind: int = zipfile.ZIP_STORED) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", kind) as archive:
        archive.writestr(f"{name}.npy", content)
    return out


def npy(shape: str, descr: str, data: bytes) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def test_what_a_runner_packs_is_read_bit_by_bit() -> None:
    sent = np.array([0.1, np.nan, np.inf, 0.3])
    packed = pack_arrays({"other": np.ones(3), NAME: sent})
    found = vector(io.BytesIO(packed), NAME)
    assert found is not None
    assert found.tobytes() == sent.tobytes()
    assert vector(io.BytesIO(packed), "none") is None


@pytest.mark.parametrize(
    "stream",
    [
        io.BytesIO(b"no zip"),
        io.BytesIO(pack_arrays({NAME: np.ones(3)})[:-30]),
        io.BytesIO(pack_arrays({NAME: np.ones((3, 3))})),
        io.BytesIO(pack_arrays({NAME: np.array(["text"])})),
        io.BytesIO(pack_arrays({NAME: np.ones(3, dtype=np.float32)})),
        npz(NAME, npy("(1000000000000,)", "<f8", b"")),
        npz(NAME, npy("(1,)", "|O", b"cposix\nsystem\n.")),
        npz(NAME, npy("(4000000,)", "<f8", bytes(32_000_000)), zipfile.ZIP_DEFLATED),
        npz(NAME, b"\x93NUMPY\x09\x09"),
        npz(NAME, b""),
    ],
)
def test_anything_else_is_refused(stream: io.BytesIO) -> None:
    with pytest.raises(ValueError):
        vector(stream, NAME)
