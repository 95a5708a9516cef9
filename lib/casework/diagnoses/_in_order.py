"""Sums and means of doubles that are the same in each run of the same case.

DuckDB adds up rows in the order in which its threads come to them, so that the last bits of a sum
differ from run to run, and with them the digest of the evidence.
"""


def in_order(aggregate: str, sql: str) -> str:
    """SQL of an aggregate over the values in ascending order; NULL where there are none.

    Args:
        aggregate: one that DuckDB has for lists: `sum`, `avg`, `var_samp`.
        sql: the values, which are held and sorted: a million take a tenth of a second. Of many rows
            those of one value are counted first, and what is added is the value times its rows.
    """
    return f"list_{aggregate}(list_sort(list({sql})))"
