"""What was heard: one definition of each measure, so that figures compare. numpy and scipy only.

`distance` compares spectra, `frechet` collections of sounds, `level` is loudness, attack and brightness, `noise` is
what lies between the partials, `pitch` is cents, `modulation` is the rate and depth of an oscillation, `movement` is a
pitch that moves, `report` sets requested against measured.
"""

# pyright: reportUnusedImport=false
from __future__ import annotations

from synth_explorer.measure.distance import (
    MEAN_RANGE_DB,
    MEL_CENTRES_HZ,
    RATE_HZ,
    BandDistances,
    align,
    at_band_rate,
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
)
from synth_explorer.measure.modulation import (
    Modulation,
    brightness_track,
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
from synth_explorer.measure.pitch import HIGHEST_HZ, LOWEST_HZ, pitch_cents_difference, pitch_hz, pitch_track_cents
from synth_explorer.measure.report import compare, pitch_change_cents, report
from synth_explorer.measure.shape import hollowness_db, spread_octaves
