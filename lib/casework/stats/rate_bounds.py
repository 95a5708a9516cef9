"""Rates of two groups where some of the units may belong to either, to another, or to none.

What is not known is to which group a unit belongs; each is assigned in every way that its own
candidates allow. The ends are reached by such an assignment, so no narrower bounds hold (partial
identification: Manski, Partial Identification of Probability Distributions, 2003).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Units of one group.

    Attributes:
        yes: units that are certainly of the group and show the outcome.
        no: units that are certainly of the group and do not.
        open_yes: units that show the outcome and may be of the group or not.
        open_no: units that do not, and may be of the group or not.

    Raises:
        ValueError: no unit is certainly of the group, so that it may have no rate.
    """

    yes: int
    no: int
    open_yes: int = 0
    open_no: int = 0

    def __post_init__(self) -> None:
        if self.yes + self.no < 1:
            raise ValueError("a group needs a unit that is certainly of it")

    @property
    def rate(self) -> float:
        """Share of the outcome among the units that are certainly of the group."""
        return self.yes / (self.yes + self.no)

    @property
    def lowest(self) -> float:
        """Least share: all that may be of the group and do not show the outcome are of it."""
        return self.yes / (self.yes + self.no + self.open_no)

    @property
    def highest(self) -> float:
        """Greatest share: all that may be of the group and show the outcome are of it."""
        return (self.yes + self.open_yes) / (self.yes + self.open_yes + self.no)


def difference_bounds(first: Group, second: Group) -> tuple[float, float]:
    """Least and greatest difference of the rates, first minus second.

    A unit that may be of both raises the difference in the one as it does out of the other, so
    both ends of both rates are reached at once. Every open unit must have a second candidate.
    """
    return first.lowest - second.highest, first.highest - second.lowest
