#!/usr/bin/env bash
# Train a bundled checkpoint on one GPU, with Keras on JAX, from the data on: default-16k from nothing, or the steps of
# wavenet on its encoder. Every part goes on where it was stopped: run it again until it says that it is done.
#
#   scripts/train_on_gpu.sh OUT [SOUNDFONT...]
#
# OUT gets data/ and the run's folder; the finished checkpoint is OUT/checkpoint.
#
# Environment:
#   PYTHON     a Python with the project's requirements and JAX for the GPU (default: .venv/bin/python)
#   MINUTES    stop after so many minutes, state saved; exit code 75 when there is more to do (default: no limit)
#   MODEL      default-16k (the default) or wavenet: a file of configs/
#   STEPS      of training (default: that of the file)
#   RENDER_ARGS, SYNTHETIC_ARGS    options of `dataset render` and `dataset synthetic`: how much data
#   SFZ        for wavenet, a folder with the SFZ instruments of docs/full-band.md (default: none, SoundFonts alone)
set -euo pipefail

[[ $# -ge 1 ]] || { sed -n '2,18s/^# \{0,1\}//p' "$0" >&2; exit 2; }
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
import os
import sys

import yaml

source, target, *changes = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    values = yaml.safe_load(file)
datasets = {name.replace("../data", "data"): share for name, share in values["datasets"].items()}
values["datasets"] = {name: share for name, share in datasets.items() if os.path.isdir(os.path.join(os.path.dirname(target), name))}
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
model=${MODEL:-default-16k}
# shellcheck disable=SC2086
case "$model" in
    default-16k)
        run soundfonts dataset render "${soundfonts[@]}" ${RENDER_ARGS:---pitch-step 3 --detune-cents 40} -o "$out/data/soundfonts"
        run synthetic dataset synthetic ${SYNTHETIC_ARGS:-} -o "$out/data/synthetic"
        ;;
    wavenet)
        run soundfonts16 dataset render "${soundfonts[@]}" \
            ${RENDER_ARGS:---pitch-step 6 --velocities 50,110 --detune-cents 40 --seconds 3.2} -o "$out/data/soundfonts16"
        [[ -z "${SFZ:-}" ]] || run sfz16 dataset render-sfz "$SFZ" --sample-rate 16000 -o "$out/data/sfz16"
        ;;
    *) echo "error: MODEL=$model must be default-16k or wavenet" >&2; exit 1 ;;
esac
config "$model.yaml" "steps=${STEPS:-}" save_every_s=30
run "$model" train "$out/$model.yaml" -o "$out/$model" --resume
rm -rf "$out/checkpoint"
cp -r "$out/$model/checkpoint" "$out/checkpoint"
"$python" -m synth_explorer checkpoint verify "$out/checkpoint"
echo "done: $out/checkpoint"
