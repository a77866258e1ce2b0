from typing import Any

cgutils: Any
codegen: Any
config: Any
