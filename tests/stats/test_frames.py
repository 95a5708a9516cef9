"""What nearly all texts begin and end with keeps no copy from being one."""

import numpy as np
import pyarrow as pa
import pytest

from casework.stats.boilerplate import without_boilerplate
from casework.stats.frames import frame, same_but_frame
from casework.stats.texts import match
from casework.stats.tokens import Tokens, tokenise

RNG = np.random.default_rng(5)
WORDS = np.array([f"w{n}" for n in range(400)])
PLAIN = [" ".join(RNG.choice(WORDS, int(RNG.integers(6, 15)))) for _ in range(60)]


def tokens(texts: list[str]) -> Tokens:
    return tokenise(pa.array(texts))


@pytest.mark.parametrize(
    ("head", "tail", "theirs"),
    [("Question: ", "", ""), ("", " Answer:", ""), ("Message: Good day, ", " Reply:", "Good day, "),
     ("", "", "Input: "), ("Question: ", " Answer:", "Text: ")],
)  # fmt: skip
def test_a_copy_is_whole_without_its_frame(head: str, tail: str, theirs: str) -> None:
    items = tokens([f"{head}{text}{tail}" for text in PLAIN])
    documents = tokens([f"{theirs}{text}" for text in PLAIN[:40:2]]
                       + [" ".join(RNG.choice(WORDS, 9)) for _ in range(2)])  # fmt: skip
    found = match(without_boilerplate(items, documents), documents)
    whole = found.where(found.tier == 1)
    assert dict(zip(whole.document.tolist(), whole.item.tolist(), strict=True)) == {
        n: 2 * n for n in range(20)
    }


def test_what_some_texts_begin_with_is_theirs() -> None:
    texts = [f"{'Please note ' if n % 3 else ''}{text}" for n, text in enumerate(PLAIN)]
    head, tail = frame(tokens(texts))
    assert not head.any()
    assert not tail.any()
    assert not len(same_but_frame(tokens(texts), tokens(PLAIN[1:2]))[0])


def test_little_that_is_left_of_a_text_is_no_text() -> None:
    items = tokens([f"What is the capital city of land{n}" for n in range(30)])
    assert not len(same_but_frame(items, tokens([f"land{n}" for n in range(30)]))[0])


def test_forms_with_few_words_of_their_own_are_near_only_to_their_copies() -> None:
    """Most words are those of many: a copy with another greeting is near, another form is not."""
    form = " ".join(RNG.choice(WORDS, 24))
    own = [f"Good day {form} room {n} floor {n % 7}" for n in range(120)]
    copies = [text.replace("Good day", "Hello") for text in own[:10]]
    others = [f"Good day {form} room {n} floor {n % 7}" for n in range(500, 600)]
    items, documents = tokens(own), tokens(copies + others)
    found = match(without_boilerplate(items, documents), documents)
    near = found.where(found.tier <= 2)
    assert set(zip(near.item.tolist(), near.document.tolist(), strict=True)) == {
        (n, n) for n in range(10)
    }


def test_a_phrase_that_is_all_that_counts_of_an_item_is_not_nearly_the_item() -> None:
    """Most words are in phrases of many; two texts that end alike have little else in common."""
    phrases = [[" ".join(RNG.choice(WORDS, 8)) for _ in range(3)] for _ in range(3)]
    ends = [" ".join(RNG.choice(WORDS, 8)) for _ in range(40)]

    def text(n: int, shift: int) -> str:
        kinds = [kind[(n // 3**place + shift) % 3] for place, kind in enumerate(phrases)]
        return " ".join([*kinds, ends[n]])

    own, others = [text(n, 0) for n in range(40)], [text(n, 1) for n in range(40)]
    items, documents = tokens(own), tokens(others)
    found = match(without_boilerplate(items, documents, 0.1, 5), documents)
    assert not (found.tier <= 2).any()
    again = match(without_boilerplate(items, items, 0.1, 5), items)
    assert (again.where(again.item == again.document).tier == 1).all()
