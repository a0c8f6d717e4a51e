"""Whether a machine wrote a mail: such mails are never answered and start no request."""

from __future__ import annotations

import re

from services.mail.addresses import split_tag
from services.mail.parsing import ParsedMail

_DAEMON = re.compile(r"(mailer-daemon|postmaster|mail-daemon|mdaemon)@")
_AWAY = re.compile(
    r"\s*((re|на|ha)\s*:\s*)?\[?(автоответ|авто-ответ|автоматический ответ|вне офиса|нет (на месте|в офисе)|"
    r"(я |нахожусь )?в отпуске|out of (the )?office|auto(matic)?[ -]?(reply|response)|on vacation|vacation reply|"
    r"i am out of (the )?office|abwesenheits(notiz|nachricht))"
    # people write about such answers too: then the sentence goes on
    r"( (до|с|по|until|till|from|auto-?reply)\b.*|\s*([\]:.,!—-].*)?)\Z",
    re.IGNORECASE,
)


def machine_reason(mail: ParsedMail, envelope_from: str, sender_is_own: bool) -> str | None:
    """The code of the reason (services.mail.wording) why this mail is a machine's; None for a person's mail."""
    if sender_is_own:
        return "machine_own"
    if mail.all("x-bpmdesk-loop", "x-loop"):
        return "machine_loop"
    if mail.content_type == "multipart/report" or mail.all("x-failed-recipients"):
        return "machine_bounce"
    if _AWAY.match(mail.header("subject")):
        return "machine_away"
    if _DAEMON.match(split_tag(mail.sender[1] or envelope_from.lower())[0]) or _has_null_path(mail, envelope_from):
        return "machine_daemon"
    if _is_list(mail):
        return "machine_list"
    return "machine_auto" if _says_automatic(mail) else None


def _has_null_path(mail: ParsedMail, envelope_from: str) -> bool:
    return not envelope_from.strip("<> ") or any(not path.strip("<> ") for path in mail.all("return-path"))


def _is_list(mail: ParsedMail) -> bool:
    precedence = mail.header("precedence").strip().lower()
    return precedence in ("bulk", "list", "junk") or bool(mail.all("list-id", "list-unsubscribe", "list-post"))


def _says_automatic(mail: ParsedMail) -> bool:
    submitted = mail.header("auto-submitted").partition(";")[0].strip().lower()
    suppressed = [word.strip() for word in mail.header("x-auto-response-suppress").lower().split(",")]
    return (
        submitted not in ("", "no")
        or mail.header("precedence").strip().lower() == "auto_reply"
        or "all" in suppressed
        or bool(mail.all("x-autoreply", "x-autorespond"))
    )
