"""Span ids that a source has shown, to tell a span that comes twice from two that share an id."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]

# Any odd number mixes the two halves of a trace id so that equal halves do not cancel out.
_ODD = 0x9E3779B97F4A7C15


class SpanIds:
    """Every span id met with the trace it was first met in, 16 bytes each.

    A span id is unique within its trace only. Kept as sorted runs, each at least twice as long
    as the next, so that a batch costs a search in few of them; beside them, in no order, those that
    were met in another trace first.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Words, Words]] = []
        self._shared: list[tuple[Words, Words]] = []

    def shared(self, spans: Sequence[str], traces: Sequence[str]) -> list[int]:
        """Return the positions of spans whose id was met before in another trace.

        Args:
            spans: span ids, 16 hex digits each.
            traces: the trace id of each span, 32 hex digits.
        """
        import numpy as np

        ids = np.frombuffer(bytes.fromhex("".join(spans)), ">u8").astype(np.uint64)
        marks = _marks(traces)
        unique, first, member = np.unique(ids, return_index=True, return_inverse=True)
        first_marks = marks[first]
        is_new = np.ones(len(unique), dtype=bool)
        for known, known_marks in self._runs:
            at = np.searchsorted(known, unique).clip(max=len(known) - 1)
            met = known[at] == unique
            first_marks[met] = known_marks[at[met]]
            is_new &= ~met
        self._add(unique[is_new], first_marks[is_new])
        shared = np.flatnonzero(marks != first_marks[member])
        if len(shared):
            self._shared.append((ids[shared], marks[shared]))
        return [int(position) for position in shared]

    def alone(self, traces: Sequence[str]) -> dict[str, str]:
        """Return the span of each trace of which one was met, named as by `shared_name` if need be.

        Traces of which none was met, or several, are not there.

        Args:
            traces: trace ids, 32 hex digits each.
        """
        import numpy as np

        asked = dict(zip((int(mark) for mark in _marks(traces)), traces, strict=True))
        found: dict[str, set[str]] = {}
        for number, (ids, marks) in enumerate((*self._runs, *self._shared)):
            at = np.flatnonzero(np.isin(marks, np.array([*asked], dtype=np.uint64)))
            for word, mark in zip(ids[at], marks[at], strict=True):
                span, trace = f"{int(word):016x}", asked[int(mark)]
                name = span if number < len(self._runs) else shared_name(span, trace)
                found.setdefault(trace, set()).add(name)
        return {trace: spans.pop() for trace, spans in found.items() if len(spans) == 1}

    def _add(self, ids: "Words", marks: "Words") -> None:
        import numpy as np

        while self._runs and len(self._runs[-1][0]) < 2 * len(ids):
            other_ids, other_marks = self._runs.pop()
            ids, marks = np.concatenate((other_ids, ids)), np.concatenate((other_marks, marks))
            order = np.argsort(ids, kind="stable")
            ids, marks = ids[order], marks[order]
        if len(ids):
            self._runs.append((ids, marks))


def shared_name(span: str, trace: str) -> str:
    """The name of a span whose id was met in another trace first."""
    return f"{trace}-{span}"


def _marks(traces: Sequence[str]) -> "Words":
    import numpy as np

    halves = np.frombuffer(bytes.fromhex("".join(traces)), ">u8").astype(np.uint64)
    return halves[0::2] * np.uint64(_ODD) + halves[1::2]
