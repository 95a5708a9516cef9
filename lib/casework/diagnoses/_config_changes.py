"""What the log of changes of configuration says that was changed."""

from casework.case import Query

CONFIG_CHANGES = Query(
    "config_changes",
    """
    SELECT occurred_at, key, before, new_value AS after
    FROM (SELECT occurred_at, key, new_value,
                 coalesce(old_value, lag(new_value) OVER (
                     PARTITION BY key, scope ORDER BY occurred_at, locator)) AS before
          FROM config_events)
    WHERE before IS DISTINCT FROM new_value
    """,
    "Changes of configuration. Where an event does not say what was before, it is the value of the "
    "last one: a value said again is no change, the first one is taken for a change.",
)
