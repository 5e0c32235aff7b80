"""multipart/form-data (RFC 7578) in one pass over a body that is already in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tollbrush.errors import BadRequest

FILE_FIELDS: Final = ("image", "image[]", "mask")
_MAX_PARTS: Final = 64
_MAX_FIELD: Final = 2**19


@dataclass(frozen=True)
class File:
    """An uploaded file. `name` is `image` (also for `image[]`) or `mask`; `filename` is untrusted."""

    name: str
    filename: str
    data: bytes


@dataclass(frozen=True)
class Form:
    """`fields` by name; `files` in the order sent."""

    fields: dict[str, str]
    files: list[File]


def parse(body: bytes, content_type: str) -> Form:
    """The fields and files of a form. A part named image, image[] or mask is a file, with or without a file name,
    unless it is a data URI: then it is a field. A file input left empty counts as absent. Raises BadRequest."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise BadRequest(
            f"Content-Type {content_type[:80]!r} is not multipart/form-data with a boundary.",
            advice="Let the client library set the Content-Type itself.",
        )
    # A boundary inside a part is forbidden, and thousands of near misses would cost the parser seconds.
    if body.count(b"\r\n--" + boundary) > _MAX_PARTS:
        raise BadRequest(f"The form has more than {_MAX_PARTS} parts.")
    reader = _Reader()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": reader.begin,
                "on_part_data": reader.data,
                "on_part_end": reader.end,
                "on_header_field": reader.header_name,
                "on_header_value": reader.header_value,
                "on_header_end": reader.header_end,
                "on_end": reader.finish,
            },
        )
        parser.write(body)
    except FormParserError as error:
        raise BadRequest(f"The multipart body is malformed: {error}.") from error
    if not reader.complete:
        raise BadRequest("The multipart body is cut short: its closing boundary is missing.")
    return Form(reader.fields, reader.files)


@dataclass
class _Reader:
    """Collects parts from the parser's callbacks."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[File] = field(default_factory=list)
    complete: bool = False
    chunks: list[bytes] = field(default_factory=list)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: bytes = b""
    value: bytes = b""

    def begin(self) -> None:
        self.chunks, self.headers = [], {}

    def data(self, buffer: bytes, start: int, end: int) -> None:
        self.chunks.append(buffer[start:end])

    def header_name(self, buffer: bytes, start: int, end: int) -> None:
        self.name += buffer[start:end]

    def header_value(self, buffer: bytes, start: int, end: int) -> None:
        self.value += buffer[start:end]

    def header_end(self) -> None:
        self.headers[self.name.lower()] = self.value
        self.name = self.value = b""

    def finish(self) -> None:
        self.complete = True

    def end(self) -> None:
        kind, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if kind != b"form-data" or not name:
            raise BadRequest("A part of the form has no name in its Content-Disposition.")
        encoding = self.headers.get(b"content-transfer-encoding", b"binary").strip().lower()
        if encoding not in (b"binary", b"8bit", b"7bit"):
            shown = encoding.decode("latin-1")[:40]
            raise BadRequest(f"{name[:40]} is sent as {shown!r}; send its bytes as they are.", path=name[:40])
        data = self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)
        filename = options.get(b"filename")
        if name in FILE_FIELDS and (filename is not None or data[:5].lower() != b"data:"):
            if data or filename:
                self._file(name.removesuffix("[]"), (filename or b"").decode("utf-8", "replace"), data)
            elif filename is None:
                raise BadRequest(f"{name} is empty.", path=name.removesuffix("[]"))
        elif filename is not None:
            raise BadRequest(f"{name[:40]!r} is no file of an edit; files are image and mask.", path=name[:40])
        else:
            self._field(name, data)

    def _file(self, name: str, filename: str, data: bytes) -> None:
        if name == "mask" and any(file.name == name for file in self.files):
            raise BadRequest("mask is given twice.", path="mask")
        self.files.append(File(name, filename, data))

    def _field(self, name: str, data: bytes) -> None:
        if name in self.fields:
            raise BadRequest(f"{name[:40]!r} is given twice.", path=name[:40])
        if len(data) > _MAX_FIELD:
            raise BadRequest(f"{name[:40]!r} is over {_MAX_FIELD // 1024} KB.", path=name[:40])
        try:
            self.fields[name] = data.decode()
        except UnicodeDecodeError as error:
            raise BadRequest(f"{name[:40]!r} is not UTF-8 text.", path=name[:40]) from error
