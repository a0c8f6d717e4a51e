"""The other end of the bounded process: starts it, gives it a mail, ends it when it takes too long."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from threading import Timer
from types import TracebackType
from typing import Any

from services.mail.parse_child import ANSWER, REQUEST, SECONDS
from services.mail.parsing import ParsedFile, ParsedMail, Unparsable

_ROOT = str(Path(__file__).resolve().parents[2])
_START = f"import sys; sys.path.insert(0, {_ROOT!r}); from services.mail.parse_child import main; main()"
_MAX_ANSWER = 80 * 1024 * 1024


class ParsingFailed(Exception):
    """The mail could not be read this time; the text says why."""


class Sandbox:
    """One child process for a batch of mails; a child that died is replaced for the next mail.

    It has no secrets in its environment, 256 MB of memory, may write no files and gets 5 seconds a mail.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sandbox:
        # it starts while the first mail is fetched
        self._child = _started()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def parse(self, raw: bytes, *, cut_quotes: bool = True) -> ParsedMail:
        """Read one mail; raises Unparsable for good, ParsingFailed when another attempt may help."""
        child = self._child = self._child or _started()
        overdue: list[bool] = []

        def stop() -> None:
            overdue.append(True)
            child.kill()

        timer = Timer(self._seconds, stop)
        timer.start()
        try:
            return _exchange(child, raw, cut_quotes)
        except (OSError, EOFError, ValueError) as error:
            self._end()
            raise ParsingFailed("timeout" if overdue else "crash") from error
        finally:
            timer.cancel()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]  # both were opened by _started
        child.wait()


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-s", "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )


def _exchange(child: subprocess.Popen[bytes], raw: bytes, cut_quotes: bool) -> ParsedMail:
    assert child.stdin is not None  # noqa: S101 - narrows the type: opened by _started
    child.stdin.write(REQUEST.pack(len(raw), cut_quotes) + raw)
    child.stdin.flush()
    size = ANSWER.unpack(_read(child, ANSWER.size))[0]
    answer: dict[str, Any] = json.loads(_read(child, size))
    if "refused" in answer:
        raise Unparsable(answer["refused"])
    if "failed" in answer:
        raise ParsingFailed(answer["failed"])
    description = answer["mail"]
    files = [ParsedFile(name, _read(child, length)) for name, length in description.pop("files")]
    description["sender"] = tuple(description["sender"])
    return ParsedMail(**description, files=files)


def _read(child: subprocess.Popen[bytes], size: int) -> bytes:
    assert child.stdout is not None  # noqa: S101 - narrows the type: opened by _started
    if size > _MAX_ANSWER:
        raise EOFError
    content = child.stdout.read(size)
    if len(content) != size:
        raise EOFError
    return content
