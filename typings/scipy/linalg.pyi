# What is used here: scipy has no types of its own.
from typing import Any

import numpy as np

def sqrtm(A: Any) -> np.ndarray: ...
