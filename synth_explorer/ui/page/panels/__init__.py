"""Panels of the page: each is a function that builds its components and returns them."""
