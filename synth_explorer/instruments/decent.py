"""DecentSampler's presets (.dspreset): XML beside the samples.

Elements and attributes: the DecentSampler developers' guide.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from synth_explorer.instruments.instrument import Instrument
from synth_explorer.instruments.maker import crossfade
from synth_explorer.instruments.sample import Slot
from synth_explorer.instruments.sfz import WHEEL, wheel_places
from synth_explorer.instruments.xml import attributes, document

TABLE_POINTS = 17  # of the wheel, between which gains go in straight lines

CANNOT = ("DecentSampler: within a velocity layer the level stays the same; take more layers for a finer curve",)


def text(instrument: Instrument, files: dict[Slot, str]) -> str:
    """The preset; `files` are the samples' paths beside it. A group for each step of the morph."""
    plan = instrument.plan
    root = ET.Element("DecentSampler", minVersion="1.6.0")
    groups = ET.SubElement(root, "groups")
    for step in range(plan.morph_steps):
        group = ET.SubElement(groups, "group", attributes(name=f"morph {step + 1}", ampVelTrack=0))
        group.set("seqMode", "round_robin" if plan.round_robin > 1 else "always")
        if plan.morph_steps > 1:  # as the wheel stands at first
            group.set("volume", f"{crossfade(0.0, plan.morph_steps, is_coherent=instrument.is_coherent)[step]:g}")
        for one in (one for one in instrument.samples if one.slot.step == step):
            zone, layer = instrument.zone(one), one.slot.layer
            given = {"path": files[one.slot], "rootNote": zone.root, "loNote": zone.low, "hiNote": zone.high}
            given |= {"loVel": layer.low, "hiVel": layer.high, "tuning": round(-one.cents / 100.0, 4)}
            given |= {"attack": 0, "decay": 0, "sustain": 1, "release": round(one.release_s, 3)}
            given |= {"loopEnabled": one.loop is not None}
            if one.loop is not None:
                given |= {"loopStart": one.loop.start, "loopEnd": one.loop.end - 1, "loopCrossfade": 0}
            if plan.round_robin > 1:
                given |= {"seqPosition": one.slot.robin + 1, "seqLength": plan.round_robin}
            ET.SubElement(group, "sample", attributes(**given))
    if plan.morph_steps > 1:
        _wheel(root, instrument)
    return document(root)


def _wheel(root: ET.Element, instrument: Instrument) -> None:
    """The mod wheel fades the groups into one another."""
    controller = ET.SubElement(ET.SubElement(root, "midi"), "cc", number=str(WHEEL))
    steps = instrument.plan.morph_steps
    at = wheel_places(steps)
    values = np.unique([*np.linspace(0, 127, TABLE_POINTS).round(), *at])
    places = np.interp(values, at, np.linspace(0.0, 1.0, steps))
    gains = np.array([crossfade(place, steps, is_coherent=instrument.is_coherent) for place in places.tolist()])
    for step in range(steps):
        table = ";".join(f"{value:g},{gain:.4f}" for value, gain in zip(values, gains[:, step], strict=True))
        binding = {"type": "amp", "level": "group", "position": step, "parameter": "AMP_VOLUME"}
        ET.SubElement(controller, "binding", attributes(**binding, translation="table", translationTable=table))
