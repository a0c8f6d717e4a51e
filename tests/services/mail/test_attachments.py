from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.clock import FixedClock
from engine.config import Settings
from engine.db import Database
from engine.errors import NotFound
from services.lines import attachments
from services.lines.models import Attachment, Message

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


def a_message() -> Message:
    return Message(kind="note", text="see the file", created_at=datetime(2026, 3, 16, tzinfo=UTC))


def stored_files(settings: Settings) -> list[Path]:
    return [path for path in (settings.data_dir / "attachments").glob("??/*") if path.is_file()]


def test_a_stored_file_is_read_back_unchanged(database: Database, settings: Settings) -> None:
    with database.transaction() as session:
        message = a_message()
        session.add(message)
        row = attachments.store(session, message, "../../etc/снимок экрана.png", PNG, settings)

    with attachments.open(settings, row) as file:
        assert file.read() == PNG
    assert (row.name, row.media_type, row.size) == ("снимок экрана.png", "image/png", len(PNG))


def test_a_rolled_back_transaction_leaves_no_file(database: Database, settings: Settings) -> None:
    def store_and_fail() -> None:
        with database.transaction() as session:
            message = a_message()
            session.add(message)
            attachments.store(session, message, "a.png", PNG, settings)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        store_and_fail()

    assert stored_files(settings) == []


def test_too_large_and_too_many_files_are_refused(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_SIZE", 100)
    monkeypatch.setattr(attachments, "MAX_PER_MESSAGE", 2)

    with database.transaction() as session:
        message = a_message()
        session.add(message)
        with pytest.raises(attachments.AttachmentRefused):
            attachments.store(session, message, "big", b"x" * 101, settings)
        for _ in range(2):
            attachments.store(session, message, "small", b"x", settings)
        with pytest.raises(attachments.AttachmentRefused):
            attachments.store(session, message, "third", b"x", settings)

    assert len(stored_files(settings)) == 2


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("photo.jpg", b"\xff\xd8\xff\xe0abc", "image/jpeg"),
        ("act.pdf", b"%PDF-1.7 abc", "application/pdf"),
        ("act.docx", b"PK\x03\x04abc", attachments._OFFICE["docx"]),
        ("archive.zip", b"PK\x03\x04abc", "application/zip"),
        ("log.txt", "ошибка 5\n".encode(), "text/plain"),
        ("table.csv", b"a;b\n", "text/csv"),
        ("picture.svg", b"<svg onload=alert(1)>", "application/octet-stream"),
        ("page.html", b"<script>alert(1)</script>", "application/octet-stream"),
        ("page.txt", b"  <!DOCTYPE html><script>", "application/octet-stream"),
        ("data.xml", b"<?xml version='1.0'?><a/>", "application/octet-stream"),
        ("photo.png", b"MZ\x90\x00 an executable", "application/octet-stream"),
        ("setup.exe", b"MZ\x90\x00", "application/octet-stream"),
        ("empty.png", b"", "application/octet-stream"),
    ],
)
def test_the_first_bytes_decide_what_a_file_is(name: str, content: bytes, media_type: str) -> None:
    assert attachments.media_type(name, content) == media_type


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("C:\\Windows\\акт.pdf", "акт.pdf"),
        ("invoice\u202efdp.exe", "invoice fdp.exe"),
        ("a\r\nContent-Type: text/html.png", "html.png"),
        ("a\x00b.txt", "a b.txt"),
        ("..", "file"),
        ("", "file"),
        ("CON.txt", "_CON.txt"),
        ("\udcff.txt", "_.txt"),
        ("я" * 300 + ".docx", "я" * 163 + ".docx"),
    ],
)
def test_names_lose_whatever_could_mislead(name: str, clean: str) -> None:
    assert attachments.clean_name(name) == clean


def test_an_id_that_is_none_never_reaches_the_disk(settings: Settings) -> None:
    with pytest.raises(NotFound):
        attachments.open(settings, Attachment(id="../../secret.key"))


def test_orphans_older_than_a_day_are_removed(database: Database, settings: Settings, clock: FixedClock) -> None:
    with database.transaction() as session:
        message = a_message()
        session.add(message)
        kept = attachments.store(session, message, "kept", b"kept", settings)
        gone = attachments.store(session, message, "gone", b"gone", settings)
        session.delete(gone)
    for path in stored_files(settings):
        os.utime(path, (0, 0))

    with database.transaction() as session:
        removed = attachments.remove_orphans(session, settings)

    assert removed == 1
    assert [path.name for path in stored_files(settings)] == [kept.id]
