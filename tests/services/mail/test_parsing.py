"""Reading hostile mails inside the bounded child."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import pytest

from services.mail import sandbox as sandbox_module
from services.mail.parsing import Unparsable
from services.mail.sandbox import ParsingFailed, Sandbox
from tests.services.mail.letters import IVAN, TEXT, bounce, deeply_nested, letter, many_parts, raw


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


def test_an_ordinary_mail_is_read(sandbox: Sandbox) -> None:
    mail = sandbox.parse(letter().as_bytes())

    assert mail.sender == ("Иван Петров", IVAN)
    assert mail.header("subject") == "Не работает касса"
    assert mail.text == TEXT
    assert mail.files == []


def test_attachments_come_out_byte_for_byte(sandbox: Sandbox) -> None:
    content = os.urandom(100_000)
    mail = letter()
    mail.add_attachment(content, maintype="image", subtype="png", filename="снимок экрана.png")

    read = sandbox.parse(mail.as_bytes())

    assert [(file.name, file.content) for file in read.files] == [("снимок экрана.png", content)]
    assert read.text == TEXT


def test_the_plain_alternative_is_preferred_unless_it_is_empty(sandbox: Sandbox) -> None:
    both = letter("простой текст")
    both.add_alternative("<p>разметка</p>", subtype="html")
    only_html = letter(" \n")
    only_html.add_alternative("<p>разметка<script>alert(1)</script></p>", subtype="html")

    assert sandbox.parse(both.as_bytes()).text == "простой текст"
    assert sandbox.parse(only_html.as_bytes()).text == "разметка"


@pytest.mark.parametrize("charset", ["windows-1251", "koi8-r", "utf-8"])
def test_eight_bit_headers_and_body_without_any_declaration_are_read(sandbox: Sandbox, charset: str) -> None:
    content = raw(f"From: Иван <{IVAN}>\nSubject: Не работает касса", TEXT, charset)

    mail = sandbox.parse(content)

    assert (mail.sender, mail.header("subject"), mail.text) == (("Иван", IVAN), "Не работает касса", TEXT)


@pytest.mark.parametrize(
    "file_name",
    [
        'filename="=?utf-8?b?0LDQutGCLnBkZg==?="',
        "filename*=utf-8''%D0%B0%D0%BA%D1%82.pdf",
        "filename*=windows-1251''%E0%EA%F2.pdf",
        'filename="акт.pdf"',
        "filename*0*=utf-8''%D0%B0%D0%BA; filename*1*=%D1%82.pdf",
    ],
)
def test_file_names_are_read_in_all_their_spellings(sandbox: Sandbox, file_name: str) -> None:
    head = f"From: {IVAN}\nContent-Type: application/pdf\nContent-Disposition: attachment; {file_name}"

    assert [file.name for file in sandbox.parse(raw(head, b"%PDF-")).files] == ["акт.pdf"]


def test_an_encoded_comma_does_not_make_two_senders(sandbox: Sandbox) -> None:
    mail = sandbox.parse(raw(f"From: =?utf-8?q?support=40desk=2Elocalhost=2C?= <{IVAN}>", "x"))

    assert mail.sender[1] == IVAN


@pytest.mark.parametrize("content", [deeply_nested(60), deeply_nested(5000), many_parts(500)], ids=len)
def test_mime_bombs_are_refused(sandbox: Sandbox, content: bytes) -> None:
    with pytest.raises(Unparsable):
        sandbox.parse(content)

    assert sandbox.parse(letter().as_bytes()).text == TEXT


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 1000,
        b"no header at all",
        bytes(range(256)) * 20,
        raw(f"From: {IVAN}\nSubject: {'x' * 200_000}", "body"),
        raw("\n".join(f"X-Header-{n}: {'y' * 200}" for n in range(5000)), "body"),
        raw(f"From: {IVAN}\nContent-Type: multipart/mixed", "no boundary"),
        raw(f'From: {IVAN}\nContent-Type: text/plain; charset="\\"', "body"),
        raw(f"From: {IVAN}\nContent-Type: text/plain; charset*0*=x''%; charset*1=y", "body"),
        raw(f"From: {IVAN}\nContent-Transfer-Encoding: base64", "%%%not base64%%%"),
        raw(f"From: {IVAN}\nContent-Transfer-Encoding: x-uuencode", "begin 644 a\n#broken"),
        raw(f"From: {IVAN}\nContent-Type: text/plain; charset=zip", base64.b64encode(b"PK\x03\x04")),
        raw(f"From: {IVAN}\nContent-Type: message/rfc822", "Subject: inner\n\ntext"),
        raw(f'From: {IVAN}, ,,;:<>"@(((', "body"),
    ],
    ids=lambda content: f"{len(content)}-bytes",
)
def test_broken_mails_are_read_as_far_as_possible(sandbox: Sandbox, content: bytes) -> None:
    mail = sandbox.parse(content)

    assert "\x00" not in mail.text
    assert len(mail.header("subject")) <= 20_000


HTML = f"From: {IVAN}\nIn-Reply-To: <a@b>\nContent-Type: text/html"
PLAIN = f"From: {IVAN}\nIn-Reply-To: <a@b>"


@pytest.mark.parametrize(
    "content",
    [
        raw(HTML, "<!--" * 500_000),
        raw(HTML, "<a " + "x=y " * 500_000),
        raw(HTML, "<a href='" * 200_000),
        raw(HTML, "&#x" * 600_000),
        raw(HTML, "<" * 2_000_000),
        raw(PLAIN, "\n \n" * 6000),
        raw(PLAIN, ("-" * 100_000 + "\n") * 20),
        raw(PLAIN, "From: a\n" * 20_000),
        raw(f"From: {'(' * 19_000}", "x"),
    ],
    ids=["comments", "attributes", "quotes", "entities", "brackets", "empty lines", "rules", "headers", "parentheses"],
)
def test_what_grows_in_other_readers_beyond_every_limit_is_read_in_time(sandbox: Sandbox, content: bytes) -> None:
    assert len(sandbox.parse(content).text) <= 100_000


def test_pictures_written_into_the_page_do_not_crowd_out_the_words(sandbox: Sandbox) -> None:
    picture = f"<img src='data:image/png;base64,{'A' * 1_000_000}'>"

    mail = sandbox.parse(raw(HTML, f"{picture}<p>Не печатает</p>"))

    assert (mail.text, mail.truncated) == ("Не печатает", False)


def test_a_text_that_is_cut_says_so(sandbox: Sandbox) -> None:
    assert sandbox.parse(raw(HTML, "<p>длинный текст</p>" * 20_000)).truncated
    assert sandbox.parse(raw(PLAIN, "длинный текст\n" * 20_000)).truncated


def test_a_bounce_gives_the_id_of_the_mail_it_returns(sandbox: Sandbox) -> None:
    mail = sandbox.parse(bounce("<t1.x@desk.localhost>"))

    assert mail.returned_ids == "<t1.x@desk.localhost>"
    assert mail.delivery_failed
    assert not sandbox.parse(bounce("<t1.x@desk.localhost>", action="delayed")).delivery_failed


def test_only_answers_lose_their_quotations(sandbox: Sandbox) -> None:
    quoted = "Новое\n\n> прежнее"
    answer = letter(quoted, subject="Re: Не работает касса").as_bytes()

    assert sandbox.parse(answer).text == "Новое"
    assert sandbox.parse(answer, cut_quotes=False).text == quoted
    assert sandbox.parse(letter(quoted).as_bytes()).text == quoted


def test_a_mail_of_the_largest_size_fits_into_the_memory(sandbox: Sandbox) -> None:
    mail = letter()
    mail.add_attachment(os.urandom(18_000_000), maintype="application", subtype="zip", filename="a.zip")

    assert len(sandbox.parse(mail.as_bytes()).files[0].content) == 18_000_000


def test_a_mail_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    with Sandbox(seconds=0.0) as impatient:
        with pytest.raises(ParsingFailed, match="timeout"):
            impatient.parse(many_parts(150) * 50)

        impatient._seconds = 5.0
        assert impatient.parse(letter().as_bytes()).text == TEXT


def test_a_child_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    start = sandbox_module._START
    monkeypatch.setattr(sandbox_module, "_START", "import os; os._exit(1)")
    with Sandbox() as box:
        with pytest.raises(ParsingFailed, match="crash"):
            box.parse(letter().as_bytes())

        monkeypatch.setattr(sandbox_module, "_START", start)
        assert box.parse(letter().as_bytes()).text == TEXT


def test_memory_beyond_the_limit_is_refused_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    hungry = sandbox_module._START.replace(
        "; main()", "; import services.mail.parse_child as c; c.parse = lambda raw, cut_quotes: b'x' * 10**9; main()"
    )
    monkeypatch.setattr(sandbox_module, "_START", hungry)

    with Sandbox() as box, pytest.raises(Unparsable, match="too_big"):
        box.parse(b"")


def test_the_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    spying = sandbox_module._START.replace(
        "; main()",
        "; import os, services.mail.parse_child as c; "
        "c.parse = lambda raw, cut_quotes: (_ for _ in ()).throw(ValueError(sorted(os.environ))); main()",
    )
    monkeypatch.setattr(sandbox_module, "_START", spying)
    monkeypatch.setenv("BPMDESK_SECRET_KEY", "canary")

    with Sandbox() as box, pytest.raises(ParsingFailed) as failure:
        box.parse(b"")

    assert "BPMDESK" not in str(failure.value)
