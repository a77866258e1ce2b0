#!/usr/bin/env bash
# Measure what a GPU does for this program, in less than eight minutes, with Keras on JAX: notes in batches through the
# fast decoder and the WaveNet, and steps of training. Figures go to stdout as they are measured, and to OUT as JSON.
#
#   scripts/check_gpu.sh OUT.json
#
# Environment:
#   PYTHON         a Python with the project's requirements and JAX for the GPU (default: .venv/bin/python)
#   KERAS_BACKEND  default: jax
#   QUICK=1        small sizes, to rehearse it on a processor
set -euo pipefail

[[ $# -eq 1 ]] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
[[ -n "${PYTHON:-}" || -x "$root/.venv/bin/python" ]] || { echo "error: no $root/.venv; run make setup or set PYTHON" >&2; exit 1; }
export KERAS_BACKEND=${KERAS_BACKEND:-jax} XLA_PYTHON_CLIENT_PREALLOCATE=${XLA_PYTHON_CLIENT_PREALLOCATE:-false}
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-$root/.venv/bin/python}" "$root/scripts/check_gpu.py" "$1" ${QUICK:+--quick}
