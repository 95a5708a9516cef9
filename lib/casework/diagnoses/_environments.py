"""Which requests customers made: those of no environment that is named as one for tests."""

_OF_TESTS = ("staging", "stage", "dev", "development", "test", "testing", "qa", "ci", "eval",
             "evaluation", "local", "sandbox", "preprod", "pre-production", "preview")  # fmt: skip

ALL, BUT_TESTS = "all", "all but those of tests"
"""What the setting `environment` may be beside a name."""


def outside_tests(column: str) -> str:
    """SQL: whether a row is of no environment for tests; one without a name is of none."""
    names = ", ".join(f"'{name}'" for name in _OF_TESTS)
    return f"lower(coalesce({column}, '')) NOT IN ({names})"


def of_environment(column: str) -> str:
    """SQL: whether a row is of what `$environment` says, a name or one of the words above."""
    return (
        f"CASE WHEN $environment = '{ALL}' THEN TRUE "
        f"WHEN $environment = '{BUT_TESTS}' THEN {outside_tests(column)} "
        f"ELSE {column} = $environment END"
    )
