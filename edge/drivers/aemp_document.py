"""One page of a telematics endpoint to a tree, whether it came as XML or as JSON: the makers do both.

A tree has names in small letters without namespace, because they differ from maker to maker, and of each name all that
came by it; an attribute is a child like others. XML has no document type here, so that no entity can be declared.
"""

from typing import TypeAlias, cast
from xml.parsers import expat

import msgspec

from edge.driver import BadFrame

Tree: TypeAlias = "dict[str, list[Tree | str]]"

MAX_DEPTH, MAX_ELEMENTS = 32, 500_000
_NIL = "nil"
"""Of an element that is there and empty: XML Schema's word for null."""
_ERRORS = (msgspec.MsgspecError, RecursionError, LookupError, ValueError)
_MARKS = (b"\xef\xbb\xbf",)


def parse_document(text: bytes) -> Tree:
    """The whole document, its root by its name; the items of an array that is the root by "". Raises BadFrame.

    >>> parse_document(b'<a:Fleet xmlns:a="x" version="2"><Links><rel>self</rel></Links></a:Fleet>')
    {'fleet': [{'version': ['2'], 'links': [{'rel': ['self']}]}]}
    >>> parse_document(b'{"Links": [{"rel": "self"}], "Count": 2, "Nothing": null}')
    {'links': [{'rel': ['self']}], 'count': ['2']}
    """
    for mark in _MARKS:
        text = text.removeprefix(mark)
    text = text.strip()
    if sum(map(text.count, (b"{", b"[", b",", b"="))) > MAX_ELEMENTS:
        msg = f"page: at most {MAX_ELEMENTS} members expected"
        raise BadFrame(msg)
    if text[:1] in {b"{", b"["}:
        return _json(text)
    if text[:1] != b"<" and not text.startswith((b"\xff\xfe", b"\xfe\xff")):
        msg = f"page: XML or JSON expected, got {text[:40]!r}"
        raise BadFrame(msg)
    return _Builder().parse(text)


class _Builder:
    """Events of expat to a tree."""

    def __init__(self) -> None:
        self._root: Tree = {}
        self._open: list[Tree] = [self._root]
        self._texts: list[list[str]] = [[]]
        self._elements = 0

    def parse(self, text: bytes) -> Tree:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._text
        try:
            parser.Parse(text, True)  # noqa: FBT003 - expat's own: this is all of it
        except expat.ExpatError as error:
            msg = f"page: XML: {error}"
            raise BadFrame(msg) from error
        except _ERRORS as error:  # an encoding that it does not know
            msg = f"page: XML: {error}"
            raise BadFrame(msg) from error
        return self._root

    def _doctype(self, *_: object) -> None:
        msg = "page: XML without a document type expected"
        raise BadFrame(msg)

    def _start(self, _name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._open) > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            msg = f"page: at most {MAX_ELEMENTS} elements, {MAX_DEPTH} deep, expected"
            raise BadFrame(msg)
        tree: Tree = {}
        for key, value in attributes.items():
            if not key.startswith("xmlns") and _local(key) != _NIL:
                tree.setdefault(_local(key), []).append(value.strip())
        self._open.append(tree)
        self._texts.append([])

    def _end(self, name: str) -> None:
        tree, text = self._open.pop(), "".join(self._texts.pop()).strip()
        if tree and text:
            tree.setdefault("", []).append(text)
        self._open[-1].setdefault(_local(name), []).append(tree or text)

    def _text(self, text: str) -> None:
        self._texts[-1].append(text)


def _local(name: str) -> str:
    """Without prefix: some makers use one that they do not declare."""
    return name.rpartition(":")[2].lower()


def _json(text: bytes) -> Tree:
    try:
        value = msgspec.json.decode(text)
        return _tree({"": value} if isinstance(value, list) else value, 0)
    except _ERRORS as error:
        msg = f"page: JSON: {error}"
        raise BadFrame(msg) from error


def _tree(members: dict[str, object], depth: int) -> Tree:
    if depth > MAX_DEPTH:
        msg = f"page: at most {MAX_DEPTH} deep expected"
        raise BadFrame(msg)
    tree: Tree = {}
    for name, value in members.items():
        items = cast("list[object]", value) if isinstance(value, list) else [value]
        found = [_item(each, depth + 1) for each in items if each is not None]
        if found:
            tree.setdefault(name.lower(), []).extend(found)
    return tree


def _item(value: object, depth: int) -> "Tree | str":
    if isinstance(value, dict):
        return _tree(cast("dict[str, object]", value), depth)
    if isinstance(value, list):
        return _tree({"": value}, depth)
    return str(value).strip()
