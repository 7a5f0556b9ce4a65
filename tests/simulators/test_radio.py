"""The read model is deterministic, leaves tags unread, and is not trivially separable."""

from hashlib import sha256

import numpy as np
import pytest

from simulators import radio
from simulators.paths import Motion, past, still, through, turn
from simulators.world import Chance

MIX = {"in": 28, "out": 28, "static": 20, "turn": 12, "past": 12}
TAGS = 9


def motion_of(kind: str, chance: Chance) -> Motion:
    inside = chance.happens(0.5)
    if kind == "in":
        return through(chance, inward=True)
    if kind == "out":
        return through(chance, inward=False)
    if kind == "static":
        return still(chance, inside=inside, seconds=8)
    return turn(chance, inside=inside) if kind == "turn" else past(chance, inside=inside)


def centroid(at_s: np.ndarray, antenna: np.ndarray, rssi_dbm: np.ndarray) -> str:
    """The rule of the field: which row's RSSI-weighted centre of time is later, and by more than 0.6 s."""
    inside = antenna <= 2
    if inside.all() or not inside.any():
        return "none"
    weight = 10 ** (rssi_dbm / 20)
    lead = np.average(at_s[inside], weights=weight[inside]) - np.average(at_s[~inside], weights=weight[~inside])
    return "in" if lead > 0.6 else "out" if lead < -0.6 else "none"


def measure(pallets: int, seed: int = 1) -> dict[str, tuple[int, int, int]]:
    """Per kind: tags, unread, rightly judged by the centroid rule."""
    chance = Chance(seed)
    found = dict.fromkeys(MIX, (0, 0, 0))
    for number in range(pallets):
        kind = chance.choices(list(MIX), list(MIX.values()))[0]
        read = radio.reads(f"{seed}/{number}", 0, motion_of(kind, chance), TAGS, chance.randint(5, 20))
        total, unread, right = found[kind]
        truth = kind if kind in {"in", "out"} else "none"
        for tag in range(TAGS):
            mine = read.tag == tag
            total, unread = total + 1, unread + (not mine.any())
            if mine.any():
                right += centroid(read.at_us[mine] / 1e6, read.antenna[mine], read.rssi_dbm[mine]) == truth
        found[kind] = total, unread, right
    return found


def test_the_centroid_rule_gets_about_four_in_five_right(capsys: pytest.CaptureFixture[str]) -> None:
    found = measure(300)
    total, unread, right = (sum(figures[place] for figures in found.values()) for place in range(3))
    accuracy = right / (total - unread)
    with capsys.disabled():
        shares = {kind: f"{r / (t - u):.2f}" for kind, (t, u, r) in found.items()}
        print(f"\ncentroid rule {accuracy:.3f} of {total} tag passes, unread {unread / total:.3f}; {shares}")
    assert 0.74 <= accuracy <= 0.87
    assert 0.01 <= unread / total <= 0.08


def test_the_same_key_gives_the_same_reads_for_ever() -> None:
    """A recorded seed replays: the first columns are as they were before there were phase and Doppler."""
    columns: list[list[list[float]]] = []
    for number in range(30):
        chance = Chance(number)
        ways = [
            through(chance, inward=True),
            turn(chance, inside=True),
            past(chance, inside=False),
            still(chance, inside=True, seconds=8),
        ]
        found = radio.reads(f"x/{number}", 1790000000000000 + number, ways[number % 4], 1 + number % 9, number)
        columns.append([c.tolist() for c in (found.at_us, found.tag, found.antenna, found.rssi_dbm, found.channel)])
    assert sha256(repr(columns).encode()).hexdigest()[:16] == "b3a20121006bedf4"


def line(y_from: float, y_to: float, seconds: float) -> Motion:
    return Motion((0.0, seconds), ((0.0, y_from), (0.0, y_to)))


def test_phase_is_known_up_to_half_a_turn() -> None:
    found = radio.reads("phase", 0, line(0.5, 0.5, 60.0), 1, 0)
    assert found.phase_rad.size > 1000
    assert 0 <= found.phase_rad.min() <= found.phase_rad.max() < 2 * np.pi
    for antenna in range(1, 5):
        for channel in set(found.channel[found.antenna == antenna].tolist()):
            phases = found.phase_rad[(found.antenna == antenna) & (found.channel == channel)]
            doubled = np.exp(2j * phases)
            assert abs(doubled.mean()) > 0.95
    half = found.phase_rad[(found.antenna == 1) & (found.channel == found.channel[found.antenna == 1][0])]
    assert abs(np.exp(1j * half).mean()) < 0.9


def test_phase_turns_with_the_way_there_and_back() -> None:
    setting = radio.Setting(rician_k=1e9, phase_noise_rad=0.0, shadow_sigma=0.0)
    found = radio.reads_at(setting, "turns", 0, line(1.2, 1.19, 30.0), (1, 0))
    mine = (found.antenna == 1) & (found.channel == found.channel[found.antenna == 1][0])
    port = np.array(setting.ports[0])
    at_s = found.at_us[mine] / 1e6
    place = np.stack([np.full(at_s.size, 0.38), 1.2 - 0.01 * at_s / 30, np.full(at_s.size, 0.15)], axis=1)
    hertz = 902.75e6 + 0.5e6 * (found.channel[mine][0] - 1)
    expected = 4 * np.pi * np.linalg.norm(place - port, axis=1) * hertz / radio.LIGHT_MPS
    off = np.exp(2j * (found.phase_rad[mine] - expected))
    assert abs(off.mean()) > 0.9999


def test_doppler_is_positive_on_the_way_towards_an_antenna() -> None:
    found = radio.reads("doppler", 0, line(-4.0, 4.0, 6.0), 1, 0)
    inside = found.antenna <= 2
    nearing = inside & (found.at_us < 3_000_000)
    leaving = ~inside & (found.at_us > 3_500_000)
    assert found.doppler_hz[nearing].mean() > 2
    assert found.doppler_hz[leaving].mean() < -2
    assert abs(radio.reads("still", 0, line(0.5, 0.5, 20.0), 1, 0).doppler_hz.mean()) < 0.5


def test_echoes_blur_the_doppler_of_what_moves_and_not_of_what_rests() -> None:
    def blur(setting: radio.Setting, way: Motion) -> float:
        found = radio.reads_at(setting, "blur", 0, way, (1, 0))
        port = np.array(setting.ports)[found.antenna - 1]
        y = np.interp(found.at_us / 1e6, way.times, [point[1] for point in way.points])
        gap = np.stack([0.38 - port[:, 0], y - port[:, 1], np.full(y.size, 0.15) - port[:, 2]], axis=1)
        slope_mps = (way.points[1][1] - way.points[0][1]) / way.seconds * gap[:, 1] / np.linalg.norm(gap, axis=1)
        hertz = 902.75e6 + 0.5e6 * (found.channel - 1)
        return float(np.std(found.doppler_hz + 2 * slope_mps * hertz / radio.LIGHT_MPS))

    quiet, clear = radio.Setting(doppler_noise_hz=0.0), radio.Setting(doppler_noise_hz=0.0, rician_k=1e9)
    moving, resting = line(-4.0, 4.0, 6.0), line(0.5, 0.5, 20.0)
    assert blur(clear, moving) < 0.1
    assert 1 < blur(quiet, moving) < 5
    assert blur(quiet, resting) < 1e-6


@pytest.mark.parametrize(("layout", "ports"), [("reference", 4), ("close", 4), ("one-row", 2)])
def test_layouts(layout: str, ports: int) -> None:
    setting = radio.Setting(ports=radio.LAYOUTS[layout], shadow_sigma=0.0)
    found = radio.reads_at(setting, "layout", 0, line(-4.0, 4.0, 60.0), (1, 0))
    assert set(found.antenna.tolist()) == set(range(1, ports + 1))
    if ports == 4:
        apart = found.at_us[found.antenna <= 2].mean() - found.at_us[found.antenna > 2].mean()
        assert (apart > 12_000_000) == (layout == "reference")
