"""Counting moves of an alias. Four rotations, one of them a rollback that ends: five boundaries."""

from collections.abc import Sequence


def count_rotations(checkpoints: Sequence[str]) -> int:
    """Count the moves of an alias: each move forward once, and each rollback once.

    Args:
        checkpoints: digests in the order in which they were in force; equal neighbours are one.

    A move back to the digest before is a rollback. Moving forward again to the digest that was
    rolled back ends it and is no rotation of its own.

    >>> count_rotations(["a", "b", "a", "b", "c", "d"])
    4
    """
    distinct = [c for i, c in enumerate(checkpoints) if i == 0 or c != checkpoints[i - 1]]
    rotations, rolled_back = 0, False
    for index in range(1, len(distinct)):
        returns = index >= 2 and distinct[index] == distinct[index - 2]
        if returns and rolled_back:
            rolled_back = False
            continue
        rotations += 1
        rolled_back = returns
    return rotations
