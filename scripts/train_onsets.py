#!/usr/bin/env python3
"""Train the network that finds the onsets of a recording: train_onsets.py DATASET... -o onsets.npz [--rounds 60]."""

import argparse
from pathlib import Path

from synth_explorer.data.dataset import NotesDataset
from synth_explorer.train import onsets

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("datasets", nargs="+", type=Path, help="folders that `synth-explorer dataset` made, at 16 kHz")
parser.add_argument("-o", "--out", required=True, type=Path, help="the weights, .npz")
parser.add_argument(
    "--rounds", type=int, default=60, help="of 1,024 melodies of 8 s, 96 of them new; a minute or less each"
)
given = parser.parse_args()
onsets.train([NotesDataset(folder) for folder in given.datasets], given.out, rounds=given.rounds)
