"""Run the speed benchmarks, one after the other."""

import runpy

for name in ("attribution", "cohorts", "leakage", "load", "drift"):
    print(f"\n== {name}")
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")
