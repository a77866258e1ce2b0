"""Gradio without the type stubs that it writes of itself at every start.

For every class of a component its import parses that component's source three times, to write a `.pyi` for editors
beside it: more than a third of the time until the page stands. Nothing reads them at run time.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

MODULE, WRITER = "gradio.component_meta", "create_or_modify_pyi"


class _Finder(MetaPathFinder):
    """Finds the one module that writes stubs, and takes its writer out once it is loaded."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module's own specification; None for every other module."""
        found = PathFinder.find_spec(name, path, target) if name == MODULE else None
        if found is None or found.loader is None:
            return None
        load = found.loader.exec_module

        def load_without(module: ModuleType) -> None:
            load(module)
            if hasattr(module, WRITER):
                setattr(module, WRITER, lambda *args: None)

        setattr(found.loader, "exec_module", load_without)  # noqa: B010 (it is no declared variable)
        return found


def leave_out() -> None:
    """From now on; where Gradio was imported before, nothing is changed."""
    if MODULE not in sys.modules and not any(isinstance(one, _Finder) for one in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
