"""The page. Gradio lives here and nowhere else. Its rooms: page, answers, session, request; widgets and routes."""
