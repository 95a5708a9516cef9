"""The folders that travel with the library: the apps, the notebooks and the demo's evidence.

In an installed wheel they lie in `share/` beside this file, in a checkout at the top of the
repository. The parent of each is free of other modules, so it can be put on an import path.
"""

from pathlib import Path

from casework.errors import CaseworkError, unknown_name

_IN_CHECKOUT = {"workbench": "workbench", "notebooks": "notebooks", "demo": "fixtures/demo"}
_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """Find one of the folders `workbench`, `notebooks` and `demo`.

    Raises:
        CaseworkError: `RESOURCE_MISSING` if the installation lacks the folder.
        UsageError: if there is no resource of that name.
    """
    if name not in _IN_CHECKOUT:
        raise unknown_name("resource", name, list(_IN_CHECKOUT))
    checkout = _PACKAGE.parent.parent
    places = [_PACKAGE / "share" / name]
    # Without this file, the folder two levels up is a site-packages' neighbour, not ours.
    if (checkout / "pyproject.toml").is_file():
        places.append(checkout / _IN_CHECKOUT[name])
    for place in places:
        if place.is_dir():
            return place
    raise CaseworkError(
        "RESOURCE_MISSING",
        f"this installation of casework has no folder {name!r}",
        "install it again from its wheel or from a complete checkout",
    )
