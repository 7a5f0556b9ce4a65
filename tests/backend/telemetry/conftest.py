from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from backend.config import Telemetry
from backend.telemetry import sql
from backend.telemetry.influx import InfluxStore
from backend.telemetry.store import Store
from tests.backend.telemetry.followed_site import Site
from tests.backend.telemetry.places import Place
from tests.servers import influx
from tests.servers.influx import InfluxServer
from tests.servers.postgres import Cluster


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Place:
    names = count()
    files: dict[int, Path] = {}

    def new() -> Store:
        file = tmp_path / f"telemetry-{next(names)}.db"
        store = sql.on_file(file)
        files[id(store)] = file
        return store

    def wipe(store: Store) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{files[id(store)]}{suffix}").unlink(missing_ok=True)

    return Place(new, wipe)


@pytest.fixture
def on_postgres(postgres_cluster: Cluster) -> Iterator[Place]:
    urls: dict[int, str] = {}

    def new() -> Store:
        url = postgres_cluster.database()
        store = sql.on_postgres(url)
        urls[id(store)] = url
        return store

    def wipe(store: Store) -> None:
        engine = create_engine(urls[id(store)].replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as tx:
            tx.execute(text(f"DROP SCHEMA {sql.SCHEMA} CASCADE"))
        engine.dispose()

    yield Place(new, wipe)
    for url in urls.values():
        postgres_cluster.drop_database(url)


@pytest.fixture(scope="session")
def influx_server() -> Iterator[InfluxServer]:
    with influx.on_loopback() as server:
        yield server


@pytest.fixture
def on_influx(influx_server: InfluxServer) -> Iterator[Place]:
    databases: dict[int, str] = {}

    def new() -> Store:
        database = f"t{uuid4().hex}"
        url = f"influxdb://127.0.0.1:{influx_server.port}/{database}"
        store = InfluxStore(Telemetry(url, write_api="v1", retention_days=36_500))
        databases[id(store)] = database
        return store

    yield Place(new, lambda store: influx_server.forget(databases[id(store)]))
    for database in databases.values():
        influx_server.forget(database)


@pytest.fixture(params=["sqlite", "postgres", "influx"])
def place(request: pytest.FixtureRequest) -> Place:
    """A fixture `on_KIND` for each kind of store there is."""
    found = request.getfixturevalue(f"on_{request.param}")
    assert isinstance(found, Place)
    return found


@pytest.fixture
def make(place: Place, tmp_path: Path) -> Iterator[Callable[[], Site]]:
    """Another book with a store of this kind that follows it."""
    sites: list[Site] = []

    def new() -> Site:
        sites.append(Site(tmp_path / f"site-{len(sites)}" / "book.db", place.new()))
        return sites[-1]

    yield new
    for each in sites:
        each.close()
