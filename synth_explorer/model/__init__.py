"""Networks only: configuration, front end, encoder, fast decoder. Keras and numpy; no files, no page."""
