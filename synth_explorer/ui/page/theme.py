"""The page's theme, dark or light as the system is, set in fonts that every system has."""

from __future__ import annotations

from pathlib import Path

from gradio.themes.base import Base
from gradio.themes.utils import colors, sizes

STYLE_SHEET = Path(__file__).with_name("page.css")
SANS = ["-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Liberation Sans", "Arial", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace"]


class InstrumentTheme(Base):
    """Gradio's own parts in the colours of `page.css`, which has them for dark and for light."""

    def __init__(self) -> None:
        super().__init__(
            primary_hue=colors.stone,
            neutral_hue=colors.stone,
            spacing_size=sizes.spacing_sm,
            radius_size=sizes.radius_md,
            text_size=sizes.text_sm,
            font=SANS,
            font_mono=MONO,
        )
        looks = self._looks()
        settable = set(vars(self))
        super().set(**looks, **{f"{name}_dark": value for name, value in looks.items() if f"{name}_dark" in settable})

    @staticmethod
    def _looks() -> dict[str, str]:
        return {
            "body_background_fill": "var(--desk)",
            "body_text_color": "var(--ink)",
            "body_text_color_subdued": "var(--muted)",
            "background_fill_primary": "var(--panel)",
            "background_fill_secondary": "var(--panel)",
            "border_color_primary": "var(--line)",
            "border_color_accent": "var(--muted)",
            "color_accent_soft": "var(--raised)",
            "block_background_fill": "transparent",
            "block_border_width": "0px",
            "block_padding": "0px",
            "block_shadow": "none",
            "block_label_background_fill": "transparent",
            "block_label_text_color": "var(--muted)",
            "block_title_text_color": "var(--muted)",
            "block_title_text_weight": "500",
            "block_info_text_color": "var(--muted)",
            "panel_background_fill": "var(--panel)",
            "panel_border_width": "0px",
            "form_gap_width": "0px",
            "layout_gap": "12px",
            "input_background_fill": "var(--raised)",
            "input_background_fill_focus": "var(--raised)",
            "input_border_color": "var(--line)",
            "input_border_color_focus": "var(--muted)",
            "input_border_width": "1px",
            "input_placeholder_color": "var(--muted)",
            "input_shadow": "none",
            "input_shadow_focus": "none",
            "slider_color": "var(--ink)",
            "checkbox_background_color": "var(--raised)",
            "checkbox_background_color_selected": "var(--tick)",
            "checkbox_border_color": "var(--muted)",
            "checkbox_border_color_selected": "var(--tick)",
            "checkbox_border_color_focus": "var(--ink)",
            "checkbox_label_background_fill": "var(--raised)",
            "checkbox_label_background_fill_hover": "var(--line)",
            "checkbox_label_background_fill_selected": "var(--line)",
            "checkbox_label_border_width": "1px",
            "checkbox_label_border_color": "var(--line)",
            "checkbox_label_border_color_selected": "var(--muted)",
            "checkbox_label_text_color": "var(--muted)",
            "checkbox_label_text_color_selected": "var(--ink)",
            "button_secondary_background_fill": "var(--raised)",
            "button_secondary_background_fill_hover": "var(--line)",
            "button_secondary_border_color": "var(--line)",
            "button_secondary_text_color": "var(--ink)",
            "button_border_width": "1px",
            "button_transition": "background-color 0.12s",
            "error_background_fill": "var(--raised)",
            "error_text_color": "var(--alarm)",
            "error_border_color": "var(--alarm)",
            "loader_color": "var(--muted)",
        }
