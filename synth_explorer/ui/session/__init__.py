"""The server side: studios, the notes that slots hold, and the sounds that were made. It knows no Gradio."""
