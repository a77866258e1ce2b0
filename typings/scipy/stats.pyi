# What is used here: scipy has no types of its own.
from typing import Any, NamedTuple

class _Correlation(NamedTuple):
    statistic: float
    pvalue: float

def spearmanr(a: Any, b: Any) -> _Correlation: ...
