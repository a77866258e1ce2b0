"""What pyproject.toml cannot say: a wheel takes the bundled checkpoint from `checkpoints/`, where a clone has it."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SOURCE = Path("checkpoints") / "default"
PLACE = Path("synth_explorer") / "bundled" / "default"  # where `checkpoints.folder` looks


class BuildWithCheckpoint(build_py):
    """The package, with the bundled checkpoint; an editable install finds it where it is."""

    def run(self) -> None:
        super().run()
        for target, source in self._checkpoint().items():
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self._checkpoint()]

    def _checkpoint(self) -> dict[str, str]:
        """Source of each file to be built."""
        if self.editable_mode:
            return {}
        files = sorted(path for path in SOURCE.iterdir() if path.is_file())
        return {str(Path(self.build_lib) / PLACE / path.name): str(path) for path in files}


setup(cmdclass={"build_py": BuildWithCheckpoint})
