"""When something ran in the log of candidates, and whether two of them ran beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass

from casework.case import Query
from casework.diagnoses._gate_rows import OWN

BINS = 50
"""Equal parts of the time of the log."""
RUNNING = 0.2
"""Share of its mean count in a part of the time below which something only left stragglers."""
TOGETHER = 0.5
"""Share of the smaller one's candidates that make two run beside each other."""

BINNED = Query(
    "binned",
    f"""
    SELECT reranker, threshold, embedding_model,
           CASE WHEN occurred_at IS NULL THEN 'version ' || embedding_model
                ELSE lpad(CAST((epoch_us(occurred_at) - t.low) * {BINS} // t.length AS VARCHAR),
                          2, '0')
           END AS bin
    FROM own
    CROSS JOIN (SELECT min(epoch_us(occurred_at)) AS low,
                       max(epoch_us(occurred_at)) - min(epoch_us(occurred_at)) + 1 AS length
                FROM own) AS t
    """,  # noqa: S608  the text is put together of constants
    "Candidates by part of the time; where no instants are logged, by embedding version.",
    uses=(OWN,),
)


@dataclass(frozen=True, slots=True)
class Run:
    """How many candidates something had in each part of the time."""

    bins: Mapping[str, int]

    @property
    def candidates(self) -> int:
        """All of them."""
        return sum(self.bins.values())

    def quantile(self, share: float) -> str:
        """The part of the time by which that share of the candidates was logged."""
        seen, last = 0, ""
        for last in sorted(self.bins):
            seen += self.bins[last]
            if seen >= share * self.candidates:
                break
        return last

    def beside(self, other: "Run") -> bool:
        """Whether both ran at the same times, rather than one after the other.

        Stragglers, a return to the former for a while, and a gradual roll-out do not count.
        """
        small, large = sorted((self, other), key=lambda run: run.candidates)
        rate = RUNNING * large.candidates / max(1, len(large.bins))
        both = sum(n for bin, n in small.bins.items() if large.bins.get(bin, 0) >= rate)
        return both > TOGETHER * small.candidates
