"""The house style and the promises of the documents, as far as a program can check them.

Every finding is printed as `file:line: what`. An exception is a line in one of the tables below, with its reason.
"""

import ast
import re
import subprocess
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
PACKAGES = ("models", "edge", "backend", "simulators")
MOST_LINES, MOST_FUNCTION_LINES, MOST_DOCSTRING_LINES = 300, 50, 8

LONG_FILES = {
    "backend/book/schema.py": "every table in one place",
    "backend/book/migrations/versions/r0001_first.py": "a revision spells its tables out and is never edited",
}
LONG_DOCSTRINGS = {
    "models/delivery.py": "how the machine is driven, as an example",
    "simulators/radio.py": "the sources of its figures",
    "simulators/scenario.py": "a whole scenario file",
}
BLIND_EXCEPTS = {
    "backend/apply.py": "a key that cannot be folded waits for the deriver; the reading that met it is innocent",
    "backend/ingest.py": "one bad reading must not stop the others: it is found, and quarantined",
    "backend/plan/left.py": "a rule that fails on one subject must not hold up the others: left, and tried again",
    "backend/planner.py": "whether anything may be due is asked of a rule that may fail: it is judged for good then",
    "backend/unvalued.py": "an item or asset that cannot be valued must not hold up the others: left, and tried again",
    "backend/asset_valuer.py": "which asset of a page cannot be valued is found by valuing each by itself",
    "backend/threads.py": "the top of every worker's thread",
    "edge/drivers/llrp_control.py": "the codec raises nearly anything on malformed bytes",
    "edge/outbox.py": "the top of the commit thread: whoever put the readings is told",
    "edge/publisher.py": "the top of the publisher's thread, and a driver's reply must not end it",
    "edge/supervisor.py": "the top of a device's thread: a bug must not end the device for good",
}
BAD_NAMES = {"utils", "util", "helpers", "helper", "base", "manager", "service", "common", "misc"}
CLOCKS_AND_IO = {"time", "random", "secrets", "os", "pathlib", "io", "subprocess", "socket", "sqlite3", "threading"}
NOW = {"now", "today", "utcnow"}
FOREIGN = re.compile(
    r"/work/|(?<!\.)\.\./shared|helper-|pypi\.org|pythonhosted\.org|registry\.npmjs|npmjs\.com|deb\.debian\.org"
)
FOREIGN_ALLOWED = {
    "tests/test_tidy.py": "names what it forbids",
    ".ci/run": "takes test data of others from beside the checkout, if they are there",
}
PLACEHOLDER = re.compile(r"/x(_\w+)?\.")
PINNED = ("models/reading.py", "models/wire.py")


def python_files(*roots: str) -> list[Path]:
    return sorted(path for root in roots for path in (HOUSE / root).rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def _forget() -> Iterator[None]:
    """The trees of all files are a third of a gigabyte, which the other tests of a process need not carry."""
    yield
    tree.cache_clear()


def name(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def tracked() -> list[Path]:
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=HOUSE, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: no list of tracked files")
    paths = [HOUSE / part for part in listed.stdout.decode().split("\0") if part]
    return [path for path in paths if path.is_file()]


def none(findings: Iterable[str]) -> None:
    found = list(findings)
    assert not found, "\n" + "\n".join(found)


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_files_are_short() -> None:
    pages = [*python_files(*PACKAGES, "tests"), *(HOUSE / "backend" / "web").rglob("*.css")]
    pages += [path for path in (HOUSE / "backend" / "web").rglob("*.js") if "vendor" not in path.parts]
    lines = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in pages}
    none(
        f"{file}: {count} lines, at most {MOST_LINES}"
        for file, count in lines.items()
        if count > MOST_LINES and file not in LONG_FILES
    )


def test_functions_are_short() -> None:
    none(
        f"{name(path)}:{each.lineno}: {each.name} has {length} lines, at most {MOST_FUNCTION_LINES}"
        for path in python_files(*PACKAGES, "tests")
        for each in functions(tree(path))
        if (length := (each.end_lineno or each.lineno) - each.lineno + 1) > MOST_FUNCTION_LINES
    )


def test_names_say_what_a_module_is_for() -> None:
    pages = [path.relative_to(HOUSE) for path in python_files(*PACKAGES, "tests")]
    none(f"{path}: a name that says nothing" for path in pages if BAD_NAMES & {path.stem, *path.parts[:-1]})


def test_there_is_no_package_under_tests() -> None:
    none(f"{name(path)}: it would be the package it tests" for path in (HOUSE / "tests").rglob("__init__.py"))


def test_every_module_says_what_it_is() -> None:
    def length(path: Path) -> int:
        return len((ast.get_docstring(tree(path)) or "").splitlines())

    none(
        f"{name(path)}:1: a docstring of {length(path)} lines, 1-{MOST_DOCSTRING_LINES} expected"
        for path in python_files(*PACKAGES)
        if not 1 <= length(path) <= MOST_DOCSTRING_LINES and not (length(path) and name(path) in LONG_DOCSTRINGS)
    )


def test_everything_public_says_what_it_is() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    none(
        f"{name(path)}:{node.lineno}: {node.name} has no docstring"
        for path in python_files(*PACKAGES)
        for node in tree(path).body
        if isinstance(node, kinds) and not node.name.startswith("_") and not ast.get_docstring(node)
    )


def test_bugs_are_swallowed_only_where_it_is_said() -> None:
    def blind(handler: ast.ExceptHandler) -> bool:
        """Catches whatever comes and does not end by raising it again."""
        last = handler.body[-1]
        if isinstance(last, ast.Raise) and last.exc is None:
            return False
        caught = {node.id for node in ast.walk(handler.type or ast.Pass()) if isinstance(node, ast.Name)}
        return handler.type is None or bool(caught & {"Exception", "BaseException"})

    places = {
        f"{name(path)}:{node.lineno}": name(path)
        for path in python_files(*PACKAGES)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and blind(node)
    }
    none(f"{place}: except Exception" for place, file in places.items() if file not in BLIND_EXCEPTS)
    none(f"{file}: no longer has an except Exception" for file in sorted({*BLIND_EXCEPTS} - {*places.values()}))


def test_models_read_no_clock_and_do_no_io() -> None:
    def wrong(node: ast.AST) -> str | None:
        match node:
            case ast.Import(names=names):
                return next(
                    (f"imports {each.name}" for each in names if each.name.split(".")[0] in CLOCKS_AND_IO), None
                )
            case ast.ImportFrom(module="io", names=[ast.alias(name="BytesIO")]):  # bytes in memory
                return None
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in CLOCKS_AND_IO:
                return f"imports {module}"
            case ast.Call(func=ast.Attribute(attr=attr, value=ast.Name(id="datetime" | "date"))) if attr in NOW:
                return f"asks for {attr}"
            case ast.Call(func=ast.Name(id="open" | "print" | "input" as called)):
                return f"calls {called}"
            case _:
                return None

    none(
        f"{name(path)}:{getattr(node, 'lineno', 1)}: {what}"
        for path in python_files("models")
        for node in ast.walk(tree(path))
        if (what := wrong(node)) is not None
    )


def test_the_contract_is_that_of_the_wire() -> None:
    present = sha256(b"".join((HOUSE / file).read_bytes() for file in PINNED)).hexdigest()
    pinned = re.findall(r"`([0-9a-f]{64})`", (HOUSE / "docs" / "contract.md").read_text(encoding="utf-8"))
    assert pinned == [present], (
        f"{' or '.join(PINNED)} changed. If outside programs can notice, say so in docs/contract.md; then write there "
        f"`{present}`"
    )


def test_nothing_of_a_machine_or_registry_is_in_the_project() -> None:
    def lines(path: Path) -> list[str]:
        return path.read_bytes().decode("utf-8", "replace").splitlines()

    none(
        f"{name(path)}:{number}: {found.group()!r}"
        for path in tracked()
        if name(path) not in FOREIGN_ALLOWED
        for number, line in enumerate(lines(path), 1)
        if (found := FOREIGN.search(line))
    )


def test_constraints_are_names_and_versions_only() -> None:
    lines = (HOUSE / "constraints.txt").read_text(encoding="utf-8").splitlines()
    none(f"constraints.txt: {line!r}" for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line))


def test_links_between_documents_lead_somewhere() -> None:
    link = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
    none(
        f"{name(path)}: {target}"
        for path in tracked()
        if path.suffix == ".md"
        for target in link.findall(path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    )


def test_files_that_documents_name_are_there() -> None:
    named = re.compile(
        r"\b(?:models|edge|backend|simulators|tests|deploy|docs)/[\w/.-]*\w\.(?:py|toml|md|html|js|css)\b"
    )
    none(
        f"{name(path)}: {file}"
        for path in tracked()
        if path.suffix == ".md"
        for file in named.findall(path.read_text(encoding="utf-8"))
        if not (HOUSE / file).exists() and not PLACEHOLDER.search(file)
    )


def test_commands_of_the_documents_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (HOUSE / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    none(
        f"{file}: make {target}"
        for file in ("README.md", "CONTRIBUTING.md", "docs/measured.md")
        for target in re.findall(r"(?:^|`)make ([a-z]+)", (HOUSE / file).read_text(encoding="utf-8"), re.MULTILINE)
        if target not in targets
    )


def test_the_code_map_is_the_code() -> None:
    text = (HOUSE / "ARCHITECTURE.md").read_text(encoding="utf-8")
    mapped = set(re.findall(r"^- `([\w/]+\.py)`", text, re.MULTILINE))
    pages = python_files(*PACKAGES)
    present = {name(path) for path in pages if path.name not in {"__init__.py", "__main__.py"}}
    none(f"ARCHITECTURE.md: no line for {file}" for file in sorted(present - mapped))
    none(f"ARCHITECTURE.md: {file} is not there" for file in sorted(mapped - present))
