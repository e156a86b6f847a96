"""Why an account's counts are what they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import sqlalchemy as sa
from flask import Response

from webapp import store, web
from webapp.api.http.answering import answer_by_bytes
from webapp.api.http.routes import Answer, NoQuery, Route
from webapp.api.http.tables import json_content
from webapp.api.shapes.explain import (
    ExplainedDoubt,
    ExplainedMetric,
    ExplainedObservation,
    ExplainedPin,
    ExplainedReading,
    ExplainedRefusal,
    Explanation,
)
from webapp.api.views.projects import TAGGED
from webapp.clock import Clock, iso
from webapp.model import METRICS, Metric, Policy, Values
from webapp.rules.addresses import cells_of
from webapp.rules.doubts import implausible
from webapp.rules.edits import decode_notes
from webapp.rules.held import believe
from webapp.rules.merge import Verdict, pin_in_force, policy_of, verdict
from webapp.store import spans
from webapp.store.accounts import Account, get
from webapp.store.db import Database
from webapp.store.doubts import ListedDoubt, listed
from webapp.store.heads import head_of_account
from webapp.store.projects import Project
from webapp.store.types import as_moment, as_text

if TYPE_CHECKING:
    from webapp.store.account_reads import AccountRead
    from webapp.store.changes import Changes
    from webapp.store.held import Held
    from webapp.store.observations import Observation as Observed
    from webapp.store.pins import Pin as Pinned


class AccountFacts(NamedTuple):
    """Everything that is known of one account. counted: when each metric did, by its place."""

    project: Project
    account: Account
    policy: Policy
    columns: Mapping[Metric, str]
    observed: Mapping[str, Observed]
    believed: Values
    pinned: Mapping[str, Pinned]
    held: Sequence[Held]
    doubts: Sequence[ListedDoubt]
    changes: Sequence[tuple[datetime | None, Changes]]
    unread: AccountRead | None
    counted: Mapping[int, spans.Counted]
    now: datetime


def explain_account(_: NoQuery, account_id: int) -> Response:
    """Per metric: every observation with its cell and time, the policy, who wins, what is held and pinned.

    `manual` marks a value of a person that wins over a differing reading, and since when.
    """
    with web.get(Database).read() as tx:
        project, account = head_of_account(tx, account_id), get(tx, account_id)
        facts = _facts(tx, project, account)
    return answer_by_bytes(json_content(_explanation(facts)))


def _facts(tx: sa.Connection, project: Project, account: Account) -> AccountFacts:
    now = web.get(Clock).now()
    sources = store.observations.sources_of(tx, [account.id], now)[account.id]
    return AccountFacts(
        project,
        account,
        policy_of(project.merge_policy, account.mode),
        project.sheet_columns or {},
        sources.observed,
        sources.believed,
        {pin.metric: pin for pin in store.pins.of_accounts(tx, [account.id])},
        store.held.of_account(tx, account.id),
        listed(tx, account_id=account.id),
        store.changes.of_account(tx, project.id, account.id),
        store.account_reads.why_unread(tx, account.id),
        spans.counted(spans.of_scope(tx, "account", account.id)),
        now,
    )


def _explanation(facts: AccountFacts) -> Explanation:
    account, project = facts.account, facts.project
    metrics = tuple(_metric(facts, place, metric) for place, metric in enumerate(METRICS))
    return Explanation(
        account.id,
        project.id,
        project.name,
        account.profile_url,
        account.mode,
        facts.policy,
        as_text(project.synced_at),
        _refusal(facts.unread),
        metrics,
    )


def _refusal(one: AccountRead | None) -> ExplainedRefusal | None:
    if one is None or one.code is None:
        return None
    return ExplainedRefusal(one.source, one.code, one.message, iso(one.since))


def _metric(facts: AccountFacts, place: int, metric: Metric) -> ExplainedMetric:
    pin = facts.pinned.get(metric)
    pinned = pin.value if pin is not None and pin_in_force(as_moment(pin.until), facts.now) else None
    sheet, parsed = _sheet(facts, place), facts.believed[place]
    found = verdict(sheet, parsed, facts.policy, pinned)
    upcoming = verdict(sheet, _next_parsed(facts, place, metric), facts.policy, pinned)
    since = _manual_since(facts, place, metric, found)
    return ExplainedMetric(
        value=facts.account.counts[place],
        winner=found.winner,
        next_value=upcoming.value,
        manual=since is not None,
        manual_since=iso(since),
        manual_days=(facts.now - since).days if since is not None else None,
        observations=[_observation(facts, one, place, metric) for one in facts.observed.values()],
        pin=_pin(pin, facts.now) if pin is not None else None,
        held=[_held(one) for one in facts.held if one.metric == metric],
        doubt=next((_doubt(one) for one in facts.doubts if one.metric == metric), None),
    )


def _sheet(facts: AccountFacts, place: int) -> int | None:
    said = facts.observed.get("sheet")
    return said.counts[place] if said is not None else None


def _next_parsed(facts: AccountFacts, place: int, metric: Metric) -> int | None:
    """What the next sync believes of the platform, which may have said something new, or has been decided upon."""
    said, good = facts.observed.get("parsed"), facts.believed[place]
    if said is None or said.observed_at is None:
        return None
    reading, counted = said.counts[place], facts.counted.get(place)
    history = implausible(good, reading) and counted is not None and counted.has_history(facts.now)
    kept = (one for one in facts.held if one.metric == metric and one.state in store.held.DECIDED)
    seen_at = as_moment(said.observed_at)
    return believe(reading, good, next(kept, None), seen_at=seen_at, history=history, now=facts.now).value


def _manual_since(facts: AccountFacts, place: int, metric: Metric, found: Verdict) -> datetime | None:
    """Since when a person's value has stood against what the platform says; None when none does."""
    if found.winner not in ("sheet", "pin") or facts.believed[place] in (None, found.value):
        return None
    if found.winner == "pin":
        return as_moment(facts.pinned[metric].pinned_at)
    latest = next((told for told in facts.changes if metric in told[1]), None)
    if latest is not None and latest[1][metric][1:3] == [found.value, "sheet"]:
        return latest[0]
    return as_moment(facts.observed["sheet"].observed_at)


def _observation(facts: AccountFacts, one: Observed, place: int, metric: Metric) -> ExplainedObservation:
    by_sheet = one.source == "sheet"
    return ExplainedObservation(
        source=one.source,
        value=one.counts[place],
        believed=one.counts[place] if by_sheet else facts.believed[place],
        origin=one.origin,
        cells=cells_of(one.origin, facts.columns.get(metric)) if by_sheet else [],
        observed_at=as_text(one.observed_at),
        note=decode_notes(one.note).get(metric) if by_sheet else one.note,
    )


def _pin(pin: Pinned, now: datetime) -> ExplainedPin:
    return ExplainedPin(
        pin.value, pin_in_force(as_moment(pin.until), now), as_text(pin.until), as_text(pin.pinned_at), pin.note
    )


def _doubt(one: ListedDoubt) -> ExplainedDoubt:
    return ExplainedDoubt(one.typed, one.credible, iso(one.since))


def _held(one: Held) -> ExplainedReading:
    return ExplainedReading(
        id=one.id,
        value=one.value,
        last_good=one.last_good,
        origin=one.origin,
        observed_at=as_text(one.observed_at),
        held_at=as_text(one.held_at),
        agreeing=one.agreeing,
        state=cast("Any", one.state),
        decided_at=as_text(one.decided_at),
    )


ROUTES = (
    Route(
        "explain_account",
        "accounts",
        "GET",
        "/api/accounts/<int:account_id>/explain",
        explain_account,
        "read",
        answers={200: Answer(Explanation, headers=("ETag",)), **TAGGED},
        problems=("account_not_found",),
    ),
)
