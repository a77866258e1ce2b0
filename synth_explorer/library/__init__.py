"""The library: own notes, uploads and renders in one place, found by likeness, words and tags."""
