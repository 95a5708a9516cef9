"""The one kind of error that a user sees: what is wrong and what to do, on one line."""


class CaseworkError(Exception):
    """Something could not be done. Printed as `error[CODE] where: what; fix`, exit status 1.

    Args:
        code: stable identifier in capitals, e.g. `CASE_LOCKED`.
        what: what is wrong, without a full stop.
        fix: what the reader can do about it.
        where: `file` or `file:locator`, when the error has a place.
    """

    exit_status = 1

    def __init__(self, code: str, what: str, fix: str, *, where: str = "") -> None:
        self.code, self.what, self.fix, self.where = code, what, fix, where
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f" {self.where}:" if self.where else ""
        return " ".join(f"error[{self.code}]{place} {self.what}; {self.fix}".splitlines())


class UsageError(CaseworkError):
    """The words of the command are wrong: an unknown name, parameter or option. Exit status 2."""

    exit_status = 2


def unknown_name(kind: str, name: str, known: list[str]) -> UsageError:
    """Build the error for a name that is not one of the known ones, with the nearest first."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}" if near else f"one of: {', '.join(known)}"
    return UsageError(f"UNKNOWN_{kind.upper()}", f"there is no {kind} {name!r}", hint)
