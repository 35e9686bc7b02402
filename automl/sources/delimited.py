"""CSV and its kin, by pyarrow's parser; where that refuses a file, Python's own, slower one finds the line and says what is wrong."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from automl.errors import DataError
from automl.sources.packed import LONGEST_LINE, Open, opener
from automl.sources.table import Table

_DELIMITERS = (",", ";", "\t", "|")
_SEP = re.compile(r"sep=([,;\t|])\r?\n?")
_OTHERS = {
    b"PK\x03\x04": "a workbook (Excel, OpenDocument) or an archive, not CSV. Save the sheet as CSV, or name an archive .zip",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook, not CSV. Save the sheet as CSV",
    b"PAR1\x15": "a Parquet table, not CSV. Name it .parquet",
    b"ARROW1\0\0": "a Feather table, not CSV. Name it .feather",
    b"\x1f\x8b": "packed by gzip. Name it .csv.gz",
    b"\x80\x04\x95": "a pickle, which can run code and is not opened. Save it as CSV or Parquet",
    b"\x80\x05\x95": "a pickle, which can run code and is not opened. Save it as CSV or Parquet",
    b"SQLite format 3": "a database, not CSV. Save a table of it as CSV",
    b"<!doctype": "a web page, not CSV. Save the table itself",
    b"<html": "a web page, not CSV. Save the table itself",
}
"""First bytes -> what a file is that is named as if it were CSV."""
_BLOCK = 1 << 24
"""Bytes parsed at once; a row must fit."""


def open_csv(file: Path | BinaryIO, source: str, *, encoding: str = "utf-8") -> Table:
    """Read the header; the delimiter is the one that occurs most often in it, of comma, semicolon, tab and bar.

    A file may be packed (see `packed.py`), and begin with a line `sep=;`, by which spreadsheets name the delimiter.
    """
    head = _Head(file, source, encoding)
    names, delimiter = head.names()

    def read(wanted: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        yield from _batches(head, names, delimiter, wanted)

    return Table(source, names, read)


class _Head:
    """An open file whose first lines were looked at and can be read again."""

    def __init__(self, file: Path | BinaryIO, source: str, encoding: str) -> None:
        self.open = opener(file) if isinstance(file, Path) else None
        self.source, self.encoding = source, encoding
        try:
            stream: BinaryIO = self.open() if self.open is not None else file  # type: ignore[assignment]
            self.start = stream.read(1 << 16)
        except OSError as error:
            raise DataError(f"{source}: cannot be read: {error.strerror}.") from None
        self.rest = stream

    def names(self) -> tuple[tuple[str, ...], str]:
        """The header's names and the delimiter."""
        if not self.start.strip():
            raise DataError(f"{self.source}: the file is empty.")
        for magic, what in _OTHERS.items():
            if self.start.startswith(magic) or (
                magic.startswith(b"<") and self.start.lstrip().lower().startswith(magic)
            ):
                raise DataError(f"{self.source}: is {what}.")
        if self.start.startswith((b"\xff\xfe", b"\xfe\xff")) and self.encoding == "utf-8":
            self.encoding = "utf-16"  # as its byte order mark says, and what spreadsheets call Unicode text
        text = self._decoded().lstrip("\ufeff").lstrip("\r\n")
        named = _SEP.match(text)
        text = text[named.end() :] if named else text
        line = text.splitlines()[0] if text.strip() else ""
        if "\0" in line:
            raise DataError(
                f"{self.source}: line 1 holds a NUL character. Remove it, or name the --encoding of the file."
            )
        delimiter = named[1] if named else max(_DELIMITERS, key=line.count)
        try:
            header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            raise DataError(f"{self.source}: not a CSV table, line 1: {error}.") from None
        _require_more_than_blanks(self.source, header)
        # A frame that was saved with its index has a first column without a name.
        return tuple(name.strip() or f"column_{place}" for place, name in enumerate(header, 1)), delimiter

    def stream(self) -> BinaryIO:
        """The whole file from its beginning."""
        if self.open is not None:
            self.rest.close()
            return self.open()
        return io.BufferedReader(_Joined(self.start, self.rest))

    def _decoded(self) -> str:
        try:
            return self.start.decode(self.encoding)
        except UnicodeDecodeError as error:
            if error.start >= len(self.start) - 4:  # a character cut in two
                return self.start[: error.start].decode(self.encoding)
            raise _not_decodable(self.source, error.start, self.encoding) from None
        except LookupError:
            raise DataError(f"{self.source}: unknown encoding {self.encoding!r}. Examples: utf-8, latin-1.") from None


def _require_more_than_blanks(source: str, header: Sequence[str]) -> None:
    """Raise DataError for two names that differ in the blanks around them alone."""
    spelled: dict[str, str] = {}
    for name in filter(str.strip, header):
        other = spelled.setdefault(name.strip(), name)
        if name != other:
            raise DataError(
                f"{source}: columns {other!r} and {name!r} have one name, since blanks around names are not told apart. Rename one."
            )


def _batches(head: _Head, names: Sequence[str], delimiter: str, wanted: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Cells stay text: what a column holds is decided when all of it is known."""
    options = {
        "read_options": arrow_csv.ReadOptions(
            column_names=list(names), skip_rows=_header_rows(head), block_size=_BLOCK, encoding=head.encoding
        ),
        "parse_options": arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        "convert_options": arrow_csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            include_columns=list(wanted),
            strings_can_be_null=True,
            null_values=[""],
        ),
    }
    try:
        with head.stream() as stream, arrow_csv.open_csv(stream, **options) as reader:
            last = None
            for batch in reader:
                if any(_holds_nul(column) for column in batch.columns):
                    raise pa.ArrowInvalid("a NUL character")
                yield batch
                last = batch
            if last is not None and any("\n" in (column[-1].as_py() or "") for column in last.columns):
                _explain(head, names, delimiter)  # a quote that nothing closes takes the rest of the file for a cell
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        _explain(head, names, delimiter)
        raise DataError(f"{head.source}: not a CSV table: {str(error).splitlines()[0][:300]}.") from None
    except OSError as error:
        raise DataError(f"{head.source}: cannot be read: {error.strerror or error}.") from None


def _holds_nul(column: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring(column, "\0")).as_py())


def _header_rows(head: _Head) -> int:
    """Lines before the data: the header, which may hold line breaks in quotes, and blank lines and `sep=;` above it."""
    text = head._decoded()
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    is_named = _SEP.match(text.lstrip("\ufeff").lstrip("\r\n")) is not None
    for cells in reader:
        if cells and not is_named:
            return reader.line_num
        is_named = is_named and not cells
    return 1


def _explain(head: _Head, names: Sequence[str], delimiter: str) -> None:
    """Raise DataError with the line of the first row that is not as the header says. Returns where all rows are."""
    if head.open is None:
        return
    try:
        with io.TextIOWrapper(head.open(), encoding=head.encoding, newline="") as text:
            reader = csv.reader(_lines(text, head.source), delimiter=delimiter, strict=True)
            csv.field_size_limit(LONGEST_LINE)  # a text may be longer than the 131,072 characters that are usual
            complete, above = 0, _header_rows(head)
            try:
                for cells in reader:
                    complete = reader.line_num
                    if cells and complete > above and len(cells) != len(names):
                        raise DataError(
                            f"{head.source}: line {reader.line_num} has {len(cells)} cells, but the header has {len(names)}."
                        )
            except csv.Error as error:
                if "unexpected end" in str(error) or "field limit" in str(error):
                    closed = (
                        "never closed"
                        if "unexpected end" in str(error)
                        else f"not closed within {LONGEST_LINE >> 20} MB"
                    )
                    raise DataError(
                        f"{head.source}: a quote in line {complete + 1} is {closed}. Close it, or double it to mean a quote."
                    ) from None
                raise DataError(f"{head.source}: not a CSV table, line {reader.line_num}: {error}.") from None
    except UnicodeDecodeError:
        raise _not_decodable(head.source, _bad_byte(head.open, head.encoding), head.encoding) from None


def _lines(text: io.TextIOBase, source: str) -> Iterator[str]:
    """A file without line breaks must not be read into memory as one line."""
    place = 0
    while line := text.readline(LONGEST_LINE):
        place += 1
        if len(line) == LONGEST_LINE:
            raise DataError(f"{source}: a line is longer than {LONGEST_LINE >> 20} MB. Is this a CSV table?")
        if "\0" in line:
            raise DataError(f"{source}: line {place} holds a NUL character. Remove it.")
        yield line


def _bad_byte(opened: Open, encoding: str) -> int:
    """Place of the first byte that is not of the encoding."""
    import codecs

    decoder, place = codecs.getincrementaldecoder(encoding)(), 0
    with opened() as file:
        while chunk := file.read(1 << 20):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return place + error.start
            place += len(chunk)
    return place


def _not_decodable(source: str, place: int, encoding: str) -> DataError:
    return DataError(
        f"{source}: not {encoding.upper()} at byte {place}. Save it as UTF-8, or use --encoding cp1252 (Excel's) or latin-1."
    )


class _Joined(io.RawIOBase):
    """What was read already, then the rest of a stream that cannot be read twice."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = start, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece, self._start = self._start[: len(buffer)], self._start[len(buffer) :]
        piece = piece or self._rest.read(len(buffer))
        buffer[: len(piece)] = piece
        return len(piece)
