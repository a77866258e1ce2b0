"""Notes to train and test on: rendering from SoundFonts and synthesis, reading NSynth, one format on disk."""
