"""WaveNets sample by sample: `decoder.WaveNetDecoder` makes sound from any `Stack`, by one of three engines.

`numba_engine` is the fast one (its arithmetic: `kernel` and what that calls), `keras_engine` runs on a GPU too,
`reference` is the plain loop that both are held against; `session` is what they agree on.
"""
