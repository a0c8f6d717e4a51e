"""Charsets, HTML and quotations: what remains of a mail to be read."""

from __future__ import annotations

from email.header import Header

import pytest

from services.mail import charsets, html_text, quotes

RUSSIAN = "Здравствуйте! Не работает касса № 3, помогите, пожалуйста."


@pytest.mark.parametrize("actual", ["utf-8", "cp1251", "koi8-r", "cp866"])
@pytest.mark.parametrize("declared", [None, "utf-8", "us-ascii", "iso-8859-1", "windows-1251", "koi8-r", "x-unknown"])
def test_russian_survives_every_wrong_declaration(actual: str, declared: str | None) -> None:
    text = RUSSIAN.replace("№", "N") if actual in ("koi8-r",) else RUSSIAN

    assert charsets.decode(text.encode(actual), declared) == text


def test_other_languages_keep_their_declared_charset() -> None:
    assert charsets.decode("Füße größer".encode("latin-1"), "iso-8859-1") == "Füße größer"
    assert charsets.decode("日本語の手紙".encode("shift_jis"), "shift_jis") == "日本語の手紙"
    assert charsets.decode("日本語".encode("iso-2022-jp"), "iso-2022-jp") == "日本語"


def test_control_characters_and_lone_surrogates_are_left_out() -> None:
    assert charsets.decode(b"a\x00b\x1b[31m\r\nc", "ascii") == "ab[31m\nc"
    assert "\udcff" not in charsets.clean("a\udcff")


@pytest.mark.parametrize("charset", ["utf-8", "cp1251", "koi8-r"])
def test_encoded_headers_are_read(charset: str) -> None:
    encoded = Header("Не работает касса в магазине на Ленина", charset, header_name="Subject").encode()

    assert charsets.decode_words(encoded) == "Не работает касса в магазине на Ленина"


def test_raw_eight_bit_headers_are_read() -> None:
    raw = "Не работает касса".encode("cp1251").decode("ascii", "surrogateescape")

    assert charsets.decode_words(raw) == "Не работает касса"


@pytest.mark.parametrize("broken", ["=?utf-8?b?0J3Q?=", "=?x-no?q?=D0=9D?=", "=?utf-8?q?=ZZ?=", "=?=?=?=?b?q?=?="])
def test_broken_encoded_words_never_fail(broken: str) -> None:
    assert isinstance(charsets.decode_words(broken), str)


def test_html_becomes_text_without_anything_that_runs() -> None:
    html = """<html><head><title>t</title><style>p {color: red}</style></head><body onload="x()">
      <p>Добрый&nbsp;день!</p><script>alert(1)</script><ul><li>раз</li><li>два</li></ul>
      <a href="https://shop.example/42">заказ</a> <a href="javascript:alert(1)">сюда</a><br>конец
      <blockquote>прежнее</blockquote></body></html>"""

    text = html_text.to_text(html)

    assert text == "Добрый день!\n\n- раз\n- два\n\nзаказ <https://shop.example/42> сюда\nконец\n> прежнее"


@pytest.mark.parametrize(
    "html",
    [
        "<head>no end <body>письмо",
        "<blockquote>" * 5000 + "письмо",
        "</p></div>письмо",
        "<![CDATA[x]]>письмо<",
        "<a href>письмо",
    ],
)
def test_broken_html_still_gives_its_words(html: str) -> None:
    assert "письмо" in html_text.to_text(html)


NEW = "Спасибо, но всё ещё не печатает."
TAILS = {
    "gmail": "пн, 16 мар. 2026 г. в 12:00, Поддержка <support@desk.localhost>:\n\n> Проверьте кабель\n> и бумагу",
    "gmail wrapped": "On Mon, Mar 16, 2026 at 12:00 PM Support Desk\n<support@desk.localhost> wrote:\n\n> Check it",
    "mail.ru": "Понедельник, 16 марта 2026, 12:00 +03:00 от Поддержка <support@desk.localhost>:\n\nПроверьте кабель",
    "yandex": '16.03.2026, 12:00, "Поддержка" <support@desk.localhost>:\n\nПроверьте кабель',
    "thunderbird": "16.03.2026 12:00, Поддержка пишет:\n> Проверьте кабель",
    "apple": "16 марта 2026 г., в 12:00, Поддержка <support@desk.localhost> написал(а):\n\n> Проверьте кабель",
    "outlook ru": (
        "________________________________\nОт: Поддержка <support@desk.localhost>\n"
        "Отправлено: 16 марта 2026 г. 12:00\nКому: Иван\nТема: Касса\n\nПроверьте кабель"
    ),
    "outlook en": (
        "From: Support <support@desk.localhost>\nSent: Monday, March 16, 2026 12:00 PM\n"
        "To: Ivan\nSubject: Till\n\nCheck the cable"
    ),
    "outlook old": "-----Исходное сообщение-----\nFrom: Support\nПроверьте кабель",
    "bare": "> Проверьте кабель\n> и бумагу",
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=TAILS.keys())
def test_the_quoted_tail_is_cut(tail: str) -> None:
    assert quotes.cut(f"{NEW}\n\n{tail}\n") == NEW


def test_an_answer_below_the_quotation_is_kept() -> None:
    text = f"On Mon, Mar 16, 2026 at 12:00 PM Support <s@d.ru> wrote:\n> Проверьте кабель\n\n{NEW}"

    assert quotes.cut(text) == NEW


def test_answers_between_the_lines_keep_their_questions() -> None:
    text = "On Mon, Mar 16, 2026 Support <s@d.ru> wrote:\n> Модель?\nК-5\n> Серия?\n77\n"

    assert quotes.cut(text) == text.strip()


def test_a_mail_of_quotation_only_is_kept_whole() -> None:
    assert quotes.cut(TAILS["bare"]) == TAILS["bare"]


@pytest.mark.parametrize(
    "text",
    [
        "Список:\n- касса\n- принтер\n\nС уважением,\nИван",
        "Он писал: касса не работает.\nОт: кого не знаю",
        "Кому: мне\n\nтекст",
    ],
)
def test_what_only_resembles_a_quotation_stays(text: str) -> None:
    assert quotes.cut(text) == text
