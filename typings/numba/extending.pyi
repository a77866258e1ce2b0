# An intrinsic is called without its first argument, the typing context.
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, overload

Given = ParamSpec("Given")

@overload
def intrinsic(function: Callable[Concatenate[Any, Given], Any], /) -> Callable[Given, Any]: ...
@overload
def intrinsic(*, prefer_literal: bool) -> Callable[[Callable[Concatenate[Any, Given], Any]], Callable[Given, Any]]: ...
