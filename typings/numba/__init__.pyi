# What is used here: numba's decorators hide what they wrap, and pyright takes them for methods.
from collections.abc import Callable
from typing import Any, TypeVar, overload

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

types: Any

@overload
def njit(function: Kernel, /) -> Kernel: ...
@overload
def njit(
    *,
    nogil: bool = ...,
    cache: bool = ...,
    error_model: str = ...,
    fastmath: bool = ...,
    parallel: bool = ...,
    inline: str = ...,
) -> Callable[[Kernel], Kernel]: ...
