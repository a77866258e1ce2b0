"""Generation: turns what the networks predict into sound. numpy and Numba; no files, no page."""
