"""Items found in documents by hashes, against plain comparison of words."""

import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.stats._runs import long_runs
from casework.stats.boilerplate import Items, without_boilerplate
from casework.stats.overlap import overlap, shingles
from casework.stats.own_prompt import own_prompts
from casework.stats.shingles import Seeds, distinct, inside, windows
from casework.stats.texts import items_with_long_run, match
from casework.stats.tokens import normalise, tokenise

WORDS = [f"w{i}" for i in range(12)]
texts_of_words = st.lists(st.lists(st.sampled_from(WORDS), max_size=24), min_size=1, max_size=8)
free_text = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)


def column(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.string())


def reference_words(text: str) -> list[str]:
    """The same normalisation, one sign at a time."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    spaced = ""
    for sign in folded:
        alone = any(a <= ord(sign) < b for a, b in (
            (0x0E00, 0x1100), (0x3040, 0x3100), (0x3400, 0xA000), (0xF900, 0xFB00),
            (0x20000, 0x32000)))  # fmt: skip
        kept = sign if sign.isalnum() and ord(sign) < 0x32000 else " "
        spaced += f" {kept} " if alone and kept != " " else kept
    return spaced.split(" ")


@settings(max_examples=50)
@given(st.lists(free_text, max_size=6))
def test_texts_are_normalised_as_sign_by_sign(texts: list[str]) -> None:
    expected = [" ".join(filter(None, reference_words(text))) for text in texts]
    assert [" ".join(text.split(" ")) for text in normalise(column(texts))] == expected
    assert tokenise(column(texts)).lengths.tolist() == [len(e.split()) for e in expected]


@settings(max_examples=50)
@given(st.lists(free_text, min_size=1, max_size=6))
def test_the_same_words_have_the_same_hashes_wherever_they_stand(texts: list[str]) -> None:
    together = tokenise(column([*texts, "and Ünicode ", *texts]))
    for row, text in enumerate(texts):
        alone = tokenise(column([text])).hashes
        again = together.take(np.array([row])).hashes
        later = together.take(np.array([row + len(texts) + 1])).hashes
        assert (alone == again).all()
        assert (alone == later).all()


def test_what_differs_in_signs_alone_is_the_same_text() -> None:
    same = [
        "Straße \N{VULGAR FRACTION ONE HALF} \N{LATIN SMALL LIGATURE FI}ne",
        "STRASSE 1/2  fine!",
        "strasse\n1 2\tFINE",
        "\N{FULLWIDTH LATIN SMALL LETTER S}trasse \N{FULLWIDTH DIGIT ONE} 2 fine",
    ]
    assert len(set(normalise(column(same)))) == 1
    first, group = distinct(tokenise(column([*same, "other", ""])))
    assert first.tolist() == [0, 4, 5]
    assert group.tolist() == [0, 0, 0, 0, 1, 2]


def test_scripts_without_spaces_are_read_sign_by_sign() -> None:
    assert normalise(column(["東京は大きい abc"])) == ["東 京 は 大 き い abc"]


def test_long_words_differ_in_their_middle_length_or_end() -> None:
    blobs = ["a" * 200, "a" * 201, "a" * 199 + "b", "b" + "a" * 199, "a" * 9, "a" * 8]
    assert len(np.unique(tokenise(column(blobs)).hashes)) == len(blobs)


def test_null_and_empty_texts_have_no_words() -> None:
    tokens = tokenise(pa.chunked_array([pa.array([None, "", "?!", "a b"]), pa.array(["c"])]))
    assert tokens.lengths.tolist() == [0, 0, 0, 2, 1]
    assert tokenise(pa.array([], pa.string())).rows == 0


@settings(max_examples=50)
@given(texts_of_words, st.integers(1, 14))
def test_windows_are_the_same_where_the_words_are(rows: list[list[str]], n: int) -> None:
    tokens = tokenise(column([" ".join(row) for row in rows]))
    seen: dict[tuple[str, ...], int] = {}
    hashes, flat = windows(tokens.hashes, n), [word for row in rows for word in row]
    for at in inside(tokens, n).tolist():
        assert seen.setdefault(tuple(flat[at : at + n]), int(hashes[at])) == int(hashes[at])
    assert len(set(seen.values())) == len(seen)


@settings(max_examples=50)
@given(texts_of_words, texts_of_words, st.integers(1, 6))
def test_seeds_find_every_run_and_no_other(
    items: list[list[str]], documents: list[list[str]], n: int
) -> None:
    ours = tokenise(column([" ".join(row) for row in items]))
    theirs = tokenise(column([" ".join(row) for row in documents]))
    found = set()
    seeds = Seeds.of(ours, n, inside(ours, n))
    for at, key in seeds.find(theirs):
        at, entry = seeds.entries(at, key)
        found |= set(zip(seeds.rows[entry].tolist(), theirs.row_of(at).tolist(), strict=True))
    expected = {(i, d) for i, a in enumerate(items) for d, b in enumerate(documents)
                if shingles(a, n) & shingles(b, n)}  # fmt: skip
    assert found == expected


@settings(max_examples=50)
@given(texts_of_words, texts_of_words, st.sampled_from([0.5, 0.8, 1.0]))
def test_matches_are_those_of_a_plain_comparison(
    items: list[list[str]], documents: list[list[str]], near: float
) -> None:
    ours = sorted({tuple(row) for row in items if row})
    theirs = sorted({tuple(row) for row in documents if row})
    if not ours or not theirs:
        return
    index = without_boilerplate(tokenise(column([" ".join(t) for t in ours])),
                                tokenise(column([" ".join(t) for t in theirs])))  # fmt: skip
    found = match(index, tokenise(column([" ".join(t) for t in theirs])), near)
    tiers = dict(zip(zip(found.item.tolist(), found.document.tolist(), strict=True),
                     found.tier.tolist(), strict=True))  # fmt: skip
    expected = {}
    for i, a in enumerate(ours):
        for d, b in enumerate(theirs):
            seen = overlap(a, b)
            long = len(a) >= 8
            if a == b or (long and seen.run == len(a)):
                expected[i, d] = 1
            elif (seen.containment if long else seen.jaccard) >= near - 1e-9:
                expected[i, d] = 2
            elif long and seen.run >= max(8, -(-len(a) // 2)):
                expected[i, d] = 3
    assert tiers == expected


def test_planted_near_copies_are_all_found_and_their_share_is_exact() -> None:
    rng = np.random.default_rng(3)
    words = [f"v{i}" for i in range(5000)]
    items = [list(rng.choice(words, 60)) for _ in range(200)]
    copies = []
    for item in items:
        changed = list(item)
        for place in rng.integers(0, 60, int(rng.integers(0, 5))):
            changed[place] = "changed"
        copies.append(changed)
    index = tokenise(column([" ".join(i) for i in items]))
    documents = tokenise(column([" ".join(c) for c in copies]))
    found = match(without_boilerplate(index, documents), documents)
    near = {d for d in range(200) if overlap(items[d], copies[d]).jaccard >= 0.8}
    assert near <= set(found.document.tolist())
    for i, d, containment, jaccard in zip(
        found.item, found.document, found.containment, found.jaccard, strict=True
    ):
        exact = overlap(items[i], copies[d])
        assert (containment, jaccard) == pytest.approx((exact.containment, exact.jaccard))


def test_what_most_items_share_is_left_out() -> None:
    form = " ".join(f"form{i}" for i in range(30))
    own = [" ".join(f"i{n}x{k}" for k in range(9)) for n in range(40)]
    other = [" ".join(f"d{n}x{k}" for k in range(9)) for n in range(40)]
    items = tokenise(column([f"{form} {text}" for text in own]))
    documents = tokenise(column([f"{form} {text}" for text in other]))
    assert not len(match(without_boilerplate(items, documents), documents).item)
    raw = without_boilerplate(items, documents, share=2.0)
    assert len(match(raw, documents).item) == 40 * 40
    copied = tokenise(column([f"Here it is {own[7]} as said"]))
    assert match(without_boilerplate(items, documents), copied).item.tolist() == [7]


def is_half(item: list[str], counts: list[bool], document: list[str]) -> bool:
    """Whether a run of the document is half of the item, by a plain comparison."""
    spans = [(i, j) for i in range(len(item)) for j in range(i + 8, len(item) + 1)]
    held = [(j - i, sum(counts[i:j])) for i, j in spans
            if f" {' '.join(item[i:j])} " in f" {' '.join(document)} "]  # fmt: skip
    half = -(-sum(counts) // 2), -(-len(item) // 2), sum(counts) // 2 + 1
    return any(k >= max(8, half[0]) or (n >= half[1] and k >= max(4, half[2])) for n, k in held)


@settings(max_examples=60)
@given(st.data())
def test_runs_through_words_that_do_not_count_are_those_of_a_plain_comparison(
    data: st.DataObject,
) -> None:
    words = st.lists(st.sampled_from(WORDS[:3]), min_size=8, max_size=30)
    items = sorted({tuple(row) for row in data.draw(st.lists(words, min_size=1, max_size=4))})
    counts = [data.draw(st.lists(st.booleans(), min_size=len(i), max_size=len(i))) for i in items]
    documents = []
    for item in items:
        cut = data.draw(st.integers(0, len(item)))
        documents.append(["x", *item[cut:], "y", *item[: max(cut, 9)]])
    tokens = tokenise(column([" ".join(item) for item in items]))
    flat = np.array([one for row in counts for one in row])
    index = Items(tokens, flat, np.zeros(len(flat), bool))
    theirs = tokenise(column([" ".join(text) for text in documents]))
    item, document, _ = long_runs(index, theirs, None)
    expected = {(i, d) for i, a in enumerate(items) for d, b in enumerate(documents)
                if is_half(list(a), counts[i], b)}  # fmt: skip
    assert {*zip(item.tolist(), document.tolist(), strict=True)} == expected


def of_phrases(first: str, second: str, third: str) -> str:
    return (f"{first} was reported by the branch in the usual way and {second} had been seen "
            f"there on that day so please tell us now {third}")  # fmt: skip


def test_phrases_that_many_share_break_no_run_and_count_for_nothing() -> None:
    own = [(f"a{n} b{n} c{n} d{n}", f"e{n} f{n}", f"g{n} h{n} i{n}") for n in range(40)]
    items = tokenise(column([of_phrases(*fields) for fields in own]))
    a, b = own[3], own[4]
    documents = tokenise(column([
        of_phrases(*a),
        of_phrases(a[0], a[1], "g3 h3 changed"),
        of_phrases(a[0], *b[1:]),
        of_phrases("x y z", "v w", "t u s"),
    ]))  # fmt: skip
    index = without_boilerplate(items, documents)
    assert index.lengths.tolist() == [9] * 40
    found = match(index, documents)
    assert found.document[found.item == 3].tolist() == [0, 1]
    assert found.item[found.document == 2].tolist() == [4]
    assert set(found.item.tolist()) == {3, 4}
    for copy in (0, 1):
        copied = items_with_long_run(index, documents.take(np.array([copy])))
        assert np.flatnonzero(copied).tolist() == [3]
    other = documents.take(np.array([3]))
    assert not items_with_long_run(index, other).any()


def test_a_short_item_holds_no_run_of_thirteen_words_and_is_found_whole() -> None:
    short, long = "how do i reset my pin", " ".join(f"l{i}" for i in range(13))
    items = tokenise(column([short, long]))
    documents = tokenise(column([short, f"{short} {long} and more", f"so {short} if at all today"]))
    index = without_boilerplate(items, documents)
    assert items_with_long_run(index, documents).tolist() == [False, True]
    pairs = match(index, documents)
    # six words within a longer text may be anybody's
    assert list(zip(pairs.item.tolist(), pairs.document.tolist(), strict=True)) == [(0, 0), (1, 1)]


def prompts(*texts: str, own: list[int], items: list[str], repeats: int = 1) -> list[int]:
    tokens = tokenise(column(items))
    index = without_boilerplate(tokens, tokens)
    found = own_prompts(index, np.array(own), tokenise(column(list(texts))), repeats)
    return [int(t) if p else -1 for t, p in zip(found.tier, found.placed, strict=True)]


def test_the_question_under_test_does_not_count() -> None:
    item = " ".join(f"q{i}" for i in range(12))
    half, nearly = " ".join(f"q{i}" for i in range(8)), f"{item.rpartition(' ')[0]} end"
    other = " ".join(f"o{i}" for i in range(12))
    assert prompts(
        f"Answer. Q: {item} A:",
        f"Q: {item} A: yes Q: {item} A:",
        f"Q: {nearly} A: yes Q: {item} A:",
        f"Q: {half} x A: yes Q: {item} A:",
        f"Q: {other} A: yes Q: {item} A:",
        f"Q: {nearly} A:",
        own=[0] * 6,
        items=[item, other],
    ) == [0, 1, 2, 3, 0, -1]


def test_a_template_that_repeats_the_question_is_no_example() -> None:
    item = " ".join(f"q{i}" for i in range(12))
    prompt = f"Task: {item}. Think. Again: {item}"
    assert prompts(prompt, own=[0], items=[item], repeats=2) == [0]
    assert prompts(prompt, own=[0], items=[item]) == [1]


def test_a_word_or_two_that_stand_again_may_be_chance() -> None:
    assert prompts("Paris is nice. Q: Paris", own=[0], items=["Paris"]) == [0]
    assert prompts("is it red now? Q: is it red now", own=[0], items=["is it red now"]) == [1]
