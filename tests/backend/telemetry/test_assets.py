"""What an asset said last, as the register says whose trackers were when, on each kind of store."""

from collections.abc import Callable

import pytest

from backend.telemetry import assets
from backend.telemetry.fleet_scope import FOR_EVER, mountings
from backend.telemetry.rows import Span
from models.declared import Device, Tracker
from models.reading import Fix, Reading, Signal, from_micros
from models.register import Entry, Register
from tests.backend.telemetry.followed_site import T0, S, Site

Make = Callable[[], Site]
A = "A" * 12
ONE, TWO = "imei:356307042441013", "imei:356307042441021"
FUEL = ("fuel_level", "%")
SPEED = ("speed_mps", "m/s")


def bound(*dated: tuple[str, int, str | None]) -> Register:
    """A register of (device, valid from, asset that it is on or None)."""
    return Register.of(
        Entry("devices", ident, at, n, Device(ident, tracker=Tracker(asset) if asset else None))
        for n, (ident, at, asset) in enumerate(dated)
    )


def told(device: str, s: int, fuel: float) -> list[Reading]:
    at = from_micros(T0 + s * S)
    return [Signal(device, at, FUEL[0], fuel, FUEL[1]), Fix(device, at, 50.0 + s / 100, 4.0, speed_mps=fuel)]


@pytest.mark.parametrize("until", [FOR_EVER, T0 + 50 * S])
def test_a_tracker_that_is_bound_otherwise_speaks_for_another_at_once(make: Make, until: int) -> None:
    site = make()
    site.journal(A, [*told(ONE, 10, 90.0), *told(ONE, 30, 70.0), *told(TWO, 20, 20.0), *told(ONE, 40, 60.0)])
    site.projector.step()

    def said(*dated: tuple[str, int, str | None]) -> dict[str, tuple[float, float]]:
        mounted = mountings(bound(*dated), ["X", "Y"], (0, until))
        seen = assets.seen(site.store, mounted)
        found = assets.last(site.store, mounted, [FUEL[0], SPEED[0]])
        for asset, each in found.items():
            assert (each[SPEED].value, each[SPEED].at, seen[asset].at) == (
                each[FUEL].value,
                each[FUEL].at,
                each[FUEL].at,
            )
        assert seen.keys() == found.keys()
        return {asset: (each[FUEL].value, seen[asset].lat) for asset, each in found.items()}

    assert said((ONE, 0, "X")) == {"X": (60.0, 50.4)}
    assert said((ONE, 0, "X"), (TWO, 0, "Y")) == {"X": (60.0, 50.4), "Y": (20.0, 50.2)}
    assert said((ONE, 0, "X"), (ONE, T0 + 35 * S, "Y")) == {"X": (70.0, 50.3), "Y": (60.0, 50.4)}
    assert said((ONE, 0, "X"), (ONE, T0 + 15 * S, None), (TWO, T0 + 15 * S, "X")) == {"X": (20.0, 50.2)}
    assert said((ONE, T0 + 45 * S, "X")) == {}
    assert said((ONE, 0, "X"), (ONE, T0 + 10 * S, "Y")) == {"Y": (60.0, 50.4)}


def test_half_a_position_is_none_and_a_unit_is_a_series(make: Make) -> None:
    site = make()
    half = [Fix(ONE, from_micros(T0 + 60 * S), lat=51.0), Fix(ONE, from_micros(T0 + 70 * S), speed_mps=3.0)]
    litres = Signal(ONE, from_micros(T0 + 50 * S), FUEL[0], 33.0, "L")
    bare = Fix(TWO, from_micros(T0), 50.0, 4.0)
    site.journal(A, [*told(ONE, 10, 90.0), *half, litres, bare])
    site.projector.step()
    mounted = mountings(bound((ONE, 0, "X"), (TWO, 0, "Y")), ["X", "Y"], (0, FOR_EVER))
    assert {asset: tuple(spot) for asset, spot in assets.seen(site.store, mounted).items()} == {
        "X": (T0 + 10 * S, 50.1, 4.0, 90.0),
        "Y": (T0, 50.0, 4.0, None),
    }
    found = assets.last(site.store, mounted, [FUEL[0], "lat", SPEED[0]])["X"]
    assert {of: each.value for of, each in found.items()} == {
        FUEL: 90.0,
        (FUEL[0], "L"): 33.0,
        ("lat", "deg"): 51.0,
        SPEED: 3.0,
    }
    nothing = [Span(ONE, T0 + 11 * S, FOR_EVER), Span("imei:356307042441039", 0, FOR_EVER)]
    assert site.store.seen(nothing) == []
