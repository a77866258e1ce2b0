"""What the keyboard's AudioContext puts out, sample for sample, recorded in the browser."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

BEGIN = """async () => {
  const { context, output } = window.synthExplorerAudio;
  const code = `registerProcessor('tape', class extends AudioWorkletProcessor {
    process([[samples]]) {
      this.port.postMessage(samples ? samples.slice() : new Float32Array(128));
      return true;
    }
  })`;
  if (!window.taping) {
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
    const tape = new AudioWorkletNode(context, 'tape');
    output.connect(tape).connect(context.destination);
    tape.port.onmessage = ({ data }) => window.taping.push(data);
  }
  window.taping = [];
}"""
END = """() => {
  const parts = window.taping;
  const bytes = new Uint8Array(parts.length * 512);
  parts.forEach((part, at) => bytes.set(new Uint8Array(part.buffer), at * 512));
  let text = '';
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return [btoa(text), window.synthExplorerAudio.context.sampleRate];
}"""


def begin(page: Any) -> None:
    """Begin to record; a key must have been pressed before."""
    page.evaluate(BEGIN)


def end(page: Any) -> tuple[np.ndarray, int]:
    """What was recorded since, float32 [T], and its rate in Hz."""
    text, rate_hz = page.evaluate(END)
    return np.frombuffer(base64.b64decode(text), np.float32), int(rate_hz)


def clicks(audio: np.ndarray, rate_hz: int) -> float:
    """How far the sharpest corner of a recording stands out: its second difference, the largest of every 10 ms, against
    the median of half a second around. A tone has about 1 to 2, a click ten times as much."""
    corners = np.abs(np.diff(audio.astype(np.float64), 2))
    size = rate_hz // 100
    most = corners[: corners.size // size * size].reshape(-1, size).max(axis=1)
    around = np.array([np.median(most[max(0, at - 25) : at + 26]) for at in range(most.size)])
    return float((most / np.maximum(around, 1e-7)).max())


def level_db(audio: np.ndarray, rate_hz: int) -> np.ndarray:
    """RMS of every 50 ms, dB."""
    size = rate_hz // 20
    parts = audio[: audio.size // size * size].reshape(-1, size).astype(np.float64)
    return 10.0 * np.log10(np.mean(parts**2, axis=1) + 1e-12)


def strength_db(audio: np.ndarray, rate_hz: int, hz: float) -> float:
    """How strong a frequency is against the strongest, dB."""
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(audio.size)))
    at = round(hz * audio.size / rate_hz)
    return 20.0 * float(np.log10(spectrum[at - 2 : at + 3].max() / spectrum.max()))
