import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.stats.buckets import KNOWN, bucket, bucket_count, buckets, mixes
from casework.stats.sample_ratio import sample_ratio

FOX = "The quick brown fox jumps over the lazy dog"

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def fnv1a32(text: str) -> int:
    state = 0x811C9DC5
    for character in text:
        state = (state ^ ord(character)) * 0x01000193 % 2**32
    return state


def plain(unit_id: str, salt: str, name: str, n: int) -> int:
    """The definitions of the contract, one unit at a time."""
    if name == "growthbook1":
        return fnv1a32(unit_id + salt) % 1000 * n // 1000
    if name == "growthbook2":
        return fnv1a32(str(fnv1a32(salt + unit_id))) % 10_000 * n // 10_000
    return int(hashlib.new(name, (salt + unit_id).encode()).hexdigest(), 16) % n


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("md5", 0x9E107D9D372BB6826BD81D3542A419D6),
        ("sha1", 0x2FD4E1C67A2D28FCED849EE1BB76E7391B93EB12),
        ("sha256", 0xD7A8FBB307D7809469CA9ABCB0082E4F8D5651E46D3CDB762D02D0BF37C9E592),
        ("murmur3", 0x2E4FF723),
    ],
)
def test_published_digests_of_the_fox(algorithm, digest):
    """RFC 1321, FIPS 180 and SMHasher's verification of MurmurHash3_x86_32 with seed 0."""
    assert bucket(FOX[10:], FOX[:10], algorithm) == digest % 100
    assert bucket(FOX, "", f"{algorithm}/1000") == digest % 1000
    assert bucket(FOX, "", f"{algorithm}/999999937") == digest % 999_999_937


@pytest.mark.parametrize(
    ("text", "digest"),
    [("", 0), ("test", 0xBA6BD213), ("Hello, world!", 0xC0363E43), ("testy123", 0x47628AC4)],
)
def test_published_murmur3(text, digest):
    assert bucket(text, "", "murmur3/1000") == digest % 1000


@pytest.mark.parametrize(
    ("seed", "value", "version", "expected"),
    [
        ("", "a", 1, 0.22),
        ("b", "a", 1, 0.946),
        ("", '___)((*":&', 1, 0.563),
        ("seed", "a", 2, 0.0505),
        ("89123klj", "8952klfjas09ujkasdf", 2, 0.124),
        ("90850943850283058242805", "123", 2, 0.7516),
    ],
)
def test_growthbook_specification(seed, value, version, expected):
    """Hash cases of GrowthBook's SDK specification 0.7.1."""
    places = {1: 1000, 2: 10_000}[version]
    assert bucket(value, seed, f"growthbook{version}/{places}") == round(expected * places)
    assert bucket(value, seed, f"growthbook{version}") == round(expected * places) * 100 // places


def test_growthbook_own_cases(shared: Path):
    files = list(shared.glob("data/experiments/**/cases.json"))
    cases = [case for file in files for case in json.loads(file.read_text("utf-8"))["hash"]]
    assert cases
    for seed, value, version, expected in cases:
        places = {1: 1000, 2: 10_000}.get(version, 100)
        found = bucket(value, seed, f"growthbook{version}/{places}")
        assert found == (None if expected is None else round(expected * places))


@pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "growthbook1", "growthbook2"])
@given(units=st.lists(TEXT, max_size=20), salt=TEXT, n=st.integers(1, 2000))
def test_side_by_side_is_one_by_one(name, units, salt, n):
    found = buckets(units, salt, f"{name}/{n}")
    assert found.tolist() == [plain(unit, salt, name, n) for unit in units]


def test_growthbook_hashes_a_hash_of_zero_as_the_digit_zero():
    """The shortest input whose 32-bit FNV-1a is 0, from the authors' page on zero hashes."""
    zero = "\xcc\x24\x31\xc4"
    assert fnv1a32(zero) == 0
    assert bucket(zero, "", "growthbook2/10000") == fnv1a32("0") % 10_000


@pytest.mark.parametrize("algorithm", KNOWN)
def test_many_units_and_a_salt_for_each(algorithm):
    units = [f"user-{i}" for i in range(70_000)]
    salts = ["a" if i % 2 else "b" for i in range(70_000)]
    mixed = buckets(units, salts, algorithm)
    both = np.where(
        np.arange(70_000) % 2, buckets(units, "a", algorithm), buckets(units, "b", algorithm)
    )
    assert mixed.tolist() == both.tolist()
    spread = sample_ratio(np.bincount(mixed, minlength=100).tolist(), [1] * 100)
    assert spread.p > 0.001
    assert (spread.p > 0.9999) == (not mixes(algorithm))


@pytest.mark.parametrize(
    ("unit", "n", "expected"),
    [
        ("user-105", 100, 5),
        ("105", 7, 0),
        ("a1b22", 100, 22),
        ("0007", 100, 7),
        ("user", 100, None),
        ("7 ", 100, None),
        ("7\n", 100, None),
        ("٣", 100, None),
        ("", 100, None),
        ("x" + "9" * 10_000, 7, (10**10_000 - 1) % 7),
    ],
)
def test_mod_takes_the_number_at_the_end(unit, n, expected):
    assert bucket(unit, "ignored", f"mod/{n}") == expected


def test_an_id_of_a_megabyte_is_only_slow():
    long = "1" * 1_000_000 + "x"
    assert buckets([long, "u1"], "s", "mod").tolist() == [-1, 1]
    assert buckets([long, "u1"], "s", "growthbook1").tolist() == [
        plain(unit, "s", "growthbook1", 100) for unit in (long, "u1")
    ]


@pytest.mark.parametrize("algorithm", ["crc32", "", "MD5", "md5/", "md5/0", "md5/-1", "md5/1e3"])
def test_unknown_algorithms_give_no_bucket(algorithm):
    assert bucket_count(algorithm) is None
    assert mixes(algorithm) is None
    assert bucket("u1", "s", algorithm) is None
    assert buckets(["u1", "u2"], "s", algorithm).tolist() == [-1, -1]


def test_known_algorithms():
    assert [bucket_count(name) for name in KNOWN] == [100] * len(KNOWN)
    assert bucket_count("sha256/1000") == 1000
    assert mixes("murmur3/1000")
    assert mixes("mod/1000") is False
    assert buckets([], "s", "md5").shape == (0,)


def test_salts_must_fit_the_units():
    with pytest.raises(ValueError, match="2 units have 1 salts"):
        buckets(["u1", "u2"], ["s"], "md5")
