"""What must be true of assets as a whole at one time: numbers, fields of their categories, what they are part of."""

from collections.abc import Iterator
from functools import lru_cache

from models.assets.category import Category, category, problems
from models.assets.component import is_part_of_itself
from models.assets.policy import policy_problems
from models.assets.serial import taken
from models.declared import Asset, AssetClass
from models.register import Register


def asset(register: Register, at: int, body: object) -> Iterator[str]:
    """One asset's references, own fields and depreciation."""
    if not isinstance(body, Asset):
        return
    of = category_of(register, at, body.category)
    yield from problems(body, of)
    policy = body.depreciation or of.depreciation
    if policy is not None and body.acquired is not None:
        named = "depreciation" if body.depreciation is not None else f"depreciation of category {body.category}"
        yield from (f"{named}.{problem}" for problem in policy_problems(policy, body.acquired, of.meters))
    elif body.depreciation is not None:
        yield "acquired: expected with depreciation"
    if body.site is not None and register.get("sites", body.site, at) is None:
        yield f"site: one of the sites expected, got {body.site!r}"
    if body.parent is not None and register.get("assets", body.parent, at) is None:
        yield f"parent: one of the assets expected, got {body.parent!r}"


def category_of(register: Register, at: int, name: str | None) -> Category:
    """What holds for a category at a time."""
    declared = None if name is None else register.get("classes", name, at)
    return category(name, declared if isinstance(declared, AssetClass) else None)


def numbers(register: Register, at: int) -> Iterator[str]:
    """Serial numbers and codes that name two assets."""
    yield from (f"assets.{ident}: {problem}" for ident, problem in taken(assets_of(register, register.period(at))))


def components(register: Register, at: int) -> Iterator[str]:
    """Assets that are part of themselves."""
    parents = parents_of(register, at)
    for ident, parent in sorted(parents.items()):
        if is_part_of_itself(parents, ident):
            yield f"assets.{ident}: parent: an asset that is no part of it expected, got {parent!r}"


def parents_of(register: Register, at: int) -> dict[str, str]:
    """What each component is part of, at a time."""
    assets = assets_of(register, register.period(at))
    return {ident: body.parent for ident, body in assets.items() if body.parent is not None}


@lru_cache(maxsize=8)
def assets_of(register: Register, at: int) -> dict[str, Asset]:
    """Every asset at the begin of a period of the register."""
    return {ident: body for ident, body in register.all("assets", at).items() if isinstance(body, Asset)}
