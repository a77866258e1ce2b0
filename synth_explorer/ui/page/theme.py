"""The page's theme: one dark look, set in fonts that every system has."""

from __future__ import annotations

from pathlib import Path

from gradio.themes.base import Base
from gradio.themes.utils import colors, sizes

from synth_explorer.ui import colours

STYLE_SHEET = Path(__file__).with_name("page.css")
SANS = ["-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Liberation Sans", "Arial", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Consolas", "Liberation Mono", "monospace"]


class InstrumentTheme(Base):
    """Graphite panels, ivory text, and the colours of the slots. Light and dark system settings look the same."""

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
        c = colours
        return {
            "body_background_fill": c.DESK,
            "body_text_color": c.INK,
            "body_text_color_subdued": c.MUTED,
            "background_fill_primary": c.PANEL,
            "background_fill_secondary": c.PANEL,
            "border_color_primary": c.LINE,
            "border_color_accent": c.MUTED,
            "color_accent_soft": c.RAISED,
            "block_background_fill": "transparent",
            "block_border_width": "0px",
            "block_padding": "0px",
            "block_shadow": "none",
            "block_label_background_fill": "transparent",
            "block_label_text_color": c.MUTED,
            "block_title_text_color": c.MUTED,
            "block_title_text_weight": "500",
            "block_info_text_color": c.MUTED,
            "panel_background_fill": c.PANEL,
            "panel_border_width": "0px",
            "form_gap_width": "0px",
            "layout_gap": "12px",
            "input_background_fill": c.RAISED,
            "input_background_fill_focus": c.RAISED,
            "input_border_color": c.LINE,
            "input_border_color_focus": c.MUTED,
            "input_border_width": "1px",
            "input_placeholder_color": c.MUTED,
            "input_shadow": "none",
            "input_shadow_focus": "none",
            "slider_color": c.ACCENT,
            "checkbox_background_color": c.RAISED,
            "checkbox_background_color_selected": c.ACCENT,
            "checkbox_border_color": c.MUTED,
            "checkbox_border_color_selected": c.ACCENT,
            "checkbox_border_color_focus": c.INK,
            "checkbox_label_background_fill": c.RAISED,
            "checkbox_label_background_fill_hover": c.LINE,
            "checkbox_label_background_fill_selected": c.LINE,
            "checkbox_label_border_width": "1px",
            "checkbox_label_border_color": c.LINE,
            "checkbox_label_border_color_selected": c.MUTED,
            "checkbox_label_text_color": c.MUTED,
            "checkbox_label_text_color_selected": c.INK,
            "button_secondary_background_fill": c.RAISED,
            "button_secondary_background_fill_hover": c.LINE,
            "button_secondary_border_color": c.LINE,
            "button_secondary_text_color": c.INK,
            "button_border_width": "1px",
            "button_transition": "background-color 0.12s",
            "error_background_fill": c.RAISED,
            "error_text_color": c.WARNING,
            "error_border_color": c.WARNING,
            "loader_color": c.MUTED,
        }
