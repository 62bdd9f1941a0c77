"""SQLite as the project and the run log use it: write-ahead log, fully synchronous, foreign files checked first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.errors import StoreError
from workbench.store.files import cannot_write

_APPLICATION = 0x576B6268  # "Wkbh"


class Database:
    """A connection that turns SQLite's errors into ours. Used by the thread that opened it.

    Args:
        path: the file; made where it is missing and ``write`` is set.
        schema: the statements that make the tables of version 1.
        write: whether it may be changed.

    Raises:
        StoreError: it is no database of ours, is damaged, or cannot be opened.
    """

    def __init__(self, path: Path, schema: str, *, write: bool) -> None:
        self.path = path
        fresh = not path.exists()
        if fresh and not write:
            raise StoreError("is missing", where=str(path))
        with self.errors():
            address = path.resolve().as_uri() + ("" if write else "?mode=ro")
            self._connection = sqlite3.connect(address, uri=True, timeout=10, isolation_level=None)
        try:
            self._prepare(schema, fresh, write)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, schema: str, fresh: bool, write: bool) -> None:
        with self.errors():
            for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "mmap_size=0"):
                self._connection.execute(f"PRAGMA {pragma}")
            if fresh:
                self._connection.executescript(
                    f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN; {schema};"
                    f" PRAGMA application_id={_APPLICATION}; PRAGMA user_version=1; COMMIT;"
                )
                return
            application = self._connection.execute("PRAGMA application_id").fetchone()[0]
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if application != _APPLICATION:
                raise StoreError("was not made by Workbench", where=str(self.path))
            if version > 1 and write:
                raise StoreError(
                    f"has the newer format {version}", where=str(self.path), mend="Open it with a newer Workbench."
                )
            self._connection.execute("PRAGMA synchronous=FULL")

    def check(self) -> None:
        """Look for damage.

        Raises:
            StoreError: the file is damaged.
        """
        with self.errors():
            answer = self._connection.execute("PRAGMA quick_check").fetchone()[0]
        if answer != "ok":
            raise StoreError(f"is damaged ({answer})", where=str(self.path), mend="Restore it from a backup.")

    def rows(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with self.errors():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Statements that take effect together, durably, or not at all."""
        with self.errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "disk" in str(error) or "full" in str(error):
                raise cannot_write(self.path, OSError(28, str(error))) from None
            raise StoreError(f"cannot be used ({error})", where=str(self.path)) from None
        except sqlite3.DatabaseError as error:
            raise StoreError(f"is damaged or no database ({error})", where=str(self.path)) from None
