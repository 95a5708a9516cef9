from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.visible import _WITHOUT_INK, on_one_line, shorten, visible

UNSEEN = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}


@given(st.text(alphabet=st.characters()))
def test_nothing_unseen_is_left(text: str) -> None:
    assert not [c for c in visible(text) if category(c) in UNSEEN and c not in "\n\t"]


@given(st.text())
def test_it_is_done_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(st.text(alphabet=st.characters(exclude_categories=sorted(UNSEEN),
                                      exclude_characters=sorted(_WITHOUT_INK))))  # fmt: skip
def test_what_can_be_seen_stays(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("\x1b]8;;http://evil\x07link", "⟨U+001B⟩]8;;http://evil⟨U+0007⟩link"),
        ("invoice‮fdp.exe", "invoice⟨U+202E⟩fdp.exe"),
        ("a\U000e0041b", "a⟨U+E0041⟩b"),
        ("byte\U000e0101s\ufe0f", "byte⟨U+E0101⟩s⟨U+FE0F⟩"),
        ("love \u2764\ufe0f\ufe0f", "love \u2764\ufe0f⟨U+FE0F⟩"),
        ("\u3164\u115f\u2800\u034f", "⟨U+3164⟩⟨U+115F⟩⟨U+2800⟩⟨U+034F⟩"),
        ("zero​width", "zero⟨U+200B⟩width"),
        ("one\u2028two", "one⟨U+2028⟩two"),
        ("lone \ud800", "lone ⟨U+D800⟩"),
        ("carriage\rreturn", "carriage⟨U+000D⟩return"),
        ("kept\n\ttabs and lines", "kept\n\ttabs and lines"),
        ("Zürich, 東京, 👍", "Zürich, 東京, 👍"),
    ],
)
def test_known_tricks_are_shown(text: str, seen: str) -> None:
    assert visible(text) == seen


@given(st.text(), st.integers(3, 40))
def test_a_short_id_fits_and_keeps_both_ends(text: str, length: int) -> None:
    whole, short = on_one_line(text), shorten(text, length)
    assert len(short) <= length
    assert short[:1] == whole[:1]
    assert short[-1:] == whole[-1:]
    assert short == whole or "…" in short


def test_an_id_is_shortened_in_the_middle() -> None:
    assert shorten("sha256:9f2c41d0aa17be", 12) == "sha256:…17be"
    assert shorten("v1-chat", 12) == "v1-chat"
