"""The CPU engine's loop over samples, in Numba, for a team of threads that share the rows of every product.

Per layer there are two products: gates from the layer's input, then residual and skip from the gates; a barrier after
each. The taps that look back by a dilation d are known d samples ahead, so they are computed for `ahead` samples at
once (as further columns of one product), which reads their weights once for all of them.

One note is bound by reading weights (NSynth: 139 MB a step in float32, 36 MB in int8; with every tap at every step it
would be 237 and 60), 16 notes and more by multiplying: from its caches a core does 98 % of what AVX-512 or
AVX2 allows. So in float32 many notes take other products, which need fewer multiplications: see `minimal`.

Shapes: B notes, T samples, F frames, C conditioning channels, W width, S skip width, Q levels; padded to 16.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from synth_explorer.decode.wavenet.minimal import gates_of_pairs, sums_by_seven
from synth_explorer.decode.wavenet.products import product, quads
from synth_explorer.decode.wavenet.vectors import (
    arrive,
    copy,
    expect,
    gate,
    give_way,
    largest,
    move,
    put,
    rectify,
    stage,
    ticks,
    watch,
    weigh,
)

# Columns of the table of layers: numbers, then addresses of what `packing` and the session laid out.
(DILATION, TAPS, AHEAD, SLOTS, RING, RING_SCALE, GATES, GATE_W, OLD_W, SUM_W, GATE_SCALE, GATE_INIT) = range(12)
(SUM_BIAS, SUM_SCALE, SUM_INIT, OLD_SCALE, OLD_INIT, ZEROS) = range(12, 18)
(FIRST_W, SECOND_W, SEVEN_SUM_W, KEPT, PHASE) = range(18, 23)  # 0 where a layer is computed plainly
LAYER_FIELDS = 23
# Columns of the table of everything else.
(WIDTH, SKIP, LEVELS, HOP, BYTES, STREAM, GATED, STAGED, STAGED_SCALE, HIDDEN, LOGITS, CONDITION) = range(12)
(OUT_W, LOGITS_W, LOGITS_BIAS, NOTHING, COUNTER, WEIGHTS) = range(12, 18)
(SEVEN, TERMS, PRODUCTS, ROWS, TERMS_BYTES, PRODUCTS_BYTES) = range(18, 24)  # of `minimal`
(START_W, START_BIAS, HISTORY) = range(24, 27)
QUADS = 27  # whether the layers' weights lie in quads of blocks, for one note
STAGED_BYTES = 28  # of an input as the products take it; BYTES are those of a weight
CONDITION_STRIDE = 29  # bytes from note to note
FIELDS = 30
MOST_EXPECTED = 64  # lines of an input, of all notes: more are read in one go anyway
SPINS = 4000  # looks at a barrier before other programs get the core


@njit(nogil=True, cache=True)
def meet(counter, team):
    """Wait until all threads of the team are here."""
    if team > 1:
        goal = (arrive(counter) // team + 1) * team
        spins = 0
        while watch(counter) < goal:
            spins += 1
            if spins > SPINS:
                give_way()


@njit(nogil=True, cache=True, error_model="numpy")
def pick(logits, address, weights, weights_address, levels, uniform, temperature):
    """The level of one note, see `levels.draw`; sums over blocks of 16 levels first."""
    whole, top = levels // 16, logits[0]
    if whole > 0:
        top = largest(address, whole)
    for q in range(16 * whole, levels):
        top = max(top, logits[q])
    if temperature == 0.0:
        for q in range(levels):
            if logits[q] == top:
                return q
    blocks = (levels + 15) // 16
    weigh(address, top, np.float32(1.0 / temperature), blocks, weights_address)
    total = 0.0
    for block in range(blocks):
        part = 0.0
        for q in range(16 * block, min(levels, 16 * block + 16)):
            part += np.float64(weights[q])
        total += part
    goal, below = uniform * total, 0.0
    for block in range(blocks):
        part = 0.0
        for q in range(16 * block, min(levels, 16 * block + 16)):
            part += np.float64(weights[q])
        if below + part >= goal:
            for q in range(16 * block, min(levels, 16 * block + 16)):
                below += np.float64(weights[q])
                if below >= goal:
                    return q
        else:
            below += part
    return levels - 1


@njit(nogil=True, cache=True, error_model="numpy")
def condition_rows(rows, weights, bias, frames, frame, first, last):
    """rows[b, first:last] = bias + frames[b, frame] weights."""
    for b in range(len(rows)):
        for r in range(first, last):
            rows[b, r] = bias[r]
        for c in range(len(weights)):
            value = frames[b, frame, c]
            for r in range(first, last):
                rows[b, r] += value * weights[c, r]


@njit(nogil=True, cache=True, error_model="numpy")
def expect_pairs(layer, moment, now, notes, width, first, last):
    """Ask for the past inputs of a filtered layer, and for what it keeps of panels first..last: they lie far apart."""
    if layer[KEPT] == 0:
        return
    size, lines, dilation = 4 * notes * width, notes * width // 16, layer[DILATION]
    for k in range(1, layer[TAPS]):
        expect(layer[RING] + (now - k * dilation) % layer[SLOTS] * size, lines)
    panel = 256 * notes
    expect(layer[KEPT] + moment % dilation * 2 * size + first * panel, (last - first) * panel // 64)


class Share(NamedTuple):
    """What one member of a team has for itself: its part of the rows of every product, and scratch."""

    member: int
    team: int
    u0: int  # units of 16 gates
    u1: int
    p0: int  # panels of two units
    p1: int
    s0: int  # blocks of 16 skip channels
    s1: int
    q0: int  # blocks of 16 levels
    q1: int
    staged: int
    staged_scale: int
    terms: int
    products: int
    rows: int


@njit(nogil=True, cache=True)
def share_of(table, member, team, notes):
    """The share of a member; in quads, units come in pairs, which are four blocks of gates."""
    width, skip, pair = table[WIDTH], table[SKIP], 2 if table[QUADS] != 0 else 1
    units, blocks = width // 16 // pair, (table[LEVELS] + 15) // 16
    return Share(
        member, team,
        pair * (units * member // team), pair * (units * (member + 1) // team),
        width // 32 * member // team, width // 32 * (member + 1) // team,
        skip // 16 * member // team, skip // 16 * (member + 1) // team,
        blocks * member // team, blocks * (member + 1) // team,
        table[STAGED] + member * notes * width * table[STAGED_BYTES], table[STAGED_SCALE] + member * notes * 4,
        table[TERMS] + member * table[TERMS_BYTES], table[PRODUCTS] + member * table[PRODUCTS_BYTES],
        table[ROWS] + member * 24 * width,
    )  # fmt: skip


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def staged(kind, table, x, x_stride, notes, own):
    """Inputs [B, W] as products take them, and their bytes from note to note: float32 needs no rounding and no copy."""
    if table[BYTES] == 4:
        return x, x_stride
    row_bytes = table[WIDTH] * table[STAGED_BYTES]
    for b in range(notes):
        put(own.staged_scale + 4 * b, stage(kind, x + b * x_stride, table[WIDTH] // 16, own.staged + b * row_bytes))
    return own.staged, row_bytes


@njit(nogil=True, cache=True, error_model="numpy")
def look_back(kind, table, layer, now, notes, own):
    """The taps that look back, for this sample and the following ones, once in `ahead` samples."""
    width, size, ahead = table[WIDTH], table[BYTES], layer[AHEAD]
    row_bytes = width * table[STAGED_BYTES]
    for k in range(layer[TAPS] - 1):
        slot = (now - (layer[TAPS] - 1 - k) * layer[DILATION]) % layer[SLOTS]
        product(
            kind, layer[OLD_W] + 2 * k * width * width * size, 16 * width * size, row_bytes // 4, 2 * own.u0,
            2 * own.u1, layer[RING] + slot * notes * row_bytes, row_bytes, ahead * notes, layer[GATES], 8 * width,
            layer[ZEROS], layer[OLD_SCALE] + 8 * k * width, layer[OLD_INIT] + 8 * k * width,
            layer[RING_SCALE] + slot * notes * 4, min(k, 1),
        )  # fmt: skip


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def remember(table, layer, x, x_stride, now, notes, own):
    """Put this sample's inputs where taps will look back at them."""
    row_bytes, slot = table[WIDTH] * table[STAGED_BYTES], now % layer[SLOTS]
    part0, part1 = 16 * own.u0 * table[STAGED_BYTES], 16 * own.u1 * table[STAGED_BYTES]
    for b in range(notes):
        target = layer[RING] + (slot * notes + b) * row_bytes + part0
        if table[BYTES] == 4:
            copy(x + b * x_stride + part0, target, own.u1 - own.u0)
        else:
            move(x + b * x_stride + part0, target, part1 - part0)
    if own.member == 0 and table[BYTES] < 4:
        move(own.staged_scale, layer[RING_SCALE] + slot * notes * 4, notes * 4)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def plain_gates(kind, table, layer, conditions, now, notes, own):
    """Gated [B, W] of a layer by plain sums over its taps."""
    width, size, stride = table[WIDTH], table[BYTES], 4 * (table[WIDTH] + table[SKIP])
    steps, block_bytes = width * table[STAGED_BYTES] // 4, 16 * width * size
    x, x_stride = staged(kind, table, table[STREAM], stride, notes, own)
    gates = layer[GATES] + (now % layer[AHEAD]) * notes * 8 * width
    if layer[TAPS] > 1:
        if now % layer[AHEAD] == 0:
            look_back(kind, table, layer, now, notes, own)
        remember(table, layer, x, x_stride, now, notes, own)
    adds = min(layer[TAPS] - 1, 1)
    if table[QUADS] != 0:
        quads(
            kind, layer[GATE_W], block_bytes, steps, 2 * own.u0, 2 * own.u1, x, gates, layer[ZEROS],
            layer[GATE_SCALE], layer[GATE_INIT], own.staged_scale, adds,
        )  # fmt: skip
    else:
        product(
            kind, layer[GATE_W], block_bytes, steps, 2 * own.u0, 2 * own.u1, x, x_stride, notes, gates, 8 * width,
            layer[ZEROS], layer[GATE_SCALE], layer[GATE_INIT], own.staged_scale, adds,
        )  # fmt: skip
    for b in range(notes):
        conditioned = conditions + b * table[CONDITION_STRIDE]
        for u in range(own.u0, own.u1):
            gated = table[GATED] + 4 * b * width + 64 * u
            gate(gates + 8 * b * width + 128 * u, conditioned + 128 * u, gated)


@njit(nogil=True, cache=True, error_model="numpy")
def filtered_gates(table, layer, conditions, now, notes, own):
    """Gated [B, W] of a layer whose samples are taken in pairs, see `minimal`."""
    width, stride = table[WIDTH], 4 * (table[WIDTH] + table[SKIP])
    row_bytes, dilation, slots = 4 * width, layer[DILATION], layer[SLOTS]
    moment, size_of_slot = now + layer[PHASE], notes * row_bytes
    single = moment // dilation % 2
    gates_of_pairs(
        layer[SECOND_W] if single else layer[FIRST_W], single, layer[TAPS], table[SEVEN], notes, width,
        layer[RING] + (now - (layer[TAPS] - 1) * dilation) % slots * size_of_slot,
        layer[RING] + (now - dilation) % slots * size_of_slot, table[STREAM], stride,
        layer[KEPT] + moment % dilation * 2 * size_of_slot, conditions, table[CONDITION_STRIDE],
        table[GATED], own.terms, own.products, own.rows, layer[ZEROS], own.p0, own.p1,
    )  # fmt: skip
    remember(table, layer, table[STREAM], stride, now, notes, own)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def add_sums(kind, table, layer, begin, notes, own):
    """Stream [B, W + S] += residual and skip of gated [B, W], from block `begin` on; returns this member's blocks."""
    width, size, stride = table[WIDTH], table[BYTES], 4 * (table[WIDTH] + table[SKIP])
    each = 4 if layer[SEVEN_SUM_W] != 0 or table[QUADS] != 0 else 1
    shares = ((width + table[SKIP]) // 16 - begin) // each
    first = begin + each * (shares * own.member // own.team)
    last = begin + each * (shares * (own.member + 1) // own.team)
    if layer[SEVEN_SUM_W] != 0:
        sums_by_seven(
            layer[SEVEN_SUM_W], layer[SUM_BIAS], notes, width, table[GATED], table[STREAM], stride,
            own.terms, own.products, own.rows, layer[ZEROS], first // 4, last // 4,
        )  # fmt: skip
        return first, last
    steps, block_bytes = width * table[STAGED_BYTES] // 4, 16 * width * size
    x, x_stride = staged(kind, table, table[GATED], 4 * width, notes, own)
    if table[QUADS] != 0:
        quads(
            kind, layer[SUM_W], block_bytes, steps, first, last, x, table[STREAM], layer[SUM_BIAS],
            layer[SUM_SCALE], layer[SUM_INIT], own.staged_scale, 1,
        )  # fmt: skip
    else:
        product(
            kind, layer[SUM_W], block_bytes, steps, first, last, x, x_stride, notes, table[STREAM], stride,
            layer[SUM_BIAS], layer[SUM_SCALE], layer[SUM_INIT], own.staged_scale, 1,
        )  # fmt: skip
    return first, last


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def start(table, past, previous, extra, i, own):
    """Stream [B, W + S] of sample i: the first convolution over the inputs that `past` [B, K0 X] holds."""
    notes, taps = past.shape
    inputs = extra.shape[2] + 1
    for b in range(notes):
        for k in range(taps - inputs):
            past[b, k] = past[b, k + inputs]
        past[b, taps - inputs] = previous[b]
        for k in range(1, inputs):
            past[b, taps - inputs + k] = extra[b, i, k - 1]
    units, nothing, own_past = table[WIDTH] // 16, table[NOTHING], table[HISTORY] + 4 * taps * notes * own.member
    for first, last in ((own.u0, own.u1), (units + own.s0, units + own.s1)):
        product(
            np.float32(0.0), table[START_W], 64 * taps, taps, first, last, own_past, 4 * taps, notes, table[STREAM],
            4 * (table[WIDTH] + table[SKIP]), table[START_BIAS], nothing, nothing, nothing, 0,
        )  # fmt: skip


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def score(table, conditions, notes, own):
    """Logits [B, Q] from the sum of the skips, which is rectified already."""
    width, skip, nothing = table[WIDTH], table[SKIP], table[NOTHING]
    unit, level_blocks = np.float32(0.0), (table[LEVELS] + 15) // 16
    product(
        unit, table[OUT_W], 64 * skip, skip, own.s0, own.s1, table[STREAM] + 4 * width, 4 * (width + skip), notes,
        table[HIDDEN], 4 * skip, nothing, nothing, nothing, nothing, 0,
    )  # fmt: skip
    for b in range(notes):
        for u in range(own.s0, own.s1):
            rectify(table[HIDDEN] + 4 * b * skip + 64 * u, conditions + b * table[CONDITION_STRIDE] + 64 * u)
    meet(table[COUNTER], own.team)
    product(
        unit, table[LOGITS_W], 64 * skip, skip, own.q0, own.q1, table[HIDDEN], 4 * skip, notes,
        table[LOGITS], 64 * level_blocks, table[LOGITS_BIAS], nothing, nothing, nothing, 0,
    )  # fmt: skip
    meet(table[COUNTER], own.team)


@njit(nogil=True, cache=True, error_model="numpy")
def run(kind, table, layers, arrays, block, time, temperature, member, team, budget, quit_at):
    """Advance a session by a block as member `member` of a team; returns how many samples are done.

    That is all of them, unless they took more than `budget` ticks (0: no limit); `quit_at` [1] tells the team.

    arrays: condition_w [C, R], condition_bias [R], frames [B, F, C], condition [B, R], history [members, B, K0 X],
    previous [B], logits [B, Q], weights [B, Q], input_table [Q];
    block: uniforms, extra, forced, levels, logits (or [B, 0, Q]), as in `session.Block`.
    """
    condition_w, condition_bias, frames, condition, history = arrays[:5]
    previous, logits, weights, input_table = arrays[5:]
    uniforms, extra, forced, drawn, kept = block
    notes, samples = uniforms.shape
    width, levels, counter = table[WIDTH], table[LEVELS], table[COUNTER]
    count, units, stride = len(layers), width // 16, 4 * (width + table[SKIP])
    own = share_of(table, member, team, notes)
    begun = ticks()
    for i in range(samples):
        now = time + i
        if now % table[HOP] == 0:
            for n in range(count + 1):
                c0, c1 = (32 * own.u0, 32 * own.u1) if n < count else (16 * own.s0, 16 * own.s1)
                c0, c1 = c0 + 2 * width * n, c1 + 2 * width * n
                condition_rows(condition, condition_w, condition_bias, frames, now // table[HOP], c0, c1)
        start(table, history[member], previous, extra, i, own)
        meet(counter, team)
        for n in range(count):
            layer, conditions = layers[n], table[CONDITION] + 8 * width * n
            if layer[KEPT] != 0:
                filtered_gates(table, layer, conditions, now, notes, own)
            else:
                plain_gates(kind, table, layer, conditions, now, notes, own)
            meet(counter, team)
            if n < count - 1 and notes * units <= MOST_EXPECTED:
                expect_pairs(layers[n + 1], now + layers[n + 1, PHASE], now, notes, width, own.p0, own.p1)
            begin = units if n == count - 1 else 0  # nobody reads the last residual
            first, last = add_sums(kind, table, layer, begin, notes, own)
            if n == count - 1:
                for b in range(notes):
                    for u in range(first, last):
                        rectify(table[STREAM] + b * stride + 64 * u, table[NOTHING])
            meet(counter, team)
        score(table, table[CONDITION] + 8 * width * count, notes, own)
        for b in range(member, notes, team):
            row = 64 * ((levels + 15) // 16) * b
            level = pick(
                logits[b], table[LOGITS] + row, weights[b], table[WEIGHTS] + row, levels, uniforms[b, i], temperature
            )
            drawn[b, i] = level
            previous[b] = input_table[level] if np.isnan(forced[b, i]) else forced[b, i]
            if kept.shape[1] > 0:
                for q in range(levels):
                    kept[b, i, q] = logits[b, q]
        if member == 0 and budget > 0 and ticks() - begun > budget:
            quit_at[0] = i + 1
        meet(counter, team)
        if quit_at[0] > 0:
            return i + 1
    return samples


@njit(cache=True)
def clock():
    """`vectors.ticks`, from Python."""
    return ticks()
