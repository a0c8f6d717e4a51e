"""The bounded process that reads mails: a length, a flag and a raw mail come in, JSON and files go out."""

from __future__ import annotations

import json
import resource
import struct
import sys
from typing import Any, BinaryIO

from services.mail.parsing import ParsedMail, Unparsable, parse

REQUEST = struct.Struct(">QB")
ANSWER = struct.Struct(">Q")
MEMORY = 256 * 1024 * 1024
SECONDS = 5


def main() -> None:
    """Answer requests on standard input until it is closed."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    incoming, outgoing = sys.stdin.buffer, sys.stdout.buffer
    while len(head := incoming.read(REQUEST.size)) == REQUEST.size:
        size, cut_quotes = REQUEST.unpack(head)
        _limit_cpu()
        _answer(incoming.read(size), bool(cut_quotes), outgoing)


def _limit_cpu() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS + 1, hard))


def _answer(raw: bytes, cut_quotes: bool, outgoing: BinaryIO) -> None:
    try:
        mail = parse(raw, cut_quotes=cut_quotes)
    except Unparsable as error:
        _write(outgoing, {"refused": str(error)}, [])
    except MemoryError:
        _write(outgoing, {"refused": "too_big"}, [])
    except Exception as error:  # whatever a hostile mail breaks is told, and the mail is kept
        _write(outgoing, {"failed": f"{type(error).__name__}: {error}"[:500]}, [])
    else:
        _write(outgoing, {"mail": _described(mail)}, [file.content for file in mail.files])


def _described(mail: ParsedMail) -> dict[str, Any]:
    return {
        "headers": mail.headers,
        "sender": mail.sender,
        "text": mail.text,
        "truncated": mail.truncated,
        "content_type": mail.content_type,
        "returned_ids": mail.returned_ids,
        "delivery_failed": mail.delivery_failed,
        "files": [[file.name, len(file.content)] for file in mail.files],
    }


def _write(outgoing: BinaryIO, description: dict[str, Any], contents: list[bytes]) -> None:
    encoded = json.dumps(description).encode()
    outgoing.write(ANSWER.pack(len(encoded)) + encoded)
    for content in contents:
        outgoing.write(content)
    outgoing.flush()
