"""The script that most would write first: a call or two for each tab, and the ORM row by row. Compared, not copied from."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import gspread
from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from sqlalchemy import ForeignKey, UniqueConstraint, create_engine, orm
from sqlalchemy.orm import Mapped, mapped_column

from bench.google import BOOK, HEADER, Size
from webapp.model import METRICS


class Base(orm.DeclarativeBase):
    pass


class Counts:
    """The columns of both tables."""

    id: Mapped[int] = mapped_column(primary_key=True)
    followers: Mapped[int] = mapped_column(default=0)
    likes: Mapped[int] = mapped_column(default=0)
    comments: Mapped[int] = mapped_column(default=0)
    videos: Mapped[int] = mapped_column(default=0)
    views: Mapped[int] = mapped_column(default=0)


class Account(Counts, Base):
    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("project", "url"),)
    project: Mapped[str]
    url: Mapped[str]


class Snapshot(Counts, Base):
    __tablename__ = "snapshots"
    __table_args__ = (UniqueConstraint("account_id", "day"),)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    day: Mapped[date]


class Redirect(HTTPAdapter):
    """Takes what goes to Google to where ours is."""

    def __init__(self, google: str) -> None:
        super().__init__()
        self._google = google

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        request.url = str(request.url).replace("https://sheets.googleapis.com", self._google)
        return super().send(request, *args, **options)


class Naive:
    """Reads each tab by its title, looks every account up, and commits once a tab."""

    def __init__(self, google: str, database: str, size: Size) -> None:
        del size
        session = Session()
        session.mount("https://", Redirect(google))
        self._client = gspread.Client(None, session=session)  # type: ignore[arg-type]  # nobody signs in
        self._engine = create_engine(database)
        Base.metadata.create_all(self._engine)

    def sync(self) -> None:
        book = self._client.open_by_key(BOOK)
        for title in [sheet.title for sheet in book.worksheets()]:
            records = book.worksheet(title).get_all_records()
            with orm.Session(self._engine) as session:
                for record in records:
                    store(session, title, record)
                session.commit()

    def close(self) -> None:
        self._engine.dispose()


def store(session: orm.Session, project: str, record: dict[str, Any]) -> None:
    """The larger value of each metric, and today's snapshot where there is none."""
    url = record[HEADER[0]]
    account = session.query(Account).filter_by(project=project, url=url).first()
    if account is None:
        account = Account(project=project, url=url)
        session.add(account)
    for metric in METRICS:
        setattr(account, metric, max(getattr(account, metric) or 0, record[metric.capitalize()]))
    session.flush()
    today = datetime.now(UTC).date()
    if session.query(Snapshot).filter_by(account_id=account.id, day=today).first() is None:
        counts = {metric: getattr(account, metric) for metric in METRICS}
        session.add(Snapshot(account_id=account.id, day=today, **counts))
