"""What a person's mark says: up, down, or nothing that one of the two can stand for."""

from typing import Any

from casework.importers._shape import number, text

_UP = frozenset(
    (
        *("1", "true", "yes", "up", "thumbs_up", "thumbs-up", "thumbs up", "positive", "good"),
        *("like", "correct", "helpful", "accept", "accepted"),
    )
)
_DOWN = frozenset(
    (
        *("0", "-1", "false", "no", "down", "thumbs_down", "thumbs-down", "thumbs down"),
        *("negative", "bad", "dislike", "incorrect", "unhelpful", "reject", "rejected"),
    )
)
_THUMBS = {"thumbs_up": 1, "thumb_up": 1, "👍": 1, "like": 1,
           "thumbs_down": -1, "thumb_down": -1, "👎": -1, "dislike": -1}  # fmt: skip


def signal(label: Any, score: Any) -> int | None:
    """Return +1 or -1 where a mark says so without doubt, else None.

    A label counts first: a flag, a thumb or a word for one. Of numbers only -1, 0 and 1 count;
    a grade of 0.8 is no thumb.

    Args:
        label: the label of the mark, a text or a flag, or None.
        score: its number, or None.
    """
    said = (text(label) or "").strip().lower()
    if not said:
        if isinstance(score, bool):
            return 1 if score else -1
        if number(score) not in (-1.0, 0.0, 1.0):
            return None
        said = str(int(score))
    if said in _UP:
        return 1
    return -1 if said in _DOWN else None


def thumb(label: Any) -> int | None:
    """Return +1 or -1 where a label names a thumb itself, which only a person gives, else None."""
    return _THUMBS.get((text(label) or "").strip().lower().replace("-", "_").replace(" ", "_"))
