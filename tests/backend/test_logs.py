"""Logs: one line for each thing, JSON that parses, nothing forged by what is quoted, and no secret in it."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from backend import cli, logs
from backend.config import load, secrets_of
from edge import logs as edge_logs
from models import logline

HOSTILE = 'door\r\n2026-01-01T00:00:00.000Z INFO root: "all is well" \x1b[2J\x00\u2028\ud800 }'
SECRET = "hunter2-and-more"  # noqa: S105 - of nobody


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of the test's own, and where it writes; the handler is set by the test."""
    log = logging.getLogger("a test of logs")
    log.propagate = False
    log.setLevel(logging.DEBUG)
    yield log, io.StringIO()
    log.handlers.clear()


def write(log: logging.Logger, to: io.StringIO, formatter: logging.Formatter) -> None:
    handler = logging.StreamHandler(to)
    handler.setFormatter(formatter)
    log.handlers = [handler]
    log.warning("lost: %s", HOSTILE, extra={"gateway": "dock-a", "epoch": HOSTILE, "seq": 7})
    log.error("refused by %s", f"postgresql://stock:{SECRET}@db:5432/book and {SECRET}")
    try:
        int(HOSTILE + SECRET)
    except ValueError:
        log.exception("a bug")


FORMATTERS = {
    "backend": (logs.OneLine("text", [SECRET]), logs.OneLine("json", [SECRET])),
    "edge": (edge_logs.OneLine("text", "dock-b", [SECRET]), edge_logs.OneLine("json", "dock-b", [SECRET])),
}


@pytest.mark.parametrize("side", FORMATTERS)
def test_json_is_one_object_for_each_thing(log: tuple[logging.Logger, io.StringIO], side: str) -> None:
    write(*log, FORMATTERS[side][1])
    text = log[1].getvalue()
    assert text.count("\n") == 3
    assert text.isascii() or text.isprintable() or not any(ord(c) < 32 for c in text.replace("\n", ""))
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert {"time", "level", "logger", "worker", "message", "gateway", "epoch", "seq"} == {*first}
    assert (first["level"], first["gateway"], first["seq"]) == ("WARNING", "dock-a", 7)
    assert first["message"].startswith("lost: door\r\n2026"), "what was said is told, within its string"
    assert first["epoch"].encode("utf-8", "replace")
    assert second["message"] == "refused by postgresql://stock:***@db:5432/book and ***"
    assert third["exception"].startswith("Traceback")
    assert SECRET not in text


@pytest.mark.parametrize("side", FORMATTERS)
def test_text_cannot_be_forged(log: tuple[logging.Logger, io.StringIO], side: str) -> None:
    write(*log, FORMATTERS[side][0])
    text = log[1].getvalue()
    begins = [line for line in text.splitlines() if not line.startswith("    | ")]
    assert len(begins) == 3
    assert begins[0].endswith(r"gateway=dock-a epoch=" + logline.printable(HOSTILE) + " seq=7")
    assert all(character == "\n" or character.isprintable() for character in text)
    assert SECRET not in text
    assert "Traceback (most recent call last):" in text


def test_a_line_has_an_end() -> None:
    line = logline.as_text("head", "x" * 100_000, {})
    assert len(line) < 9000
    assert line.endswith("(91808 more characters)")


@pytest.mark.parametrize("form", ["text", "json"])
def test_of_a_long_traceback_the_end_is_kept(form: logs.LogFormat) -> None:
    def fail() -> None:
        long = RuntimeError("x" * 20_000)
        long.__cause__ = ValueError("first")
        raise KeyError("the reason") from long

    with pytest.raises(KeyError) as caught:
        fail()
    told = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), told)
    text = logs.OneLine(form).format(record)
    assert len(text) < 10_000
    assert "ValueError: first" in text
    assert "KeyError: 'the reason'" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("postgresql://u:se/cr@t@db/book: away", "postgresql://u:***@db/book: away"),
        ("POSTGRESQL://u:secret@db", "POSTGRESQL://u:***@db"),
        ("postgresql://db/book?user=u&password=secret&x=1", "postgresql://db/book?user=u&password=***&x=1"),
        ("mqtt://127.0.0.1:1883: refused, ask me@here", "mqtt://127.0.0.1:1883: refused, ask me@here"),
    ],
)
def test_passwords_of_urls_are_left_out(text: str, said: str) -> None:
    assert logline.without_secrets(text) == said


@pytest.mark.parametrize("text", ['[book]\nurl = "postgres://u:secret@db"\n', '[mqtt]\nurl = "mqt://u:secret@h"\n'])
def test_no_command_prints_a_password(tmp_path: Path, text: str) -> None:
    config = tmp_path / "backend.toml"
    config.write_text(text)
    for command in (["verify"], ["doctor"], ["backup"]):
        done = CliRunner().invoke(cli.app, [*command, "-c", str(config)])
        assert done.exit_code == 3
        assert "secret" not in done.output


@pytest.mark.parametrize("password", ["simple", 'with $ and \\ and "quotes"'])
def test_secrets_are_what_the_files_of_the_configuration_hold(tmp_path: Path, password: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(f"{password}\n", encoding="utf-8")
    config = tmp_path / "backend.toml"
    config.write_text(f'[mqtt]\nusername = "b"\npassword_file = "{secret}"\n')
    assert secrets_of(load(config)) == [password]
    formatter = logs.OneLine("json", [password])
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s", (f"<{password}>",), None)
    assert json.loads(formatter.format(record))["message"] == "<***>"


def lines_of(command: list[str], folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_real_edge_logs_json(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(
        f'[gateway]\nname = "dock-a"\nstate_dir = "{tmp_path}"\n[mqtt]\nurl = "mqtt://127.0.0.1:1"\n'
    )
    code = """
import os, signal, sys, threading
from edge import cli
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
sys.argv = ["stockyard-edge", "run", "-c", "edge.toml", "--log-format", "json"]
cli.main()
"""
    lines = lines_of(["-c", code], tmp_path)
    assert {line["gateway"] for line in lines} == {"dock-a"}
    assert any("Connection refused" in line["message"] for line in lines)
    assert lines[-1]["message"] == "gateway dock-a: stopped"
