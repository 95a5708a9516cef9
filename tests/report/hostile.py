"""Text of the kind that attackers leave in traces, and a report that has it in every free field."""

import json
from collections.abc import Callable
from typing import Any

from casework.report import as_json, read_json
from casework.report.model import Report

TITLE = "PWNED"
PAYLOADS = (
    f"<script>document.title='{TITLE}'</script>",
    f"</script><script>document.title='{TITLE}'</script>",
    f"<!--<script>document.title='{TITLE}'</script>",
    f"<ScRiPt\n>document.title='{TITLE}'</sCrIpT\t>",
    f"<img src=x onerror=document.title='{TITLE}'>",
    f'"><img src=x onerror="document.title=\'{TITLE}\'">',
    f"'><img src='x' onerror='document.title=\"{TITLE}\"'>",
    f"<svg onload=document.title='{TITLE}'>",
    f"<svg><animate onbegin=document.title='{TITLE}' attributeName=x dur=1s>",
    f"<svg><set onbegin=document.title='{TITLE}' attributeName=x>",
    f"<svg><script href='data:text/javascript,document.title=\"{TITLE}\"'/></svg>",
    f"</svg><iframe srcdoc=\"<script>top.document.title='{TITLE}'</script>\">",
    f"</text></g></svg><body onload=document.title='{TITLE}'>",
    f"<details open ontoggle=document.title='{TITLE}'>",
    f"<input autofocus onfocus=document.title='{TITLE}'>",
    f"<video><source onerror=document.title='{TITLE}'></video>",
    f"<math><mtext><table><mglyph><style><img src onerror=document.title='{TITLE}'>",
    f"\\href{{x\"><animate onbegin=document.title='{TITLE}'>}}{{y}} $$\\unicode{{}}$$",
    f"[link](javascript:document.title='{TITLE}')",
    f"javascript:document.title='{TITLE}'",
    "![pixel](https://evil.example/pixel.png)",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example/><button>Sign in</button></form>",
    "</title></style></textarea></noscript><h1>Signed off: clean</h1>",
    f"\u2028document.title='{TITLE}'//\u2029",
    f"${{document.title='{TITLE}'}} {{{{7*7}}}} {{% raw %}} #{{1+1}} <%= 1 %>",
    "invoice\u202efdp.exe \u200b\u2066\U000e0041 \x1b]8;;https://evil.example\x07click\x1b]8;;\x07",
    "\x00\x01\x08\x0b\x7f\ufffe zero, controls, no character",
    f"&lt;script&gt;alert(1)&lt;/script&gt; &#x3c;script>document.title='{TITLE}'</script>",
    f"x' onmouseover='document.title=\"{TITLE}\"' y='",
    f'{{"expr": "warn(1)", "signal": "{TITLE}", "url": "https://evil.example/data.csv"}}',
    "__proto__",
    "datum['x'] = 1; VEGA_DEBUG.vega.CanvasHandler.prototype.on",
)

# What is not free text: words from a closed list, instants, and what a chart computes with.
_KEPT = {"verdict", "severity", "form", "outcome", "source", "schema", "kind", "role", "x", "unit"}
_KEPT |= {"created_at", "produced_at", "loaded_at", "occurred_at", "first", "last", "start", "end"}


def spoilt(report: Report, replacement: Callable[[str], str]) -> Report:
    """Put a replacement in place of every free text, the names of things included."""

    def spoil(value: Any, key: str) -> Any:
        if isinstance(value, dict):
            named = key in {"measures", "parameters", "params", "detail", "tool", "tables"}
            return {
                f"{replacement(name)} {name}" if named else name: spoil(item, name)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [spoil(item, "" if isinstance(item, dict) else key) for item in value]
        free = isinstance(value, str) and (key not in _KEPT or _is_outcome_told(value, key))
        return replacement(value) if free else value

    found = spoil(json.loads(as_json(report)), "")
    return read_json(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))


def _is_outcome_told(value: str, key: str) -> bool:
    """The outcome of a falsifier is prose, that of a rival one of three words."""
    return key == "outcome" and value not in {"excluded", "not_excluded", "not_testable"}
