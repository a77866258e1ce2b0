"""The table of doors: everything that is opened by what comes from outside."""

from __future__ import annotations

from tests.fuzz import doors_files, doors_models, doors_page, doors_shell
from tests.fuzz.attack import Door
from tests.fuzz.world import World


def all_doors(world: World, *, heavy: bool) -> list[Door]:
    """Every door; without `heavy` those that open at once."""
    found = [*doors_files.doors(world), *doors_page.doors(world), *doors_shell.doors(world)]
    found += [*doors_models.doors(world, heavy=heavy)]
    return [door for door in found if heavy or not door.heavy]
