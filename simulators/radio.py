"""Which tags a dock door reads, when, at which antenna and how strongly: a link budget with fading, in numpy.

Antennas hang in rows and look across the door; two rows of two, 2.4 m apart, are the reference: 1 and 2 inside, 3, 4
outside. Sources of the figures: free-space path loss (Friis 1946); 1 W conducted into 6 dBi, 50 channels of
902.75-927.25 MHz, dwell below 0.4 s (47 CFR 15.247); panel antennas of about 70 degrees beam width; tag chips of -17
dBm and dipoles of 2 dBi (data sheets of the Monza 4 / Higgs 3 generation); 3 dB from circular to linear polarisation;
backscatter loss and the product form of the two-way link after Griffin and Durgin, IEEE Antennas Propag. Mag. 51 (2009)
11; Rician fading with K about 3 in warehouses, log-normal shadowing of about 3 dB; reader sensitivity -84 dBm (data
sheets of fixed readers). The field is a function of position (a sum of plane waves), so that a tag at rest sees a
standing wave and not noise. Phase is that of the way there and back, known up to half a turn, as Impinj's application
note on low level user data says of its readers; its noise of 0.1 rad, and of 3 Hz for the Doppler shift of a read of
some milliseconds, are ours.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from simulators.paths import Motion

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Waves = NDArray[np.complex128]
LIGHT_MPS = 299_792_458.0
CHANNELS = 50
DWELL_US = 200_000
HALF_WIDTH_M, HEIGHT_M = 1.5, 1.3
SLOPE_S = 1e-3
"""Speed is the way of so many seconds."""


def hung(*rows_m: float) -> tuple[tuple[float, float, float], ...]:
    """Two ports for each row that is so many metres inside the threshold: one on each side, looking level across."""
    return tuple((x, y, HEIGHT_M) for y in rows_m for x in (-HALF_WIDTH_M, HALF_WIDTH_M))


LAYOUTS = {"reference": hung(1.2, -1.2), "close": hung(0.4, -0.4), "one-row": hung(0.0)}
"""Where ports 1, 2, ... hang, metres; each looks at x = 0. The row inside comes first."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Parameters of the link; decibels unless the name says otherwise."""

    ports: tuple[tuple[float, float, float], ...] = LAYOUTS["reference"]

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
    phase_noise_rad: float = 0.1
    doppler_noise_hz: float = 3.0


@dataclass(frozen=True, slots=True)
class Reads:
    """Columns of what was read, in order of time. `tag` is the index of the tag on the pallet."""

    at_us: Ints
    tag: Ints
    antenna: Ints
    rssi_dbm: Floats
    channel: Ints
    phase_rad: Floats
    """0 to 2 pi, of which half a turn is by chance."""
    doppler_hz: Floats
    """Positive on the way towards the antenna."""


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


@dataclass(frozen=True, slots=True)
class _Scattered:
    """Plane waves that belong to the pass and the antenna."""

    direction: Floats
    phase: Floats


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
    return reads_at(SETTING, key, begin_us, motion, (tags, others))


def reads_at(setting: Setting, key: str, begin_us: int, motion: Motion, sharing: tuple[int, int]) -> Reads:
    """As `reads`, at a door of another setting; `sharing` is (tags, others)."""
    chance = np.random.default_rng(int.from_bytes(sha256(key.encode()).digest()[:8], "big"))
    traits = _traits(chance, sharing[0], setting)
    slots = _slots(chance, begin_us, motion, sharing, setting)
    place = _positions(slots, begin_us, motion, layout(sharing[0]))
    waves = _scattered(chance, setting)
    field = _field(waves, slots, place, setting)
    one_way = _link(slots, place, traits, field, setting)
    powered = setting.power_dbm + one_way
    echo = powered - setting.backscatter_loss + one_way
    floor = setting.reader_sensitivity_dbm + chance.normal(0, setting.reader_sensitivity_sigma, echo.size)
    heard = (powered > traits.sensitivity_dbm[slots.tag]) & (echo > floor)
    rssi = np.round(2 * (echo[heard] + chance.normal(0, setting.rssi_noise, int(heard.sum())))) / 2
    columns = (slots.at_us[heard], slots.tag[heard], slots.antenna[heard] + 1, rssi, slots.channel[heard])
    phase = _phase(chance, slots, place, field, setting)[heard]
    later = _positions(_after(slots, SLOPE_S), begin_us, motion, layout(sharing[0]))
    turned = np.angle(_field(waves, slots, later, setting) * field.conj())
    return Reads(*columns, phase, _doppler(chance, slots, (place, later, turned), setting)[heard])


def _traits(chance: np.random.Generator, tags: int, setting: Setting) -> _Tags:
    gain = setting.tag_gain + chance.normal(0, setting.tag_gain_sigma, tags)
    content = chance.exponential(setting.content_loss_mean, tags)
    content[0] /= 3
    sensitivity = chance.normal(setting.tag_sensitivity_dbm, setting.tag_sensitivity_sigma, tags)
    shadow = chance.normal(0, setting.shadow_sigma, (tags, len(setting.ports)))
    return _Tags(gain - content, sensitivity, shadow)


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
    return _Slots(at_us, tag[mine], dwell % len(setting.ports), 1 + (dwell * 7919 + 13) % CHANNELS)


def _positions(slots: _Slots, begin_us: int, motion: Motion, places: Floats) -> Floats:
    elapsed = (slots.at_us - begin_us) / 1e6
    way = np.array(motion.points)
    centre = np.stack([np.interp(elapsed, motion.times, way[:, axis]) for axis in (0, 1)], axis=1)
    place = places[slots.tag].copy()
    place[:, :2] += centre
    return place


def _link(slots: _Slots, place: Floats, traits: _Tags, field: Waves, setting: Setting) -> Floats:
    port = np.array(setting.ports)[slots.antenna]
    gap = place - port
    metres = np.maximum(np.linalg.norm(gap, axis=1), 0.3)
    path_loss = 20 * np.log10(4 * np.pi * metres * _hertz(slots) / LIGHT_MPS)
    off_axis = np.degrees(np.arccos(np.clip(-np.sign(port[:, 0]) * gap[:, 0] / metres, -1, 1)))
    pattern = setting.antenna_gain - np.minimum(12 * (off_axis / setting.beam_width_deg) ** 2, setting.back_loss)
    budget = pattern - path_loss + traits.gain[slots.tag] + traits.shadow[slots.tag, slots.antenna]
    fading = 20 * np.log10(np.maximum(np.abs(field), 1e-3))
    return np.asarray(budget - setting.polarisation_loss + fading, dtype=np.float64)


def _scattered(chance: np.random.Generator, setting: Setting) -> _Scattered:
    direction = chance.normal(size=(len(setting.ports), setting.scatterers, 3))
    direction /= np.linalg.norm(direction, axis=2, keepdims=True)
    phase: Floats = chance.uniform(0, 2 * np.pi, (len(setting.ports), setting.scatterers))
    return _Scattered(direction, phase)


def _field(waves: _Scattered, slots: _Slots, place: Floats, setting: Setting) -> Waves:
    """Direct wave plus scattered plane waves."""
    turns = np.einsum("ij,isj->is", place, waves.direction[slots.antenna]) * _wave_number(slots)[:, None]
    scattered = np.exp(1j * (turns + waves.phase[slots.antenna])).sum(axis=1) / np.sqrt(setting.scatterers)
    field = np.sqrt(setting.rician_k / (setting.rician_k + 1)) + scattered / np.sqrt(setting.rician_k + 1)
    return np.asarray(field, dtype=np.complex128)


def _phase(chance: np.random.Generator, slots: _Slots, place: Floats, field: Waves, setting: Setting) -> Floats:
    """Twice the way and twice what the field adds, plus cable and noise, plus half a turn or none."""
    metres = np.linalg.norm(place - np.array(setting.ports)[slots.antenna], axis=1)
    cable = chance.uniform(0, 2 * np.pi, len(setting.ports))[slots.antenna]
    noise: Floats = chance.normal(0, setting.phase_noise_rad, slots.at_us.size)
    turn: Floats = 2 * _wave_number(slots) * metres + cable + 2 * np.angle(field) + noise
    return np.asarray((turn + np.pi * chance.integers(0, 2, slots.at_us.size)) % (2 * np.pi), dtype=np.float64)


def _doppler(
    chance: np.random.Generator, slots: _Slots, moved: tuple[Floats, Floats, Floats], setting: Setting
) -> Floats:
    """Of the phase: what moves is heard over every way, so echoes blur it."""
    place, later, turned = moved
    port = np.array(setting.ports)[slots.antenna]
    before, after = (np.linalg.norm(at - port, axis=1) for at in (place, later))
    turn = 2 * (_wave_number(slots) * (after - before) + turned)
    noise: Floats = chance.normal(0, setting.doppler_noise_hz, slots.at_us.size)
    return np.asarray(noise - turn / (2 * np.pi * SLOPE_S), dtype=np.float64)


def _hertz(slots: _Slots) -> Floats:
    return (902.75e6 + 0.5e6 * (slots.channel - 1)).astype(np.float64)


def _wave_number(slots: _Slots) -> Floats:
    return np.asarray(2 * np.pi * _hertz(slots) / LIGHT_MPS, dtype=np.float64)


def _after(slots: _Slots, seconds: float) -> _Slots:
    return replace(slots, at_us=slots.at_us + round(seconds * 1e6))
