"""How text is made comparable for the search line, on every database alike."""

from __future__ import annotations

_LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`"
_CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбюё"
_TO_OTHER = str.maketrans(_LATIN + _CYRILLIC, _CYRILLIC + _LATIN)


def normalise(text: str) -> str:
    """Lower case, ё as е, white space collapsed."""
    return " ".join(text.lower().replace("ё", "е").split())


def document(*parts: str | None) -> str:
    """What is stored to be searched in."""
    return normalise("\n".join(part for part in parts if part))


def words(query: str) -> list[str]:
    """The words that must all occur; at most ten, so that a pasted page is still a query."""
    return [word.lstrip("№#") for word in normalise(query).split() if word.lstrip("№#")][:10]


def other_layout(query: str) -> str:
    """The same keys pressed on the other keyboard layout: "rfvthf" → "камера"."""
    return query.lower().translate(_TO_OTHER)
