"""The settings of `alignment_loss`, as given."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings as given to `judge`, and how many pairs are judged."""

    base: str | None
    tuned: str | None
    launch: str | None
    labels: str | None
    critical: str | None
    margin: float
    alpha: float
    seed: int
    pairs: int

    @property
    def each(self) -> float:
        """The level that several pairs leave to one."""
        return self.alpha / self.pairs

    @property
    def critical_names(self) -> frozenset[str]:
        """The categories in which no lost refusal is tolerated."""
        return frozenset(name.strip() for name in (self.critical or "").split(",")) - {""}
