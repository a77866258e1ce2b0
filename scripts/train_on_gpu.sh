#!/usr/bin/env bash
# Train the bundled checkpoint from nothing on one GPU, with Keras on JAX: data, then encoder and fast decoder. Every part
# goes on where it was stopped: run it again until it says that it is done.
#
#   scripts/train_on_gpu.sh OUT [SOUNDFONT...]
#
# OUT gets data/ and fast/; the finished checkpoint is OUT/checkpoint.
#
# Environment:
#   PYTHON     a Python with the project's requirements and JAX for the GPU (default: .venv/bin/python)
#   MINUTES    stop after so many minutes, state saved; exit code 75 when there is more to do (default: no limit)
#   STEPS      of training (default: that of configs/default-16k.yaml)
#   RENDER_ARGS, SYNTHETIC_ARGS    options of `dataset render` and `dataset synthetic`: how much data
set -euo pipefail

[[ $# -ge 1 ]] || { sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
shift
[[ -n "${PYTHON:-}" || -x "$root/.venv/bin/python" ]] || { echo "error: no $root/.venv; run make setup or set PYTHON" >&2; exit 1; }
python=${PYTHON:-$root/.venv/bin/python}
export KERAS_BACKEND=jax XLA_PYTHON_CLIENT_PREALLOCATE=${XLA_PYTHON_CLIENT_PREALLOCATE:-false}
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
export SYNTH_EXPLORER_CHECKPOINTS="$out${SYNTH_EXPLORER_CHECKPOINTS:+:$SYNTH_EXPLORER_CHECKPOINTS}"
deadline=$(( ${MINUTES:-0} > 0 ? SECONDS + 60 * ${MINUTES:-0} : 0 ))

# run NAME COMMAND...: unless it is done; ends in time, with what it has saved.
run() {
    local name=$1 left=0 code=0
    shift
    [[ ! -e "$out/.$name-done" ]] || return 0
    if (( deadline > 0 )); then
        left=$(( deadline - SECONDS ))
        (( left > 5 )) || { echo "time is up before $name; run this again" >&2; exit 75; }
        timeout --signal=INT --kill-after=30 "$left" "$python" -m synth_explorer "$@" || code=$?
    else
        "$python" -m synth_explorer "$@" || code=$?
    fi
    if (( code == 124 || code == 130 || code == 137 )); then
        echo "stopped within $name; run this again" >&2
        exit 75
    fi
    (( code == 0 )) || exit "$code"
    touch "$out/.$name-done"
}

# config FILE KEY=VALUE...: a copy of a configuration for the folder OUT, some values changed.
config() {
    "$python" - "$root/configs/$1" "$out/$1" "${@:2}" <<'PYTHON'
import sys

import yaml

source, target, *changes = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    values = yaml.safe_load(file)
values["datasets"] = {name.replace("../data", "data"): share for name, share in values["datasets"].items()}
for change in changes:
    name, _, text = change.partition("=")
    if text:
        values[name] = yaml.safe_load(text)
with open(target, "w", encoding="utf-8") as file:
    yaml.safe_dump(values, file)
PYTHON
}

soundfonts=("$@")
if (( ${#soundfonts[@]} == 0 )); then
    soundfonts=(/usr/share/sounds/sf2/FluidR3_GM.sf2 /usr/share/sounds/sf2/MuseScore_General_Full.sf2)
fi
# shellcheck disable=SC2086
run soundfonts dataset render "${soundfonts[@]}" ${RENDER_ARGS:---pitch-step 3 --detune-cents 40} -o "$out/data/soundfonts"
# shellcheck disable=SC2086
run synthetic dataset synthetic ${SYNTHETIC_ARGS:-} -o "$out/data/synthetic"
config default-16k.yaml "steps=${STEPS:-}" save_every_s=30
run fast train "$out/default-16k.yaml" -o "$out/fast" --resume
rm -rf "$out/checkpoint"
cp -r "$out/fast/checkpoint" "$out/checkpoint"
"$python" -m synth_explorer checkpoint verify "$out/checkpoint"
echo "done: $out/checkpoint"
