"""The HTTP routes beside Gradio's: sounds, final renders and inspections, each at an address that its request makes."""
