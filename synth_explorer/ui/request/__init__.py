"""What a page asks for: its knobs as values, the edits they stand for, and the line of text that says it all."""
