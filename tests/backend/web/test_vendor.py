import tomllib
from hashlib import sha256

from backend.web import STATIC

VENDOR = STATIC / "vendor"


def test_the_files_of_others_are_the_locked_ones() -> None:
    locked = tomllib.loads((VENDOR / "vendor.lock.toml").read_text())["file"]
    assert {one["file"] for one in locked} == {p.name for p in VENDOR.iterdir()} - {"vendor.lock.toml"}
    for one in locked:
        assert set(one) == {"file", "name", "version", "source", "licence", "sha256"}
        assert sha256((VENDOR / one["file"]).read_bytes()).hexdigest() == one["sha256"], one["file"]


def test_nothing_of_ours_names_another_host_or_needs_an_unsafe_policy() -> None:
    for file in [*STATIC.glob("*.*"), *STATIC.parent.glob("templates/**/*.html")]:
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert "://" not in text, file
        for forbidden in ("onclick=", " style=", "<style", "javascript:", "eval(", "hx-on", "innerHTML ="):
            assert forbidden not in text, (file, forbidden)
