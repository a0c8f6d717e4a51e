"""Passwords of the staff: argon2id, one place that decides its parameters."""

from __future__ import annotations

from argon2 import PasswordHasher

_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """An argon2id hash to be stored."""
    return _hasher.hash(password)
