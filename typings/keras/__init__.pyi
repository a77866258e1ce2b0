# Keras has no types of its own; what pyright infers from its source (every operation may return None, every initializer
# is a str) is wrong. So it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
