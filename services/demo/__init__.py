"""Demonstration data: people, clients and a fortnight of requests that really went through their process."""

from __future__ import annotations

from services.demo.fill import PASSWORD, fill

__all__ = ["PASSWORD", "fill"]
