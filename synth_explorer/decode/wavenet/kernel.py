"""The CPU engine's loop over samples, in Numba, for a team of threads that share the rows of every product.

Per layer there are two products: gates from the layer's input, then residual and skip from the gates; a barrier after
each. The taps that look back by a dilation d are known d samples ahead, so they are computed for `ahead` samples at
once (as further columns of one product), which reads their weights once for all of them.

One note is bound by reading weights (NSynth: 139 MB a step in float32, 36 MB in int8; with every tap at every step it
would be 237 and 60), 16 notes and more by multiplying: from its caches a core does 98 % of what AVX-512 allows. So in
float32 many notes take other products, which need fewer multiplications: see `minimal`.

Shapes: B notes, T samples, F frames, C conditioning channels, W width, S skip width, Q levels; padded to 16.
"""

from __future__ import annotations

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
FIELDS = 29
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
    unit = np.float32(0.0)
    notes, samples = uniforms.shape
    width, skip, levels, hop, size = table[WIDTH], table[SKIP], table[LEVELS], table[HOP], table[BYTES]
    staged_size, whole = table[STAGED_BYTES], size == 4  # whole: float32, which needs no rounding, and no copies
    counter, nothing = table[COUNTER], table[NOTHING]
    stream_at, stream_stride = table[STREAM], 4 * (width + skip)
    staged = table[STAGED] + member * notes * width * staged_size
    staged_scale = table[STAGED_SCALE] + member * notes * 4
    past = history[member]
    taps, inputs = past.shape[1], extra.shape[2] + 1
    count = len(layers)
    condition_stride = 4 * condition.shape[1]
    units = width // 16
    in_quads = table[QUADS] != 0
    shares = units // 2 if in_quads else units
    u0, u1 = shares * member // team, shares * (member + 1) // team
    if in_quads:
        u0, u1 = 2 * u0, 2 * u1
    sums = (width + skip) // 16
    s0, s1 = skip // 16 * member // team, skip // 16 * (member + 1) // team
    level_blocks = (levels + 15) // 16
    q0, q1 = level_blocks * member // team, level_blocks * (member + 1) // team
    p0, p1 = units // 2 * member // team, units // 2 * (member + 1) // team
    terms = table[TERMS] + member * table[TERMS_BYTES]
    products = table[PRODUCTS] + member * table[PRODUCTS_BYTES]
    rows = table[ROWS] + member * 24 * width
    begun = ticks()
    for i in range(samples):
        now = time + i
        if now % hop == 0:
            for n in range(count + 1):
                base = 2 * width * n
                c0, c1 = (base + 32 * u0, base + 32 * u1) if n < count else (base + 16 * s0, base + 16 * s1)
                condition_rows(condition, condition_w, condition_bias, frames, now // hop, c0, c1)
        for b in range(notes):
            for k in range(taps - inputs):
                past[b, k] = past[b, k + inputs]
            past[b, taps - inputs] = previous[b]
            for k in range(1, inputs):
                past[b, taps - inputs + k] = extra[b, i, k - 1]
        past_at = table[HISTORY] + 4 * taps * notes * member
        for first, last in ((u0, u1), (units + s0, units + s1)):
            product(
                unit, table[START_W], 64 * taps, taps, first, last, past_at, 4 * taps, notes, stream_at, stream_stride,
                table[START_BIAS], nothing, nothing, nothing, 0,
            )  # fmt: skip
        meet(counter, team)
        for n in range(count):
            layer = layers[n]
            dilation, ahead, slots = layer[DILATION], layer[AHEAD], layer[SLOTS]
            row_bytes = width * staged_size
            steps, block_bytes, old_bytes = row_bytes // 4, 16 * width * size, 2 * width * width * size
            conditions = table[CONDITION] + 8 * width * n
            if layer[KEPT] != 0:
                moment = now + layer[PHASE]
                single = moment // dilation % 2
                ring, size_of_slot = layer[RING], notes * row_bytes
                slot = ring + now % slots * size_of_slot
                gates_of_pairs(
                    layer[SECOND_W] if single else layer[FIRST_W], single, layer[TAPS], table[SEVEN], notes, width,
                    ring + (now - (layer[TAPS] - 1) * dilation) % slots * size_of_slot,
                    ring + (now - dilation) % slots * size_of_slot, stream_at, stream_stride,
                    layer[KEPT] + moment % dilation * 2 * size_of_slot, conditions, condition_stride,
                    table[GATED], terms, products, rows, layer[ZEROS], p0, p1,
                )  # fmt: skip
                for b in range(notes):
                    copy(stream_at + b * stream_stride + 64 * u0, slot + b * row_bytes + 64 * u0, u1 - u0)
            else:
                x, x_stride = (stream_at, stream_stride) if whole else (staged, row_bytes)
                for b in range(0 if whole else notes):
                    put(staged_scale + 4 * b, stage(kind, stream_at + b * stream_stride, units, staged + b * row_bytes))
                gates = layer[GATES] + (now % ahead) * notes * 8 * width
                if layer[TAPS] > 1:
                    if now % ahead == 0:
                        for k in range(layer[TAPS] - 1):
                            back = (layer[TAPS] - 1 - k) * dilation
                            slot = (now - back) % slots
                            product(
                                kind, layer[OLD_W] + k * old_bytes, block_bytes, steps, 2 * u0, 2 * u1,
                                layer[RING] + slot * notes * row_bytes, row_bytes, ahead * notes,
                                layer[GATES], 8 * width, layer[ZEROS], layer[OLD_SCALE] + 8 * k * width,
                                layer[OLD_INIT] + 8 * k * width, layer[RING_SCALE] + slot * notes * 4, min(k, 1),
                            )  # fmt: skip
                    slot = now % slots
                    part0, part1 = 16 * u0 * staged_size, 16 * u1 * staged_size
                    for b in range(notes):
                        target = layer[RING] + (slot * notes + b) * row_bytes + part0
                        if whole:
                            copy(x + b * x_stride + part0, target, u1 - u0)
                        else:
                            move(x + b * x_stride + part0, target, part1 - part0)
                    if member == 0 and not whole:
                        move(staged_scale, layer[RING_SCALE] + slot * notes * 4, notes * 4)
                adds = min(layer[TAPS] - 1, 1)
                if in_quads:
                    quads(
                        kind, layer[GATE_W], block_bytes, steps, 2 * u0, 2 * u1, x, gates, layer[ZEROS], layer[GATE_SCALE],
                        layer[GATE_INIT], staged_scale, adds,
                    )  # fmt: skip
                else:
                    product(
                        kind, layer[GATE_W], block_bytes, steps, 2 * u0, 2 * u1, x, x_stride, notes, gates, 8 * width,
                        layer[ZEROS], layer[GATE_SCALE], layer[GATE_INIT], staged_scale, adds,
                    )  # fmt: skip
                for b in range(notes):
                    conditioned = conditions + b * condition_stride
                    for u in range(u0, u1):
                        gated = table[GATED] + 4 * b * width + 64 * u
                        gate(gates + 8 * b * width + 128 * u, conditioned + 128 * u, gated)
            meet(counter, team)
            if n < count - 1 and notes * units <= MOST_EXPECTED:
                expect_pairs(layers[n + 1], now + layers[n + 1, PHASE], now, notes, width, p0, p1)
            begin = units if n == count - 1 else 0  # nobody reads the last residual
            if layer[SEVEN_SUM_W] != 0:
                panels = (sums - begin) // 4
                r0, r1 = begin + 4 * (panels * member // team), begin + 4 * (panels * (member + 1) // team)
                sums_by_seven(
                    layer[SEVEN_SUM_W], layer[SUM_BIAS], notes, width, table[GATED], stream_at, stream_stride,
                    terms, products, rows, layer[ZEROS], r0 // 4, r1 // 4,
                )  # fmt: skip
            else:
                each = 4 if in_quads else 1
                shares = (sums - begin) // each
                r0, r1 = begin + each * (shares * member // team), begin + each * (shares * (member + 1) // team)
                for b in range(0 if whole else notes):
                    put(staged_scale + 4 * b, stage(kind, table[GATED] + 4 * b * width, units, staged + b * row_bytes))
                x = table[GATED] if whole else staged
                if in_quads:
                    quads(
                        kind, layer[SUM_W], block_bytes, steps, r0, r1, x, stream_at, layer[SUM_BIAS], layer[SUM_SCALE],
                        layer[SUM_INIT], staged_scale, 1,
                    )  # fmt: skip
                else:
                    product(
                        kind, layer[SUM_W], block_bytes, steps, r0, r1, x, row_bytes, notes, stream_at, stream_stride,
                        layer[SUM_BIAS], layer[SUM_SCALE], layer[SUM_INIT], staged_scale, 1,
                    )  # fmt: skip
            if n == count - 1:
                for b in range(notes):
                    for u in range(r0, r1):
                        rectify(stream_at + b * stream_stride + 64 * u, nothing)
            meet(counter, team)
        product(
            unit, table[OUT_W], 64 * skip, skip, s0, s1, stream_at + 4 * width, stream_stride, notes,
            table[HIDDEN], 4 * skip, nothing, nothing, nothing, nothing, 0,
        )  # fmt: skip
        for b in range(notes):
            for u in range(s0, s1):
                conditioned = table[CONDITION] + b * condition_stride + 8 * width * count
                rectify(table[HIDDEN] + 4 * b * skip + 64 * u, conditioned + 64 * u)
        meet(counter, team)
        product(
            unit, table[LOGITS_W], 64 * skip, skip, q0, q1, table[HIDDEN], 4 * skip, notes,
            table[LOGITS], 64 * level_blocks, table[LOGITS_BIAS], nothing, nothing, nothing, 0,
        )  # fmt: skip
        meet(counter, team)
        for b in range(member, notes, team):
            row = 64 * level_blocks * b
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
