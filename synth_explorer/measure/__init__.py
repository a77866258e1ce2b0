"""What was heard: one definition of each measure, so that figures compare. numpy and scipy only.

`distance` compares spectra, `frechet` collections of sounds, `level` is loudness, attack and brightness, `noise` is
what lies between the partials, `pitch` is cents, `modulation` is the rate and depth of an oscillation, `movement` is a
pitch that moves, `report` sets requested against measured.
"""

from __future__ import annotations

from synth_explorer.measure.distance import (
    MEAN_RANGE_DB,
    MEL_CENTRES_HZ,
    BandDistances,
    align,
    band_distances_db,
    log_mel_distance_db,
    mean_spectrum_db,
    mel_magnitudes,
    multi_resolution_stft,
    stft_magnitudes,
)
from synth_explorer.measure.frechet import embedding, frechet_distance
from synth_explorer.measure.level import (
    attack_error_ms,
    attack_time_ms,
    brightness_octaves,
    level_error_db,
    loudness_change_db,
    loudness_db,
    rms_db,
    rms_envelope,
    spectral_centroid_hz,
)
from synth_explorer.measure.modulation import (
    Modulation,
    brightness_track,
    depths_at,
    loudness_track,
    modulation,
    oscillation,
    oscillation_depths,
    oscillation_phasors,
    phasors_at,
)
from synth_explorer.measure.movement import (
    Movement,
    against_source,
    movement_words,
    note_name,
    pitch_movement,
    shift_cents,
    track_cents,
)
from synth_explorer.measure.noise import noisiness_db
from synth_explorer.measure.pitch import (
    HIGHEST_HZ,
    LOWEST_HZ,
    pitch_cents_difference,
    pitch_hz,
    pitch_track_cents,
)
from synth_explorer.measure.report import compare, report

__all__ = [
    "HIGHEST_HZ",
    "LOWEST_HZ",
    "MEAN_RANGE_DB",
    "MEL_CENTRES_HZ",
    "BandDistances",
    "Modulation",
    "Movement",
    "against_source",
    "align",
    "attack_error_ms",
    "attack_time_ms",
    "band_distances_db",
    "brightness_octaves",
    "brightness_track",
    "compare",
    "depths_at",
    "embedding",
    "frechet_distance",
    "level_error_db",
    "log_mel_distance_db",
    "loudness_change_db",
    "loudness_db",
    "loudness_track",
    "mean_spectrum_db",
    "mel_magnitudes",
    "modulation",
    "movement_words",
    "multi_resolution_stft",
    "noisiness_db",
    "note_name",
    "oscillation",
    "oscillation_depths",
    "oscillation_phasors",
    "phasors_at",
    "pitch_cents_difference",
    "pitch_hz",
    "pitch_movement",
    "pitch_track_cents",
    "report",
    "rms_db",
    "rms_envelope",
    "shift_cents",
    "spectral_centroid_hz",
    "stft_magnitudes",
    "track_cents",
]
