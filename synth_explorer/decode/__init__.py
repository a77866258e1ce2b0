"""Generation: turns what the networks predict into sound. numpy and Numba; no files, no page.

`synthesis` is that of the fast decoder, `wavenet/` decodes sample by sample.
"""
