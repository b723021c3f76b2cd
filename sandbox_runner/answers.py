"""What a sandbox wrote, read by the trusted side: nothing in it is believed before it fits this shape."""

import io
import json
import math
import struct
import zipfile
from typing import Annotated, Any, Literal, NoReturn, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sandbox_runner.contract import ISSUES_SHOWN, Code, Count, Finite, Issue, Sha256, Value

HEAD_BYTES = 4 << 20
MEMBERS = 10_000
_DIRECTORY_BYTES = 1 << 20
_LENGTH = struct.Struct(">I")

Blob: TypeAlias = bytes | bytearray | memoryview


class AnswerRefused(ValueError):
    """The bytes are not an answer. The text says what is wrong and quotes nothing."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class BlobHead(_Strict):
    """One output that follows the head; `size` in bytes."""

    role: Literal["replicates", "case_table", "arrays"]
    size: int = Field(ge=0)


class Head(_Strict):
    """`message` never quotes a file. `cpu_s`, `memory_mb`: by the child's own account, for information only."""

    outcome: Literal["ok", "invalid", "internal"]
    message: Annotated[str, Field(max_length=500)] | None = None
    issues: list[Issue] = Field(default=[], max_length=ISSUES_SHOWN)
    total: dict[Code, Count] = Field(default={}, max_length=200)
    counts: dict[str, Count] = Field(default={}, max_length=50)
    values: list[Value] = Field(default=[], max_length=5000)
    plan_digest: Sha256 | None = None
    cpu_s: Finite = Field(default=0.0, ge=0)
    memory_mb: Finite = Field(default=0.0, ge=0)
    blobs: list[BlobHead] = Field(default=[], max_length=2)


def parse(answer: Blob, *, arrays: bool = False) -> tuple[Head, dict[str, Blob]]:
    """Length, head as JSON, then the blobs in order and nothing after. Raises AnswerRefused.

    `arrays`: what was read is wanted, and no outputs of scoring. Blobs may be large: they are views of `answer`.
    """
    if len(answer) < _LENGTH.size:
        raise AnswerRefused("it is shorter than its own length field")
    end = _LENGTH.size + _LENGTH.unpack_from(answer)[0]
    if end > min(len(answer), _LENGTH.size + HEAD_BYTES):
        raise AnswerRefused("its head is cut off or too long")
    head = _head(bytes(answer[_LENGTH.size : end]))
    if len(answer) - end != sum(blob.size for blob in head.blobs):
        raise AnswerRefused("its outputs do not have the announced sizes")
    if arrays and head.outcome == "ok" and [blob.role for blob in head.blobs] != ["arrays"]:
        raise AnswerRefused("it does not hold what was read, and that alone")
    if not arrays and any(blob.role == "arrays" for blob in head.blobs):
        raise AnswerRefused("it holds an output that nobody asked for")
    blobs: dict[str, Blob] = {}
    for blob in head.blobs:
        if blob.role in blobs:
            raise AnswerRefused("it holds an output twice")
        blobs[blob.role] = memoryview(answer)[end : end + blob.size]
        _check_arrays(blobs[blob.role], replicates=blob.role == "replicates")
        end += blob.size
    return head, blobs


def _head(raw: bytes) -> Head:
    try:
        return Head.model_validate(json.loads(raw, parse_constant=_no_constant))
    except ValidationError as error:
        places = sorted({".".join(map(str, part["loc"])) or "head" for part in error.errors(include_url=False)})
        raise AnswerRefused(f"these parts are not as agreed: {', '.join(places[:5])}") from None
    except (ValueError, RecursionError):
        raise AnswerRefused("its head is not JSON") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_arrays(blob: Blob, *, replicates: bool) -> None:
    """An npz that expands to no more than it is: stored members, plain dtypes, headers that tell the truth."""
    try:
        with zipfile.ZipFile(_View(blob)) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS:
                raise AnswerRefused(f"an output holds more than {MEMBERS:,} arrays")
            if sum(member.file_size for member in members) > len(blob):
                raise AnswerRefused("an output expands beyond its size")
            shapes = {_array_shape(archive, member, kinds="f" if replicates else "biufU") for member in members}
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, NotImplementedError) as error:
        raise error if isinstance(error, AnswerRefused) else AnswerRefused("an output is no npz file") from None
    if replicates and (len(shapes) > 1 or any(len(shape) != 1 for shape in shapes)):
        raise AnswerRefused("its replicates are not vectors of one length")


class _View(io.RawIOBase):
    """Bytes as a file, without a copy of them, for `zipfile`: which reads a list of members of any length at once."""

    def __init__(self, blob: Blob) -> None:
        self._blob, self._at = memoryview(blob), 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._blob)}[whence]
        if start + offset < 0:
            raise ValueError("before the first byte")
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, len(self._blob) - self._at)
        wanted = left if size is None or size < 0 else size
        if min(wanted, left) > _DIRECTORY_BYTES:
            raise AnswerRefused("the list of arrays in an output is too long")
        piece = bytes(self._blob[self._at : self._at + wanted])
        self._at += len(piece)
        return piece


def _array_shape(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, kinds: str) -> tuple[int, ...]:
    if member.compress_type != zipfile.ZIP_STORED or not member.filename.endswith(".npy"):
        raise AnswerRefused("an output holds more than plain arrays")
    with archive.open(member) as stream:
        read: Any = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, dtype = read[np.lib.format.read_magic(stream)](stream)
        size = stream.tell() + math.prod(shape) * dtype.itemsize
    if dtype.kind not in kinds or size != member.file_size:
        raise AnswerRefused("an array is not of the agreed type or size")
    return tuple(shape)
