"""Bitwig's and PreSonus's `.multisample`: a ZIP of `multisample.xml` and the samples.

Elements and attributes: its schema, github.com/bitwig/multisample.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

from synth_explorer.instruments.instrument import Instrument
from synth_explorer.instruments.sample import Slot
from synth_explorer.instruments.sfz import wheel_places
from synth_explorer.instruments.xml import attributes, document

XML_NAME = "multisample.xml"
CANNOT = (
    "Bitwig: a .multisample holds neither envelopes nor the curve within a velocity layer; set release and velocity "
    "sensitivity in the Sampler",
)
NO_WHEEL = "Bitwig: the morph lies on the Sampler's Select; modulate it with the mod wheel"


def text(instrument: Instrument, files: dict[Slot, str]) -> str:
    """The mapping; `files` are the samples' names in the archive. The morph lies along `select`."""
    plan = instrument.plan
    root = ET.Element("multisample", name=instrument.name)
    told = {"generator": "synth_explorer", "category": "", "creator": ""}
    told["description"] = f"Patch {instrument.patch.id}"
    for tag, content in told.items():
        ET.SubElement(root, tag).text = content
    for layer in plan.layers:
        ET.SubElement(root, "group", name=f"velocity {layer.low}-{layer.high}")
    for one in instrument.samples:
        zone, layer = instrument.zone(one), one.slot.layer
        sample = ET.SubElement(
            root,
            "sample",
            attributes(
                **{
                    "file": files[one.slot],
                    "sample-start": "0.0",
                    "sample-stop": float(one.audio.size),
                    "gain": "0.0",
                    "group": plan.layers.index(layer),
                    "zone-logic": "round-robin" if plan.round_robin > 1 else "always-play",
                }
            ),
        )
        tune = round(-one.cents / 100.0, 4)
        ET.SubElement(sample, "key", attributes(low=zone.low, high=zone.high, root=zone.root, track="1.0", tune=tune))
        ET.SubElement(sample, "velocity", attributes(low=layer.low, high=layer.high))
        ET.SubElement(sample, "select", attributes(**_select(one.slot.step, plan.morph_steps)))
        if one.loop is not None:
            ends = {"start": float(one.loop.start), "stop": float(one.loop.end)}
            ET.SubElement(sample, "loop", attributes(mode="loop", **ends, fade="0.0"))
    return document(root)


def _select(step: int, steps: int) -> dict[str, int]:
    """Where a step of a morph lies on the axis `select`, 0..127, and how far it fades toward its neighbours."""
    at = wheel_places(steps) if steps > 1 else [0]
    low, high = at[max(step - 1, 0)], at[step + 1] if step < steps - 1 else 127
    if steps == 1:
        return {"low": 0, "high": 127}
    return {"low": low, "high": high, "low-fade": at[step] - low, "high-fade": high - at[step]}
