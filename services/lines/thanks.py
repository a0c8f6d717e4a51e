"""Whether a message only thanks: such a message does not open a solved ticket again."""

from __future__ import annotations

import re

from services.search import normalise

LONGEST = 120

_THANKS = {
    *("спасибо", "благодарю", "благодарим", "благодарен", "благодарна", "спс", "пасиб", "пасибо", "мерси"),
    *("thanks", "thank", "thx", "ty", "cheers"),
}
_AROUND = {
    *("ок", "окей", "хорошо", "отлично", "супер", "класс", "понял", "поняла", "понятно", "ясно", "принято", "да"),
    *("большое", "огромное", "вам", "тебе", "вас", "за", "помощь", "ответ", "быстрый", "оперативность", "все"),
    *("работает", "заработало", "получилось", "помогло", "очень", "и", "добрый", "день", "здравствуйте"),
    *("ok", "okay", "great", "good", "perfect", "you", "very", "so", "much", "a", "lot", "for", "the", "your", "help"),
    *("it", "works", "now", "got", "all", "yes"),
}
_ENOUGH_ALONE = _THANKS | {"ок", "окей", "ok", "okay"}


def is_thanks(text: str) -> bool:
    """Whether the text is thanks or consent and nothing else; any other word, digit or question says no."""
    if len(text) > LONGEST or "?" in text or re.search(r"\d", text):
        return False
    said = re.findall(r"\w+", normalise(text))
    return bool(said) and not _ENOUGH_ALONE.isdisjoint(said) and set(said) <= _THANKS | _AROUND
