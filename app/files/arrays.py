"""One vector out of a stored npz, which a runner sent: read so that a false header or a bomb costs nothing."""

from __future__ import annotations

import zipfile
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


def vector(stream: BinaryIO, name: str) -> NDArray[np.float64] | None:
    """The (n,) float64 array of that name; None when the file has none. Raises ValueError for anything else.

    Members must be stored uncompressed, so that an array is never larger than its file.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            if f"{name}.npy" not in archive.namelist():
                return None
            return _read(archive, archive.getinfo(f"{name}.npy"))
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"not an npz file of plain arrays: {error}") from error


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[np.float64]:
    headers: dict[tuple[int, int], Any] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    with archive.open(member) as stream:
        header = headers.get(np.lib.format.read_magic(stream))
        head: tuple[Any, ...] = header(stream) if header else ((), False, None)
        shape, dtype = head[0], head[2]
        if member.compress_type != zipfile.ZIP_STORED or len(shape) != 1 or dtype != np.dtype("<f8"):
            raise ValueError("not a stored vector of float64")
        if stream.tell() + 8 * shape[0] != member.file_size:
            raise ValueError("the array is not as long as its header says")
        return np.frombuffer(stream.read(), dtype="<f8")
