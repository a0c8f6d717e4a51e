"""Files of messages: kept under random ids outside the web root, never unpacked, never believed by their names."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from engine.config import Settings
from engine.errors import EngineError, NotFound
from services.lines.models import Attachment, Message

MAX_SIZE = 25 * 1024 * 1024
MAX_PER_MESSAGE = 30
MAX_MESSAGE_SIZE = 50 * 1024 * 1024
MAX_NAME = 180
UNKNOWN = "application/octet-stream"

_ORPHAN_AGE = 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}\Z")
_SPACES = re.compile(r"\s+")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|\Z)", re.IGNORECASE)
_OFFICE = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_OLE = {"doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint"}
_TEXT = {"txt": "text/plain", "log": "text/plain", "csv": "text/csv"}

_Rule = tuple[Callable[[bytes], bool], Callable[[str], str]]
_SIGNATURES: tuple[_Rule, ...] = (
    (lambda head: head.startswith(b"\x89PNG\r\n\x1a\n"), lambda _: "image/png"),
    (lambda head: head.startswith(b"\xff\xd8\xff"), lambda _: "image/jpeg"),
    (lambda head: head.startswith((b"GIF87a", b"GIF89a")), lambda _: "image/gif"),
    (lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP", lambda _: "image/webp"),
    (lambda head: head.startswith(b"%PDF-"), lambda _: "application/pdf"),
    (lambda head: head.startswith(b"PK\x03\x04"), lambda suffix: _OFFICE.get(suffix, "application/zip")),
    (lambda head: head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), lambda suffix: _OLE.get(suffix, UNKNOWN)),
    (lambda head: head.startswith(b"7z\xbc\xaf\x27\x1c"), lambda _: "application/x-7z-compressed"),
    (lambda head: head.startswith(b"\x1f\x8b\x08"), lambda _: "application/gzip"),
    (lambda head: head.startswith(b"Rar!\x1a\x07"), lambda _: "application/vnd.rar"),
    (lambda head: head[4:8] == b"ftyp", lambda _: "video/mp4"),
    (lambda head: head.startswith(b"OggS"), lambda _: "audio/ogg"),
)
"""What the first bytes must be, and the media type they give (an archive's depends on the suffix)."""


class AttachmentRefused(EngineError):
    """Expected a file within the limits of one message, but it is too large or one too many."""


def store(session: Session, message: Message, name: str, content: bytes, settings: Settings) -> Attachment:
    """Keep the file and add its row to the message; a rolled back transaction removes the file again.

    Raises AttachmentRefused above 25 MB a file, 30 files or 50 MB a message.
    """
    session.flush()
    _check_quota(session, message, content)
    identifier = secrets.token_hex(16)
    path = _path(settings, identifier)
    _write(path, content)
    event.listen(session, "after_rollback", lambda _: path.unlink(missing_ok=True), once=True)
    cleaned = clean_name(name)
    row = Attachment(
        id=identifier,
        message_id=message.id,
        name=cleaned,
        media_type=media_type(cleaned, content),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    session.add(row)
    session.flush()
    return row


def open(settings: Settings, attachment: Attachment) -> BinaryIO:
    """The stored bytes, to be served as a download only (attachment, nosniff, CSP sandbox).

    Raises NotFound when the file is gone from the disk. Images are not re-encoded: they are never shown in
    the desk's own pages.
    """
    try:
        return _path(settings, attachment.id).open("rb")
    except FileNotFoundError:
        raise NotFound(f"Expected the file of attachment {attachment.id} on the disk, but it is missing") from None


def media_type(name: str, content: bytes) -> str:
    """What the content really is by our own table; everything that could run or be drawn is only bytes."""
    suffix = name.rpartition(".")[2].lower()
    for fits, kind in _SIGNATURES:
        if fits(content[:16]):
            return kind(suffix)
    return _TEXT[suffix] if suffix in _TEXT and _is_plain_text(content) else UNKNOWN


def clean_name(name: str) -> str:
    """The last part of the name without control and direction characters; "file" when nothing is left."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", _encodable(name)))[-1]
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in last)
    kept = _SPACES.sub(" ", re.sub(r'[<>:"|?*]', "_", kept)).strip(" .")
    if _RESERVED.match(kept):
        kept = f"_{kept}"
    stem, dot, suffix = kept.rpartition(".")
    if len(kept) > MAX_NAME:
        kept = f"{stem[: MAX_NAME - 17]}.{suffix}" if dot and len(suffix) <= 16 else kept[:MAX_NAME]
    return kept or "file"


def remove_orphans(session: Session, settings: Settings) -> int:
    """Delete files that no row mentions – left by a crash between file and commit – and say how many."""
    # the age of a file is the file system's business: a moved desk clock must not reach files being written now
    limit = time.time() - _ORPHAN_AGE
    old = {path.name: path for path in _root(settings).glob("??/*") if path.stat().st_mtime < limit}
    known = set(session.scalars(select(Attachment.id))) if old else set()
    orphans = [path for name, path in old.items() if name not in known]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


def _check_quota(session: Session, message: Message, content: bytes) -> None:
    number, size = session.execute(
        select(func.count(), func.coalesce(func.sum(Attachment.size), 0)).where(Attachment.message_id == message.id)
    ).one()
    if len(content) > MAX_SIZE or number >= MAX_PER_MESSAGE or size + len(content) > MAX_MESSAGE_SIZE:
        raise AttachmentRefused


def _root(settings: Settings) -> Path:
    return settings.data_dir / "attachments"


def _path(settings: Settings, identifier: str) -> Path:
    if not _ID.match(identifier):
        raise NotFound("Expected the id of a stored file")
    return _root(settings) / identifier[:2] / identifier


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    for directory in (path.parent, path.parent.parent):
        _sync_directory(directory)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_plain_text(content: bytes) -> bool:
    head = content[:4096]
    if b"\x00" in head or re.search(rb"<\s*[a-zA-Z!?/]", head):
        return False
    return not any(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in head)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
