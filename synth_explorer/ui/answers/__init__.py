"""What the page answers: plain functions from a studio and values to what components show, called without a browser."""
