"""Row hash `h1`: 128 bits over typed values, vectorised over Arrow buffers.

The specification, fixed for ever under this name (a change is `h2`):

- A row hash is two 64-bit lanes; each lane is the sum modulo 2^64 of the parts of its cells. A null cell's part is 0.
  So renaming, reordering, adding a null column or dropping a column changes no other column's part.
- The seed of a cell in lane L is word L (little-endian) of BLAKE2b-128(`h1|` + column id + `|` + family). Families:
  `number`, `fraction`,
  `decimal`, `string`, `binary`, `bool`, `date`, `time`, `timestamp`.
- A one-word cell has part fmix_L(word XOR seed_L), with fmix(h) = h*A; h ^= h>>32; h *= B; h ^= h>>29.
- number: any integral value in [-2^63, 2^63) as two's complement, whether it came as int, float or decimal (so -0.0 is
  0). fraction: every other float as IEEE bits, NaN always 0x7ff8000000000000. decimal: every other decimal as its
  plain digits without trailing zeros, hashed like a string. date: days, time: microseconds, timestamp: microseconds
  in UTC, bool: 0 or 1.
- string (UTF-8) and binary: s = seed XOR length*G; for each 8-byte little-endian word, zero-padded: s = (s XOR
  word)*A; s ^= s>>32; the part is fmix(s). Above 128 bytes the text is replaced by its 16-byte BLAKE2b digest (the
  length stays the original one).
- The key hash is fmix_0 of the sum of the lane-0 parts of the key columns; without a key, of the whole row.

It is a fingerprint for comparing rows, not a defence against crafted collisions; stored bytes are addressed by SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from versioned_tables.schema.columns import TableSchema
from versioned_tables.schema.texts import text_of

U64 = npt.NDArray[np.uint64]

_A = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_B = (np.uint64(0xD6E8FEB86659FD93), np.uint64(0xA0761D6478BD642F))
_G = np.uint64(0xFF51AFD7ED558CCD)
_S32, _S29 = np.uint64(32), np.uint64(29)
_NAN = np.uint64(0x7FF8000000000000)
_LONG = 128
_SLICE = 1 << 15


HASH_BYTES = 24  # a row's in a sidecar: two lanes and the key's hash


@dataclass(frozen=True, slots=True)
class RowHashes:
    """Hashes of consecutive rows: `low` and `high` are the two lanes, `key` the 64-bit key hash; uint64, equal
    lengths.
    """

    low: U64
    high: U64
    key: U64

    def __len__(self) -> int:
        return len(self.low)

    def slice(self, start: int, stop: int) -> RowHashes:
        """Rows `start .. stop`, without a copy."""
        return RowHashes(self.low[start:stop], self.high[start:stop], self.key[start:stop])

    def take(self, rows: npt.NDArray[np.int64]) -> RowHashes:
        """The hashes at these row numbers."""
        return RowHashes(self.low[rows], self.high[rows], self.key[rows])

    def interleaved(self) -> bytes:
        """16 bytes a row, low lane first: what leaf hashes are made of."""
        both = np.empty((len(self.low), 2), dtype="<u8")
        both[:, 0] = self.low
        both[:, 1] = self.high
        return both.tobytes()

    def to_bytes(self) -> bytes:
        """24 bytes a row as three little-endian arrays: the body of a hash sidecar."""
        return b"".join(np.ascontiguousarray(lane, dtype="<u8").tobytes() for lane in (self.key, self.low, self.high))

    @staticmethod
    def from_bytes(data: bytes) -> RowHashes:
        """The hashes that `to_bytes` wrote."""
        lanes = np.frombuffer(data, dtype="<u8").reshape(3, -1)
        return RowHashes(lanes[1], lanes[2], lanes[0])

    @staticmethod
    def concat(parts: list[RowHashes]) -> RowHashes:
        """Parts one after the other."""
        if len(parts) == 1:
            return parts[0]
        empty = [np.empty(0, dtype=np.uint64)]
        return RowHashes(
            np.concatenate([part.low for part in parts] or empty),
            np.concatenate([part.high for part in parts] or empty),
            np.concatenate([part.key for part in parts] or empty),
        )


@lru_cache(maxsize=65_536)
def _seeds(column_id: str, family: str) -> tuple[np.uint64, np.uint64]:
    digest = hashlib.blake2b(f"h1|{column_id}|{family}".encode(), digest_size=16).digest()
    return np.uint64(int.from_bytes(digest[:8], "little")), np.uint64(int.from_bytes(digest[8:], "little"))


def _mix(words: U64, lane: int) -> U64:
    """The finaliser, in place."""
    words *= _A[lane]
    words ^= words >> _S32
    words *= _B[lane]
    words ^= words >> _S29
    return words


def hash_rows(table: pa.Table | pa.RecordBatch, schema: TableSchema) -> RowHashes:
    """The hashes of all rows; the table's columns are named by column id and columns it lacks count as null."""
    rows = table.num_rows
    low, high, key = (np.zeros(rows, dtype=np.uint64) for _ in range(3))
    names = set(table.schema.names)
    for column in schema.columns:
        if column.id not in names:
            continue
        is_key = column.id in schema.key
        at = 0
        for part in _slices(table.column(column.id)):
            end = at + len(part)
            one, two = _parts(part, column.id)
            low[at:end] += one
            high[at:end] += two
            if is_key:
                key[at:end] += one
            at = end
    if not schema.key:
        key = low.copy()
    return RowHashes(low, high, _mix(key, 0))


def key_hashes(table: pa.Table, schema: TableSchema) -> U64:
    """Key hashes of rows that need have nothing but their key columns."""
    total = np.zeros(table.num_rows, dtype=np.uint64)
    for identity in schema.key:
        at = 0
        for part in _slices(table.column(identity)):
            total[at : at + len(part)] += _parts(part, identity)[0]
            at += len(part)
    return _mix(total, 0)


def cell_codes(column: pa.ChunkedArray | pa.Array, column_id: str) -> U64:
    """Lane 0 of every cell: equal values, equal code; null is 0. What distinct counts are estimated from."""
    parts = [_parts(part, column_id)[0] for part in _slices(column)]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint64)


def _slices(column: pa.ChunkedArray | pa.Array) -> Iterator[pa.Array]:
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        for start in range(0, len(chunk), _SLICE):
            yield chunk.slice(start, _SLICE)


def _parts(array: pa.Array, column_id: str) -> tuple[U64, U64]:
    if pa.types.is_dictionary(array.type):
        one, two = _parts(array.dictionary, column_id)
        codes = array.indices.fill_null(0).to_numpy(zero_copy_only=False)
        parts = (
            (one[codes], two[codes]) if len(one) else (np.zeros(len(array), np.uint64), np.zeros(len(array), np.uint64))
        )
    else:
        parts = _kind_parts(array, column_id)
    if array.null_count:
        dead = array.is_null().to_numpy(zero_copy_only=False)
        for lane in parts:
            lane[dead] = 0
    return parts


def _kind_parts(array: pa.Array, column_id: str) -> tuple[U64, U64]:  # noqa: PLR0911 - one line per type
    kind = array.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text_parts(array, column_id, "string")
    if pa.types.is_integer(kind):
        if kind == pa.uint64() and (pc.max(array).as_py() or 0) >= 1 << 63:
            return _decimal_parts(array.cast(pa.decimal128(20, 0)), column_id)
        return _word_parts(_values(array, pa.int64()).view(np.uint64), _seeds(column_id, "number"))
    if pa.types.is_floating(kind):
        return _float_parts(_values(array, pa.float64()), column_id)
    if pa.types.is_decimal(kind):
        return _decimal_parts(array, column_id)
    if pa.types.is_boolean(kind):
        return _word_parts(_values(array.cast(pa.uint8()), pa.uint64()), _seeds(column_id, "bool"))
    if pa.types.is_date(kind):
        days = array.cast(pa.date32()).view(pa.int32())
        return _word_parts(_values(days, pa.int64()).view(np.uint64), _seeds(column_id, "date"))
    if pa.types.is_timestamp(kind):
        micros = array.cast(pa.timestamp("us", kind.tz)).view(pa.int64())
        return _word_parts(_values(micros, pa.int64()).view(np.uint64), _seeds(column_id, "timestamp"))
    if pa.types.is_time(kind):
        micros = array.cast(pa.time64("us")).view(pa.int64())
        return _word_parts(_values(micros, pa.int64()).view(np.uint64), _seeds(column_id, "time"))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _text_parts(array, column_id, "binary")
    if pa.types.is_null(kind):
        return np.zeros(len(array), dtype=np.uint64), np.zeros(len(array), dtype=np.uint64)
    message = f"column type {kind} has no place in row hash h1"
    raise TypeError(message)


def _values(array: pa.Array, as_type: pa.DataType) -> np.ndarray:
    """A numpy array that holds something harmless where the value is null."""
    if array.type != as_type:
        array = array.cast(as_type)
    if array.null_count:
        array = pa.Array.from_buffers(as_type, len(array), [None, array.buffers()[1]], offset=array.offset)
    found: np.ndarray = array.to_numpy(zero_copy_only=True)
    return found


def _word_parts(words: U64, seeds: tuple[np.uint64, np.uint64]) -> tuple[U64, U64]:
    return _mix(words ^ seeds[0], 0), _mix(words ^ seeds[1], 1)


def _float_parts(values: npt.NDArray[np.float64], column_id: str) -> tuple[U64, U64]:
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int64)
        integral = (whole == values) & (values >= -(2.0**63)) & (values < 2.0**63)
    words = values.view(np.uint64).copy()
    words[values != values] = _NAN  # noqa: PLR0124 - NaN is the value unequal to itself
    np.copyto(words, whole.view(np.uint64), where=integral)
    number, fraction = _seeds(column_id, "number"), _seeds(column_id, "fraction")
    return (
        _mix(words ^ np.where(integral, number[0], fraction[0]), 0),
        _mix(words ^ np.where(integral, number[1], fraction[1]), 1),
    )


def _decimal_parts(array: pa.Array, column_id: str) -> tuple[U64, U64]:
    text = text_of(array)
    if array.type.scale > 0:
        text = pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), ".")
    inside = pc.and_kleene(
        pc.invert(pc.match_substring(text, ".")),
        pc.and_kleene(pc.greater_equal(array, pa.scalar(-(2**63))), pc.less_equal(array, pa.scalar(2**63 - 1))),
    )
    integral = inside.fill_null(False).to_numpy(zero_copy_only=False)  # noqa: FBT003 - pyarrow's own signature
    one, two = _text_parts(text, column_id, "decimal")
    rows = np.flatnonzero(integral)
    if len(rows):
        whole = text.take(pa.array(rows)).cast(pa.int64())
        first, second = _word_parts(_values(whole, pa.int64()).view(np.uint64), _seeds(column_id, "number"))
        one[rows], two[rows] = first, second
    return one, two


def _text_parts(array: pa.Array, column_id: str, family: str) -> tuple[U64, U64]:
    seeds = _seeds(column_id, family)
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    _, offset_buffer, data_buffer = array.buffers()
    count = len(array)
    offsets = np.frombuffer(
        offset_buffer, dtype=np.int64 if wide else np.int32, count=count + 1, offset=array.offset * (8 if wide else 4)
    )
    starts = offsets[:-1].astype(np.int64)
    lengths = offsets[1:].astype(np.int64) - starts
    one = lengths.view(np.uint64) * _G
    two = one ^ seeds[1]
    one ^= seeds[0]
    if array.null_count:
        lengths[array.is_null().to_numpy(zero_copy_only=False)] = 0
    data = np.frombuffer(data_buffer, dtype=np.uint8) if data_buffer is not None else np.empty(0, dtype=np.uint8)
    long = np.flatnonzero(lengths > _LONG)
    for row in long:
        digest = hashlib.blake2b(data[starts[row] : starts[row] + lengths[row]].tobytes(), digest_size=16).digest()
        for at in (0, 8):
            word = np.frombuffer(digest, dtype="<u8", count=1, offset=at)
            _absorb(one, 0, np.array([row]), word)
            _absorb(two, 1, np.array([row]), word)
    lengths[long] = 0
    _absorb_words(one, two, starts, lengths, data)
    return _mix(one, 0), _mix(two, 1)


def _absorb(state: U64, lane: int, rows: npt.NDArray[np.int64] | None, words: U64) -> None:
    if rows is None:
        state ^= words
        state *= _A[lane]
        state ^= state >> _S32
    else:
        some = state[rows]
        some ^= words
        some *= _A[lane]
        some ^= some >> _S32
        state[rows] = some


def _absorb_words(
    one: U64, two: U64, starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]
) -> None:
    """Feed every row's 8-byte words, all rows' first words first; rows drop out as they end."""
    most = int(lengths.max(initial=0))
    if not most:
        return
    shortest = int(lengths.min())
    if len(data) < 8:
        data = np.concatenate([data, np.zeros(8, dtype=np.uint8)])
    unaligned: U64 = np.ndarray((len(data) - 7,), "<u8", buffer=data, strides=(1,))
    last = len(data) - 8
    rows: npt.NDArray[np.int64] | None = None
    for done in range(0, most, 8):
        if rows is None and shortest <= done:
            rows = np.flatnonzero(lengths > done)
        elif rows is not None:
            rows = rows[lengths[rows] > done]
        at = (starts if rows is None else starts[rows]) + done
        left = (lengths if rows is None else lengths[rows]) - done
        over = at > last
        if over.any():
            words = unaligned[np.minimum(at, last)]
            shift = np.where(over, (at - last) * 8, 0).astype(np.uint64)
            words >>= shift
        else:
            words = unaligned[at]
        if int(left.min()) < 8:
            keep = np.clip((8 - left) * 8, 0, 56).astype(np.uint64)
            words &= np.uint64(0xFFFFFFFFFFFFFFFF) >> keep
        _absorb(one, 0, rows, words)
        _absorb(two, 1, rows, words)
