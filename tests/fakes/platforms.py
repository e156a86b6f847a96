"""Platforms behind a real socket, which answer in the shapes that the real ones do and have verbs for what befalls them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from webapp.sources.platforms.json_reader import json_readers

__all__ = [
    "FakeBluesky",
    "FakeMastodon",
    "FakePlatform",
    "FakeService",
    "FakeTelegram",
    "FakeYouTube",
    "channel_id",
]

Answer = Callable[[Request], Response]


def as_json(value: object, status: int = 200, **headers: str) -> Response:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(json.dumps(value), status, names, content_type="application/json")


def channel_id(number: int) -> str:
    return f"UC{number:022d}"


class FakePlatform:
    """first: answers given, in order, before it behaves. broken: its answer to everything, until it is mended."""

    path: str | re.Pattern[str] = "/"

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.url = server.url_for("").rstrip("/")
        self.calls: list[Request] = []
        self.first: list[Response] = []
        self.broken: Response | None = None
        server.expect_request(self.path).respond_with_handler(self._respond)

    def _respond(self, request: Request) -> Response:
        self.calls.append(request)
        if self.broken is not None:
            return self.broken
        return self.first.pop(0) if self.first else self.answer(request)

    def answer(self, request: Request) -> Response:
        raise NotImplementedError


class FakeYouTube(FakePlatform):
    """channels: {id: item}, handles: {@handle: id}, users: {name: id}."""

    path = "/youtube/v3/channels"

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self.channels: dict[str, dict[str, Any]] = {}
        self.handles: dict[str, str] = {}
        self.users: dict[str, str] = {}

    @property
    def settings(self) -> dict[str, Any]:
        return {"YOUTUBE_API_KEY": "a-key-of-youtube", "SMART_SYNC_YOUTUBE_API": self.url}

    def channel(self, number: int, handle: str | None = None, *, hidden: bool = False, **statistics: Any) -> str:
        """There is such a channel, with these statistics as text."""
        id_ = channel_id(number)
        said = {"viewCount": "1000", "subscriberCount": "100", "hiddenSubscriberCount": hidden, "videoCount": "10"}
        said |= {name: str(value) for name, value in statistics.items()}
        snippet = {"customUrl": handle} if handle else {}
        self.channels[id_] = {"id": id_, "snippet": snippet, "statistics": said}
        if handle:
            self.handles[handle.lower()] = id_
        return id_

    def answer(self, request: Request) -> Response:
        if request.headers.get("X-Goog-Api-Key") != "a-key-of-youtube":
            return self.refuses(400, "API key not valid. Please pass a valid API key.", "badRequest")
        handle, user = request.args.get("forHandle"), request.args.get("forUsername")
        if handle is not None:
            ids = [self.handles.get("@" + handle.removeprefix("@").lower(), "")]
        elif user is not None:
            ids = [self.users.get(user, "")]
        else:
            ids = request.args["id"].split(",")
        assert len(ids) <= 50
        items = [self.channels[id_] for id_ in ids if id_ in self.channels]
        said = {"kind": "youtube#channelListResponse"}
        return as_json(said | {"items": items} if items else said)

    @staticmethod
    def refuses(status: int, message: str, reason: str, **headers: str) -> Response:
        one = {"message": message, "domain": "youtube.quota", "reason": reason}
        return as_json({"error": {"code": status, "message": message, "errors": [one]}}, status, **headers)


class FakeBluesky(FakePlatform):
    """profiles: {DID: profile}"""

    path = "/xrpc/app.bsky.actor.getProfiles"

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self.profiles: dict[str, dict[str, Any]] = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"SMART_SYNC_BLUESKY_API": self.url}

    def profile(self, handle: str, did: str | None = None, **counts: Any) -> str:
        did = did or f"did:plc:{handle.partition('.')[0]}"
        said = {"followersCount": 10, "followsCount": 5, "postsCount": 7} | counts
        self.profiles[did] = {"did": did, "handle": handle, "displayName": "Ada", **said}
        return did

    def answer(self, request: Request) -> Response:
        actors = request.args.getlist("actors")
        assert len(actors) <= 25
        if any("." not in actor and not actor.startswith("did:") for actor in actors):
            return as_json(
                {"error": "InvalidRequest", "message": "Error: actors/0 must be a valid did or a handle"}, 400
            )
        found = [
            profile
            for actor in actors
            for did, profile in self.profiles.items()
            if actor.lower() in (did.lower(), profile["handle"].lower())
        ]
        return as_json({"profiles": found})


class FakeMastodon(FakePlatform):
    """Every instance at once. accounts: {(instance, name): account}"""

    path = re.compile(r"/instances/[^/]+/api/v1/accounts/lookup")

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self.accounts: dict[tuple[str, str], dict[str, Any]] = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"SMART_SYNC_MASTODON_API": f"{self.url}/instances/{{instance}}"}

    def account(self, instance: str, name: str, id_: str = "1", **said: Any) -> None:
        counts = {"followers_count": 10, "following_count": 1, "statuses_count": 7}
        self.accounts[instance, name] = {"id": id_, "username": name, "acct": name, **counts, **said}

    def answer(self, request: Request) -> Response:
        found = self.accounts.get((request.path.split("/")[2], request.args["acct"]))
        return as_json(found) if found else as_json({"error": "Record not found"}, 404)


class FakeTelegram(FakePlatform):
    """channels: {name: {kind of counter: text}}"""

    path = re.compile("/s/.+")

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self.channels: dict[str, dict[str, str]] = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"SMART_SYNC_TELEGRAM_API": self.url}

    def answer(self, request: Request) -> Response:
        name = request.path.rpartition("/")[2]
        if name not in self.channels:
            return Response("", 302, {"Location": f"https://t.me/{name}"})
        counters = "".join(
            f'<div class="tgme_channel_info_counter"><span class="counter_value">{value}</span> '
            f'<span class="counter_type">{kind}</span></div>'
            for kind, value in self.channels[name].items()
        )
        page = f'<!DOCTYPE html><main class="tgme_main"><div class="tgme_channel_info_counters">{counters}</div></main>'
        return Response(page, content_type="text/html; charset=utf-8")


class FakeService(FakePlatform):
    """A scraper that answers with JSON about TikTok. users: {name: fans}"""

    path = "/scraper/users"

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self.users: dict[str, int] = {}

    @property
    def settings(self) -> Mapping[str, Any]:
        url = f"{self.url}{self.path}?names={{usernames}}"
        spec = {"platform": "tiktok", "url": url, "metrics": {"followers": "fans"}, "headers": {"X-Key": "a-key"}}
        return {"SMART_SYNC_JSON_READERS": json_readers(json.dumps([spec]))}

    def answer(self, request: Request) -> Response:
        if request.headers.get("X-Key") != "a-key":
            return as_json({"error": "no key"}, 401)
        names = request.args["names"].split(",")
        return as_json([{"username": name, "fans": self.users[name]} for name in names if name in self.users])
