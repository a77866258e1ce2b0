"""Rendering with a slow decoder: begun by a button, watched, and stopped. Callable without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from synth_explorer.errors import SynthExplorerError
from synth_explorer.lru import LruCache
from synth_explorer.ui.answers import results
from synth_explorer.ui.answers.results import Heard, asked_for, heard_render
from synth_explorer.ui.answers.words import alert
from synth_explorer.ui.session.job import Job
from synth_explorer.ui.session.studio import Studio
from synth_explorer.ui.session.studios import Studios

LOOK_S = 0.25
SESSIONS_KEPT = 1024


@dataclass(frozen=True)
class Progress:
    """What is shown while a sound is made, and when it is there."""

    words: str  # HTML with a bar; empty at the end
    is_running: bool  # whether it can be stopped
    heard: Heard | None = None  # the result, at the end


class Renders:
    """The running job of each browser."""

    def __init__(self, studios: Studios) -> None:
        self._studios = studios
        self._jobs: LruCache[Job] = LruCache(SESSIONS_KEPT, forget=Job.stop)

    def run(self, session: str, question: Any, *, play: bool = True) -> Iterator[Progress]:
        """Render what a question asks for; one thing at a time for a session.

        `question`: as of `results.answer`. `play`: whether it starts to play when it is there.
        """
        self.stop(session)
        try:
            studio, asked = asked_for(self._studios, question)
            job = studio.start(studio.asked(asked), visitor=session)
        except SynthExplorerError as error:
            yield Progress("", False, Heard(None, alert(str(error))))
            return
        self._jobs.put(session, job)
        try:
            while not job.wait(LOOK_S):
                yield Progress(bar(job), True)
            ended = self._ended(studio, job, play=play)
            if ended.screen is not None and job.result.audio.size == job.total:
                told = {"request": question["request"]} | results.told(self._studios, asked, job.result)
                ended = Heard(ended.screen | told, ended.message)
            yield Progress("", False, ended)
        finally:  # also when nobody watches any more
            job.stop()

    def stop(self, session: str) -> None:
        """Stop what a session renders, if it does."""
        job = self._jobs.get(session)
        if job is not None:
            job.stop()

    @staticmethod
    def _ended(studio: Studio, job: Job, *, play: bool) -> Heard:
        if isinstance(job.error, SynthExplorerError):
            return Heard(None, alert(str(job.error)))
        if job.error is not None:
            raise job.error
        if job.result is None:
            return Heard(None, '<p class="caption">Stopped before there was a sound.</p>')
        heard = heard_render(studio, job.result, play=play)
        if job.result.audio.size == job.total:
            return heard
        rate_hz = studio.explorer.sample_rate_hz
        parts_s = job.result.audio.size / rate_hz, job.total / rate_hz
        return Heard(heard.screen, f'<p class="caption">Stopped at {parts_s[0]:.2f} s of {parts_s[1]:.2f} s.</p>')


def bar(job: Job) -> str:
    """How far a job is, in a bar and in words."""
    percent = 100 * job.done / job.total
    if job.is_waiting:
        words = (
            "Waiting for another render to end" if job.ahead < 2 else f"Waiting for {job.ahead} other renders to end"
        )
    elif job.left_s is None:
        words = "Beginning"
    else:
        words = f"{percent:.0f} %, about {duration(job.left_s)} left"
    return f'<p class="rendering"><progress max="100" value="{percent:.1f}"></progress><span>{words}</span></p>'


def duration(seconds: float) -> str:
    """Seconds in words: "8 s", "3 min 20 s", "2 h 5 min"."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
