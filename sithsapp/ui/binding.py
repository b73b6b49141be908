# SPDX-License-Identifier: EUPL-1.2
"""Keep the Qt binding from reading the source of every module that is imported after it."""

from __future__ import annotations

import sys

import PySide6.QtCore  # noqa: F401 # brings the binding's import hook along


def skip_source_search() -> bool:
    """Switch the search off; tell whether it was found.

    PySide6 wraps `__import__` to look for `from __feature__ import ...` in each new module's source, which nobody
    here uses. The sources stay in `linecache`: 5 MiB after the start. A binding without the hook needs nothing.
    """
    hook = sys.modules.get("__feature__")
    if not callable(getattr(hook, "_mod_uses_pyside", None)):
        return False
    setattr(hook, "_mod_uses_pyside", _uses_no_feature)  # noqa: B010 # the module is only known at run time
    return True


def _uses_no_feature(module: object) -> bool:
    return False
