"""Evidence text made safe to look at: what the eye cannot see is written out.

A bidirectional override, a zero-width space, a terminal escape or a tag character changes what a
reader sees without changing what she reads. Terminal, page and chart pass every text of a case
through `visible`; the exhibits and the JSON keep it as it was received.
"""

from unicodedata import category

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_KEPT = frozenset("\n\t")


def visible(text: str) -> str:
    """Replace every character that shows nothing, or steers what is shown, by `⟨U+XXXX⟩`.

    These are the Unicode categories Cc, Cf, Co, Cs, Cn, Zl and Zp, except newline and tab.
    """
    if text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in _KEPT or category(character) not in _UNSEEN:
        return character
    return f"⟨U+{ord(character):04X}⟩"


def on_one_line(text: str) -> str:
    """Return visible text with every run of white space as one space, for labels and cells."""
    return " ".join(visible(text).split())


def shorten(text: str, length: int = 16) -> str:
    """Shorten an id in the middle, so that its beginning and its end can be compared.

    Args:
        text: the id, made visible first.
        length: the most characters that the result may have, at least 3.
    """
    shown = on_one_line(text)
    if len(shown) <= length:
        return shown
    head, tail = ends(length)
    return f"{shown[:head]}…{shown[len(shown) - tail :]}"


def ends(length: int) -> tuple[int, int]:
    """How many characters of an id stay at its beginning and end when it is shortened."""
    tail = max(1, (length - 1) * 2 // 5)
    return max(1, length - 1 - tail), tail
