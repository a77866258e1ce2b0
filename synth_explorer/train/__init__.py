"""Training: data loading, losses, the loop, evaluation. Imports models and files; no page."""
