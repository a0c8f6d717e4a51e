"""What people see when something does not work: words and a request id, never a stack trace."""

from __future__ import annotations

import secrets

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from engine import incidents
from engine.circumstances import facts
from engine.errors import Busy, EngineError, Forbidden, NotFound, Stale, Suspended
from engine.models import Incident
from services.forms import FormInvalid
from services.lines.attachments import AttachmentRefused
from services.people.queries import display_name
from webui.api import problems
from webui.language import gettext, spoken
from webui.moments import at_seconds
from webui.routes import current_desk, is_fragment

log = structlog.get_logger(__name__)


def install(app: Flask) -> None:
    """Answer every error in words."""
    app.before_request(_name_request)
    app.after_request(_show_name)
    handlers = (
        (CSRFError, _forged),
        (HTTPException, _http),
        (NotFound, _not_found),
        (Forbidden, _forbidden),
        (Stale, _stale),
        (Busy, _busy),
        (FormInvalid, _invalid),
        (AttachmentRefused, _too_large),
        (EngineError, _failed),
        (Exception, _failed),
    )
    for kind, handler in handlers:
        app.register_error_handler(kind, handler)


def stale_words(error: Stale) -> str:
    """Who was first, with what and when; of a suspended process who suspended it and why."""
    who = _name(error.by)
    if isinstance(error, Suspended) and error.at:
        text = "Процесс приостановлен: %(who)s, %(at)s. Причина: %(reason)s"
        return f"{gettext(text, who=who, at=at_seconds(error.at), reason=error.reason or '–')}."
    if error.action and error.at:
        return gettext("%(who)s раньше: «%(action)s» в %(at)s.", who=who, action=error.action, at=at_seconds(error.at))
    if error.at:
        return gettext("%(who)s раньше, в %(at)s.", who=who, at=at_seconds(error.at))
    return gettext("Обращение уже изменилось.")


def _name(reference: str | None) -> str:
    if reference is None or ":" not in reference:
        return reference if reference not in (None, "timer", "system") else gettext("Процесс")
    with current_desk().database.reading() as session:
        return display_name(session, reference, spoken())


def answer(status: int, title: str, text: str, *, icon: str = "alert-triangle", retry_after: int = 0) -> Response:
    """A page or a part of one that says what happened and what to do; a problem for a caller of the API."""
    if request.path.startswith("/api/"):
        return problems.of_status(status, text)
    template = "fragments/error.html" if is_fragment() else "error.html"
    body = render_template(template, status=status, title=title, text=text, picture=icon, request_id=request_id())
    response = make_response(body, status)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    if is_fragment():
        response.headers.update({"HX-Retarget": "#notices", "HX-Reswap": "innerHTML"})
    return response


def request_id() -> str:
    """The name of this request in the log."""
    return str(g.get("request_id", ""))


def _name_request() -> None:
    g.request_id = secrets.token_hex(6)


def _show_name(response: Response) -> Response:
    response.headers["X-Request-Id"] = request_id()
    return response


def _forged(_error: CSRFError) -> Response:
    text = gettext("Страница устарела. Обновите её и повторите: написанное останется в поле.")
    return answer(400, gettext("Страница устарела"), text, icon="refresh")


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    if error.code == 500:
        # The page of an error has failed itself: say it without a template.
        log.error("error page failed", action="request", request_id=request_id(), exc_info=error)
        return make_response(f"Request {request_id()} failed.\n", 500, {"Content-Type": "text/plain"})
    texts = {
        403: (gettext("Нет доступа"), gettext("Ваша роль не открывает эту страницу. Попросите администратора.")),
        404: (gettext("Ничего нет"), gettext("Такой страницы нет, или она не для вас.")),
        405: (gettext("Так нельзя"), gettext("Откройте страницу заново и повторите.")),
        413: (gettext("Слишком большой файл"), gettext("Не больше 25 МБ за один раз.")),
        429: (gettext("Слишком часто"), gettext("Подождите минуту и повторите.")),
    }
    title, text = texts.get(error.code, (gettext("Не получилось"), gettext("Проверьте, что отправили, и повторите.")))
    return answer(error.code, title, text, retry_after=60 if error.code == 429 else 0)


def _not_found(error: NotFound) -> Response:
    if "instance" in facts(error):
        return _failed(error)
    return answer(404, gettext("Ничего нет"), gettext("Такой страницы нет, или она не для вас."), icon="search-off")


def _forbidden(_error: Forbidden) -> Response:
    return answer(403, gettext("Нет доступа"), gettext("Это может сделать тот, у кого есть такое право."), icon="lock")


def _stale(error: Stale) -> Response:
    text = f"{stale_words(error)} {gettext('Ваше действие не выполнено. Обновите страницу.')}"
    title = gettext("Процесс приостановлен") if isinstance(error, Suspended) else gettext("Кто-то успел раньше")
    return answer(409, title, text, icon="info-circle")


def _busy(_error: Busy) -> Response:
    text = gettext("Эту запись как раз меняет кто-то другой. Повторите через пару секунд: ничего не потеряно.")
    return answer(503, gettext("Занято на секунду"), text, icon="hourglass-low", retry_after=2)


def _invalid(error: FormInvalid) -> Response:
    return answer(422, gettext("Проверьте поля"), "; ".join(error.errors.values()))


def _note(error: Exception) -> Incident | None:
    """The incident of a step that failed in this person's hands; its own failure must not hide the first one."""
    try:
        return incidents.report(current_desk().database, error)
    except Exception:
        log.exception("incident not noted", action="request", request_id=request_id())
        return None


def _too_large(_error: AttachmentRefused) -> Response:
    text = gettext("Не больше 25 МБ на файл, 30 файлов и 50 МБ на сообщение.")
    return answer(413, gettext("Слишком большой файл"), text, icon="paperclip")


def _failed(error: Exception) -> Response:
    log.error("request failed", action="request", request_id=request_id(), path=request.path, exc_info=error)
    noted = _note(error)
    if noted is not None:
        step = noted.element_name or noted.element_id or gettext("шаг процесса")
        text = gettext(
            "Процесс не выполнил «%(step)s». Ничего не сохранено, написанное осталось в форме. "
            "Администратор уже видит этот сбой (№ %(number)d); когда он его устранит, нажмите ещё раз.",
            step=step,
            number=noted.id,
        )
        return answer(500, gettext("Не получилось"), text)
    text = gettext("Ошибка записана. Повторите; если не поможет, назовите администратору номер запроса.")
    return answer(500, gettext("Не получилось"), text)
