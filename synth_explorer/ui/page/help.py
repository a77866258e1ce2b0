"""What the page's script says of the controls: a sentence for each, and what a closed group shows of them."""

from __future__ import annotations

import json

from synth_explorer.ui.page.panels.sliders import element_id
from synth_explorer.ui.request.knobs import DIRECTION_KNOBS, LETTERS, NUMBERS, TARGETS

_OSCILLATION = {
    "rate": "Swings a second.",
    "depth": "How far it swings to either side.",
    "shape": "How it gets from one side to the other; Walk wanders at random.",
    "phase-turns": "Where in its swing it begins, as a part of a turn.",
    "fade-in": "Seconds until it swings all the way.",
}
_SLOT = {
    "pitch": "The pitch at which this note was recorded; write another where it was heard wrong, empty it to go back.",
    "upload": "Take a sound file of your own for {letter}; it can also be dropped on the page.",
    "record": "Record a note for {letter} with the microphone; press again to stop.",
}
_SENTENCES = {
    "load": "Go on with a file that Save made, with a patch of the shell, or with a preset.",
    "checkpoint": "The model that listens to the notes and makes the sounds.",
    "count": "How many notes are mixed.",
    "mix": "0 is A and 1 is B; beyond them the difference between the two is exaggerated.",
    "x": "Where the sound lies from left to right on the pad.",
    "y": "Where the sound lies from bottom to top on the pad.",
    "quantise": "Semitone takes the mix to the nearest note, Key to the nearest of a key, Off leaves it as it is.",
    "key": "The key whose notes the mix is brought to.",
    "by-pitch": "For notes of one instrument: a key sounds as those recorded next to it, and the pad says nothing.",
    "set-pitch": "Give the result a pitch of its own, whatever its notes have.",
    "pitch-midi": "The pitch of the result.",
    "autoplay": "Whether each change is heard at once; Space plays at any time.",
    "render": "Make the sound that the knobs ask for; this model takes a while.",
    "stop": "Stop making it.",
    "toward": "Take the timbre of one note, and leave pitch and loudness as they are.",
    "amount": "How far toward it; 1 is there.",
    "osc-targets": "What goes up and down: any of them, each in its own way.",
    "attack": "Seconds in which the note begins; 0 leaves it as it is.",
    "reverse": "Play the note from its end to its beginning.",
    "freeze": "Hold the sound of one moment from there on.",
    "freeze-at": "The moment that is held.",
    "freeze-hold": "How long it is held; 0 holds it to where the note ended.",
    "trim-start": "Where the part that is kept begins.",
    "trim-end": "Where the part that is kept ends; 0 is the end of the note.",
    "env-attack": "Seconds until it is at its full level.",
    "env-decay": "Seconds until it has fallen to the sustain.",
    "env-sustain-db": "The level at which it stays, in dB below the full one.",
    "env-release": "Seconds in which it fades at its end.",
    "raw-channels": "Which of the numbers, by which the model knows a sound, the sliders below change.",
    "raw-scale": "Multiplies these numbers: 1 leaves them, 0 makes them still, −1 turns them over.",
    "raw-add": "Shifts these numbers up or down.",
    "raw-depth": "How far these numbers swing.",
    "raw-rate": "Swings a second.",
    "seed": "Another number is another take: all that is random in the sound is drawn anew.",
    "temperature": "How strong what is random is: 1 as it was learnt, 0 none of it.",
    "open-loop": "Apply edits by their formulas alone; nobody listens to what comes of them and corrects it.",
    "reset": "Put all edits to rest; notes, mix and pitch stay.",
    "save-preset": "Keep the edits as a file, to load them on other notes.",
    "look": "Make the inspection anew, of the sound as it is now.",
}


def sentences() -> dict[str, str]:
    """A sentence of help for each control, by its element's id."""
    told = {element_id(name): fact.help for name, fact in NUMBERS.items() if fact.option is not None}
    told |= {f"osc-{target}-{part}": words for target in TARGETS for part, words in _OSCILLATION.items()}
    for letter in LETTERS:
        told |= {f"{name}-{letter.lower()}": words.format(letter=letter) for name, words in _SLOT.items()}
    told |= {element_id(name): "How many steps the sound goes along this direction." for name in DIRECTION_KNOBS}
    return told | _SENTENCES


def grouped() -> dict[str, list[str]]:
    """Knobs that a group shows while it is closed: {knob: [id of the group, its words]}."""
    parts = {"trim": "Trim", "env": "Envelope", "freeze": "Freeze", "attack": "Attack", "stretch": "Stretch"}
    found = {"reverse": ["time", "Reverse"], "freeze": ["time", "Freeze"]}
    found |= {"seed": ["decoding", "Seed"], "temperature": ["decoding", "Temperature"]}
    found |= {"open_loop": ["decoding", "Edits by formula"]}
    for name, fact in NUMBERS.items():
        kind, _, rest = name.partition("_")
        if fact.slider.group == "time" and kind != "freeze":
            found[name] = ["time", parts[kind]]
        elif fact.slider.group == "spectrum":
            found[name] = ["directions", kind.capitalize()]
        elif fact.slider.group == "directions":
            found[name] = ["directions", rest]
    return found


def filled(script: str) -> str:
    """The page's script with what it says filled in."""
    return script.replace("%help%", json.dumps(sentences())).replace("%grouped%", json.dumps(grouped()))
