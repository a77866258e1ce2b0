# What is used here: scipy has no types of its own.
from typing import Any, Literal

import numpy as np

def butter(N: int, Wn: Any, btype: str = ..., *, output: Literal["sos"], fs: float | None = ...) -> np.ndarray: ...
def sosfilt(sos: Any, x: Any, axis: int = ...) -> np.ndarray: ...
