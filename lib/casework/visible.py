"""Evidence text made safe to look at: what the eye cannot see is written out.

A bidirectional override, a zero-width space, a terminal escape or a tag character changes what a
reader sees without changing what she reads. Terminal, page and chart pass every text of a case
through `visible`; the exhibits and the JSON keep it as it was received.
"""

from itertools import chain
from unicodedata import category

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_KEPT = frozenset("\n\t")
_IN_COLOUR = "\ufe0f"
# Letters, marks and symbols that are drawn as nothing: joiners and fillers of Hangul, Khmer,
# Mongolian and Braille, and the selectors of variants, of which a row can smuggle any bytes.
_WITHOUT_INK = frozenset(
    map(
        chr,
        chain(
            (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            range(0x180B, 0x1810),
            range(0xFE00, 0xFE10),
            range(0xE0100, 0xE01F0),
        ),
    )
)


def visible(text: str) -> str:
    """Replace every character that shows nothing, or steers what is shown, by `⟨U+XXXX⟩`.

    These are the Unicode categories Cc, Cf, Co, Cs, Cn, Zl and Zp, except newline and tab, and
    the blanks and selectors of other categories that have no ink; but not the one selector after
    an emoji that asks for its colours.
    """
    if text.isprintable() and _WITHOUT_INK.isdisjoint(text):
        return text
    return "".join(map(_shown, text, f" {text}"))


def _shown(character: str, before: str) -> str:
    is_unseen = category(character) in _UNSEEN or character in _WITHOUT_INK
    is_colour = character == _IN_COLOUR and category(before) == "So"
    if character in _KEPT or is_colour or not is_unseen:
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
