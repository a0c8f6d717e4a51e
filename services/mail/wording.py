"""Short texts about mails that staff read, in the language of the desk."""

from __future__ import annotations

from services.mail.identity import current

_TEXTS: dict[str, tuple[str, str]] = {
    "too_many_parts": ("В письме слишком много частей (больше 200)", "The mail has too many parts (over 200)"),
    "too_deep": ("Части письма вложены слишком глубоко", "The parts of the mail are nested too deeply"),
    "too_big": ("На разбор письма не хватило отведённой памяти", "Reading the mail took more memory than it may"),
    "timeout": ("Разбор письма занял больше отведённого времени", "Reading the mail took longer than it may"),
    "crash": ("Разбор письма прервался", "Reading the mail broke off"),
    "failed": ("Письмо не удалось обработать: {detail}", "The mail could not be processed: {detail}"),
    "machine_own": ("Письмо с адреса самой службы", "A mail from an address of the desk itself"),
    "machine_loop": ("Письмо вернулось по кругу", "The mail came round in a loop"),
    "machine_bounce": ("Отчёт о недоставке", "A delivery report"),
    "machine_daemon": ("Письмо от почтового сервера", "A mail from a mail server"),
    "machine_away": ("Автоответ об отсутствии", "An out-of-office reply"),
    "machine_auto": ("Автоматическое письмо", "An automatic mail"),
    "machine_list": ("Рассылка", "A mailing list"),
    "duplicate": ("Письмо уже получено", "The mail was received before"),
    "truncated": (
        "[Показано начало письма, целиком оно хранится в исходном виде]",
        "[The beginning of the mail; the original is kept]",
    ),
    "not_kept": ("Вложение «{name}» не сохранено: {detail}", "The attachment “{name}” was not kept: {detail}"),
    "over_quota": ("больше допустимого размера или числа файлов", "over the permitted size or number of files"),
    "similar": (
        "Похоже на № {number}: письмо отвечает на него, но отправитель не участвует в этом обращении",
        "Looks like № {number}: the mail answers it, but its sender takes no part in that request",
    ),
    "follows": (
        "Похоже на № {number}: клиент продолжает ту же переписку",
        "Looks like № {number}: the client continues the same correspondence",
    ),
    "from_machine": ("{reason} от {sender}: {subject}", "{reason} from {sender}: {subject}"),
    "delivery_failed": ("Письмо клиенту не доставлено: {detail}", "The mail to the client was not delivered: {detail}"),
}


def say(code: str, **values: object) -> str:
    """The text of that code, its placeholders filled; an unknown code is shown as the detail of a failure."""
    if code not in _TEXTS:
        code, values = "failed", {"detail": code}
    russian, english = _TEXTS[code]
    return (russian if current().language == "ru" else english).format(**values)
