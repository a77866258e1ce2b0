"""Widgets of the page's own, each a file of HTML and one of script."""
