"""The colours of every picture and page, in pairs for light and dark paper.

Okabe and Ito's colours, which stay apart for colour-blind readers. Text colours have a contrast of
at least 4.5:1 on their paper. No two names share a light colour, so that a page which holds the
light picture can turn it dark by rule (`casework.report.page`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from casework.findings import Verdict


@dataclass(frozen=True, slots=True)
class Palette:
    """One colour for each meaning."""

    paper: str
    ink: str
    quiet: str
    grid: str
    before: str
    after: str
    gate: str
    alarm: str
    good: str
    muted: str
    lanes: tuple[str, ...]

    def role(self, role: str | None) -> str | None:
        """Return the colour of a role, or None where a row plays none.

        Raises:
            ValueError: the role is not one that `casework.charts` documents.
        """
        if not role:
            return None
        if role not in ROLES:
            raise ValueError(f"no colour for the role {role!r}; roles are {', '.join(ROLES)}")
        return str(getattr(self, role))


ROLES = ("before", "after", "gate", "good", "muted")

LIGHT = Palette(
    paper="#FFFFFF",
    ink="#1B1F24",
    quiet="#5B5B5B",
    grid="#E6E6E3",
    before="#767676",
    after="#0072B2",
    gate="#D55E00",
    alarm="#B34700",
    good="#009E73",
    muted="#C4C4C0",
    lanes=("#56B4E9", "#E69F00", "#CC79A7", "#F0E442", "#7A6FB0", "#44AA99"),
)
DARK = Palette(
    paper="#15181C",
    ink="#E9E9E6",
    quiet="#B5B5B5",
    grid="#33373C",
    before="#A0A0A0",
    after="#5DB7EE",
    gate="#FF8A3D",
    alarm="#FF9B52",
    good="#4CCFA5",
    muted="#565B61",
    lanes=("#56B4E9", "#E69F00", "#D78FB6", "#F0E442", "#A79BDD", "#5CC4B3"),
)
VERDICT_COLOURS: Mapping[Verdict, tuple[str, str]] = {
    "confirmed": ("#B34700", "#FF9B52"),
    "supported": ("#8A6100", "#F0C04A"),
    "inconclusive": ("#5B5B5B", "#B5B5B5"),
    "clean": ("#00704F", "#4CCFA5"),
    "not_testable": ("#5B5B5B", "#B5B5B5"),
}
"""The colour of each verdict's sign and word, for light and for dark paper."""


def pairs() -> tuple[tuple[str, str], ...]:
    """Return every light colour with its dark one."""
    named = [(getattr(LIGHT, f.name), getattr(DARK, f.name)) for f in fields(Palette)]
    plain = [(light, dark) for light, dark in named if isinstance(light, str)]
    return (*plain, *zip(LIGHT.lanes, DARK.lanes, strict=True))
