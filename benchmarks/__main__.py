# SPDX-License-Identifier: EUPL-1.2
"""`python -m benchmarks [NAME ...]`: run the named benchmarks, or all of them.

Each benchmark is a module of this package with a `main()` that prints a table.
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path


def names() -> list[str]:
    """Return the benchmarks there are, by module name."""
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    return sorted(name for name in found if not name.startswith("_"))


def main(chosen: list[str]) -> int:
    """Run the chosen benchmarks in turn; 2 if a name is unknown, else the first exit code that is not 0."""
    unknown = set(chosen) - set(names())
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    if len(chosen) == 1:
        print(f"\n## {chosen[0]}\n", flush=True)
        importlib.import_module(f"benchmarks.{chosen[0]}").main()
        return 0
    # A process each: the PC/SC library keeps the first reader service that it met.
    runs = [subprocess.run([sys.executable, "-m", "benchmarks", name], check=False) for name in chosen or names()]
    return next((run.returncode for run in runs if run.returncode != 0), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
