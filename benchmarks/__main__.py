"""`python -m benchmarks [NAME]…`: every figure beside its budget, or those of the files named."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from benchmarks.figures import Figure, table


def main(names: list[str]) -> None:
    """Print one table of the files that have figures."""
    found: list[Figure] = []
    for name in names or sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")):
        module = import_module(f"benchmarks.{Path(name).stem}")
        if hasattr(module, "figures"):
            found.extend(module.figures())
    print(table(found))


main(sys.argv[1:])
