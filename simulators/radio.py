"""Which tags a dock door reads, when, at which antenna and how strongly: a link budget with fading, in numpy.

Two rows of two antennas look across the door, 2.4 m apart: ports 1 and 2 inside, 3 and 4 outside. Sources of the
figures: free-space path loss (Friis 1946); 1 W conducted into 6 dBi, 50 channels of 902.75-927.25 MHz, dwell below
0.4 s (47 CFR 15.247); panel antennas of about 70 degrees beam width; tag chips of -17 dBm and dipoles of 2 dBi
(data sheets of the Monza 4 / Higgs 3 generation); 3 dB from circular to linear polarisation; backscatter loss and the
product form of the two-way link after Griffin and Durgin, IEEE Antennas Propag. Mag. 51 (2009) 11; Rician fading with
K about 3 in warehouses, log-normal shadowing of about 3 dB; reader sensitivity -84 dBm (data sheets of fixed readers).
The field is a function of position (a sum of plane waves), so that a tag at rest sees a standing wave and not noise.
"""

from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from simulators.paths import Motion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LIGHT_MPS = 299_792_458.0
PORTS = np.array([[-1.5, 1.2, 1.3], [1.5, 1.2, 1.3], [-1.5, -1.2, 1.3], [1.5, -1.2, 1.3]])
"""Where ports 1-4 hang, metres; each looks level across the door, at x = 0."""
CHANNELS = 50
DWELL_US = 200_000


@dataclass(frozen=True, slots=True)
class Setting:
    """Parameters of the link; decibels unless the name says otherwise."""

    power_dbm: float = 30.0
    antenna_gain: float = 6.0
    beam_width_deg: float = 70.0
    back_loss: float = 18.0
    tag_gain: float = 2.0
    tag_gain_sigma: float = 1.0
    polarisation_loss: float = 3.0
    content_loss_mean: float = 3.0
    shadow_sigma: float = 3.0
    rician_k: float = 3.0
    scatterers: int = 6
    tag_sensitivity_dbm: float = -17.0
    tag_sensitivity_sigma: float = 1.0
    backscatter_loss: float = 5.0
    reader_sensitivity_dbm: float = -84.0
    reader_sensitivity_sigma: float = 1.5
    rssi_noise: float = 0.8
    rate_hz: float = 120.0
    """Singulations a second, shared by every tag in the field."""


@dataclass(frozen=True, slots=True)
class Reads:
    """Columns of what was read, in order of time. `tag` is the index of the tag on the pallet."""

    at_us: Ints
    tag: Ints
    antenna: Ints
    rssi_dbm: Floats
    channel: Ints


@dataclass(frozen=True, slots=True)
class _Tags:
    """What chance gave to each tag of a pallet, once per pass."""

    gain: Floats
    sensitivity_dbm: Floats
    shadow: Floats


@dataclass(frozen=True, slots=True)
class _Slots:
    """Moments at which one tag answers or not."""

    at_us: Ints
    tag: Ints
    antenna: Ints
    channel: Ints


SETTING = Setting()


def layout(tags: int) -> Floats:
    """Where tags sit on a pallet, metres from its centre: the pallet's own tag first, cartons four to a layer."""
    places = [(0.38, 0.0, 0.15)]
    for carton in range(tags - 1):
        corner = carton % 4
        places.append((0.2 if corner % 2 else -0.2, 0.3 if corner > 1 else -0.3, 0.35 + 0.4 * (carton // 4)))
    return np.array(places)


def reads(key: str, begin_us: int, motion: Motion, tags: int, others: int) -> Reads:
    """Every read of a pallet with `tags` tags on its way, while `others` further tags share the reader.

    `key` names the pass: the same key gives the same reads.
    """
    chance = np.random.default_rng(int.from_bytes(sha256(key.encode()).digest()[:8], "big"))
    setting = SETTING
    traits = _traits(chance, tags, setting)
    slots = _slots(chance, begin_us, motion, (tags, others), setting)
    place = _positions(slots, begin_us, motion, layout(tags))
    one_way = _link(chance, slots, place, traits, setting)
    powered = setting.power_dbm + one_way
    echo = powered - setting.backscatter_loss + one_way
    floor = setting.reader_sensitivity_dbm + chance.normal(0, setting.reader_sensitivity_sigma, echo.size)
    heard = (powered > traits.sensitivity_dbm[slots.tag]) & (echo > floor)
    rssi = np.round(2 * (echo[heard] + chance.normal(0, setting.rssi_noise, int(heard.sum())))) / 2
    return Reads(slots.at_us[heard], slots.tag[heard], slots.antenna[heard] + 1, rssi, slots.channel[heard])


def _traits(chance: np.random.Generator, tags: int, setting: Setting) -> _Tags:
    gain = setting.tag_gain + chance.normal(0, setting.tag_gain_sigma, tags)
    content = chance.exponential(setting.content_loss_mean, tags)
    content[0] /= 3
    sensitivity = chance.normal(setting.tag_sensitivity_dbm, setting.tag_sensitivity_sigma, tags)
    return _Tags(gain - content, sensitivity, chance.normal(0, setting.shadow_sigma, (tags, len(PORTS))))


def _slots(
    chance: np.random.Generator, begin_us: int, motion: Motion, sharing: tuple[int, int], setting: Setting
) -> _Slots:
    tags, others = sharing
    total = int(motion.seconds * setting.rate_hz)
    offset = (np.arange(total) + chance.random(total)) / setting.rate_hz
    tag = chance.integers(0, tags + others, total)
    mine = tag < tags
    at_us = begin_us + (offset[mine] * 1e6).astype(np.int64)
    dwell = at_us // DWELL_US
    return _Slots(at_us, tag[mine], dwell % len(PORTS), 1 + (dwell * 7919 + 13) % CHANNELS)


def _positions(slots: _Slots, begin_us: int, motion: Motion, places: Floats) -> Floats:
    elapsed = (slots.at_us - begin_us) / 1e6
    way = np.array(motion.points)
    centre = np.stack([np.interp(elapsed, motion.times, way[:, axis]) for axis in (0, 1)], axis=1)
    place = places[slots.tag].copy()
    place[:, :2] += centre
    return place


def _link(chance: np.random.Generator, slots: _Slots, place: Floats, traits: _Tags, setting: Setting) -> Floats:
    port = PORTS[slots.antenna]
    gap = place - port
    metres = np.maximum(np.linalg.norm(gap, axis=1), 0.3)
    hertz = (902.75e6 + 0.5e6 * (slots.channel - 1)).astype(np.float64)
    path_loss = 20 * np.log10(4 * np.pi * metres * hertz / LIGHT_MPS)
    off_axis = np.degrees(np.arccos(np.clip(-np.sign(port[:, 0]) * gap[:, 0] / metres, -1, 1)))
    pattern = setting.antenna_gain - np.minimum(12 * (off_axis / setting.beam_width_deg) ** 2, setting.back_loss)
    budget = pattern - path_loss + traits.gain[slots.tag] + traits.shadow[slots.tag, slots.antenna]
    total = budget - setting.polarisation_loss + _fading(chance, slots, place, hertz, setting)
    return np.asarray(total, dtype=np.float64)


def _fading(chance: np.random.Generator, slots: _Slots, place: Floats, hertz: Floats, setting: Setting) -> Floats:
    """Direct wave plus scattered plane waves, whose directions belong to the pass and the antenna."""
    count = setting.scatterers
    direction = chance.normal(size=(len(PORTS), count, 3))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    phase = chance.uniform(0, 2 * np.pi, (len(PORTS), count))
    turns = np.einsum("ij,isj->is", place, direction[slots.antenna]) * (2 * np.pi * hertz / LIGHT_MPS)[:, None]
    scattered = np.exp(1j * (turns + phase[slots.antenna])).sum(axis=1) / np.sqrt(count)
    field = np.sqrt(setting.rician_k / (setting.rician_k + 1)) + scattered / np.sqrt(setting.rician_k + 1)
    return np.asarray(20 * np.log10(np.maximum(np.abs(field), 1e-3)), dtype=np.float64)
