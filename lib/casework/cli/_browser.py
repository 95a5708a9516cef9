"""Opening a page in the browser of the person who sits before the screen, if there is one."""

import os
import sys
import webbrowser


def show_in_browser(address: str) -> None:
    """Open an address, where there is a screen; a browser in the terminal is not started."""
    has_screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform in ("darwin", "win32") or has_screen:
        webbrowser.open(address)
