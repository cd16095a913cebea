"""What each request may cost at the most: one row for each of the largest requests to a route.

Those with a request of their own are sent in the crowded world, where lists, groups, grants and
parts are as many as the limits allow. The others cost the same whatever there is, and send the
request of the register. A row has the most calls of AWS, the most rows read (keys asked for, and
rows found by queries) and written, and the most calls of our functions, which stand for CPU.

Some requests work for 15 seconds and leave the rest to the next one or to the sweep: their calls
are those of that time.
"""

from collections.abc import Callable
from typing import NamedTuple

from function.core.limits import MAX_PARTS, MAX_SIGNED_PARTS, MIB
from tests.http.crowded import DEEP, GROUPS, ITEMS, PAGE, Crowd
from tests.support.client import Answer, Client

Send = Callable[[Crowd], Answer]
PARTS = [{"part_number": number + 1, "etag": "e" * 32} for number in range(MAX_PARTS)]
UPPY_PARTS = [{"PartNumber": number + 1, "ETag": "e" * 32} for number in range(MAX_PARTS)]
NUMBERS = list(range(1, MAX_SIGNED_PARTS + 1))
ALL = ",".join(map(str, NUMBERS))
FILES = [f"many/photo {number:04}.jpg" for number in range(ITEMS)]
WORDS = "photo a b c d e f g"
SINCE = "2025-01-01T00:00:00Z"
OTHER = DEEP.replace("/", "x/")


class Bound(NamedTuple):
    """A request to a route and its status, and the most that it may cost."""

    route: str
    status: int
    calls: int
    rows: int
    writes: int
    steps: int
    send: Send | None = None
    """None: the request of the register."""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.route}, {self.note}" if self.note else self.route


def request(method: str, path: str, who: str = "alice", **sent: object) -> Send:
    """A request by somebody of the world; `query` and `body` are its parts."""

    def send(crowd: Crowd) -> Answer:
        ids = {"link": crowd.link, "token": crowd.token, "upload": crowd.upload}
        client = getattr(crowd.world, who, None) or Client()
        parts = {"query": sent.get("query"), "json_": sent.get("body")}
        return client.send(method, path.format(**ids), **parts)

    return send


def page(path: str, who: str = "alice", **query: object) -> Send:
    """The largest page of a list."""
    return request("GET", path, who, query={"limit": PAGE, **query})


DEEPEST = {"file_name": DEEP, "username": "alice"}
BOUNDS: tuple[Bound, ...] = (
    # route, status, calls, rows read, rows written, steps, request
    Bound("POST /register", 201, 1, 0, 4, 320),
    Bound("POST /login", 200, 2, 8, 4, 440),
    Bound("POST /logout", 204, 1, 0, 4, 310),
    Bound("POST /mfa", 201, 2, 7, 4, 470),
    Bound("POST /mfa/confirm", 404, 1, 7, 0, 500),
    Bound("DELETE /mfa", 404, 1, 7, 0, 310),
    Bound("GET /me", 200, 1, 6, 0, 300),
    Bound("PATCH /me", 200, 2, 8, 4, 520),
    Bound("POST /password", 204, 2, 7, 5, 600),
    Bound("POST /password/forgot", 202, 3, 7, 6, 490),
    Bound("POST /password/reset", 403, 2, 7, 3, 420),
    Bound("GET /sessions", 200, 17, 2300, 0, 62_000, page("/sessions")),
    Bound("DELETE /sessions/{session_id}", 204, 2, 7, 4, 420),
    Bound("POST /keys", 201, 2, 8, 5, 580),
    Bound("GET /keys", 200, 2, 9, 0, 430),
    Bound("DELETE /keys/{key_id}", 204, 2, 7, 5, 540),
    Bound("POST /invites", 201, 2, 6, 4, 380),
    Bound("GET /invites", 200, 2, 1200, 0, 15_000, page("/invites", "root")),
    Bound("DELETE /invites/{invite_id}", 204, 2, 7, 4, 390),
    Bound("GET /users", 200, 2, 1200, 0, 33_000, page("/users", "root")),
    Bound("PATCH /users/{username}", 200, 2, 7, 7, 620),
    Bound("GET /audit", 200, 42, 200, 0, 4500,
          page("/audit", "root", username="alice", since=SINCE)),
    Bound("DELETE /users/{username}", 202, 850, 3700, 830, 76_000,
          request("DELETE", "/users/alice", "root")),
    Bound("POST /users/{username}/reset", 201, 2, 7, 5, 430),
    Bound("GET /usage", 200, 2, 1200, 0, 32_000, page("/usage", "root", everybody="true")),
    Bound("PUT /file", 200, 17, 1400, 17, 40_000,
          request("PUT", "/file", "bob", body=DEEPEST | {"content": "bmV3"})),
    Bound("GET /file", 200, 16, 1400, 0, 40_000,
          request("GET", "/file", "bob", query=DEEPEST), "by 50 groups"),
    Bound("HEAD /file", 200, 15, 1400, 0, 40_000,
          request("HEAD", "/file", "bob", query=DEEPEST), "by 50 groups"),
    Bound("PATCH /file", 200, 36, 1200, 2300, 120_000,
          request("PATCH", "/file", body={"file_name": "full/full.txt", "new_name": OTHER}),
          "a file with 1,000 grantees"),
    Bound("PATCH /file", 200, 630, 13_000, 22_000, 1_200_000,
          request("PATCH", "/file", body={"file_name": "many/", "new_name": "more/"}),
          "a folder of 1,001 files"),
    Bound("DELETE /file", 204, 14, 7, 1200, 28_000,
          request("DELETE", "/file", query={"file_name": "full/full.txt"}), "with 1,000 grantees"),
    Bound("DELETE /file", 204, 840, 890, 1100, 75_000,
          request("DELETE", "/file", query={"file_name": "a.txt", "permanent": "true"}),
          "with 1,000 versions"),
    Bound("GET /versions", 200, 2, 1200, 0, 34_000,
          page("/versions", file_name="a.txt"), "1,000 of them"),
    Bound("GET /versions", 200, 15, 1400, 0, 40_000,
          page("/versions", "bob", **DEEPEST), "by 50 groups"),
    Bound("POST /restore", 200, 3, 8, 15, 930,
          request("POST", "/restore", body={"file_name": "gone.txt"})),
    Bound("POST /copy", 201, 16, 1400, 41, 42_000,
          request("POST", "/copy", "bob", body=DEEPEST | {"new_name": OTHER})),
    Bound("GET /jobs/{job_id}", 200, 1, 7, 0, 300),
    Bound("GET /trash", 200, 2, 1200, 0, 37_000, page("/trash")),
    Bound("DELETE /trash", 202, 830, 1700, 1100, 110_000, request("DELETE", "/trash")),
    Bound("GET /files", 200, 120, 1800, 0, 31_000,
          page("/files", "bob"), "of others, by 50 groups"),
    Bound("GET /files", 200, 59, 1700, 0, 320_000, page("/files", q=WORDS), "eight words"),
    Bound("GET /files", 200, 16, 2300, 0, 130_000,
          page("/files", q="photo", sort="modified", type="image"), "by time"),
    Bound("GET /files", 200, 16, 2300, 0, 130_000,
          page("/files", folders="true", urls="true", prefix="many/"), "a level with URLs"),
    Bound("GET /changes", 200, 14, 2300, 0, 54_000, page("/changes")),
    Bound("POST /uploads", 201, 17, 1400, 11, 40_000,
          request("POST", "/uploads", "bob", body=DEEPEST | {"size": 100 * MIB})),
    Bound("GET /uploads", 200, 2, 1200, 0, 40_000, page("/uploads")),
    Bound("GET /uploads/{upload_id}", 200, 13, 7, 0, 53_000, request("GET", "/uploads/{upload}")),
    Bound("POST /uploads/{upload_id}/parts", 200, 1, 7, 0, 1400,
          request("POST", "/uploads/{upload}/parts", body={"part_numbers": NUMBERS})),
    Bound("POST /uploads/{upload_id}/complete", 409, 13, 7, 0, 66_000,
          request("POST", "/uploads/{upload}/complete", body={"parts": PARTS})),
    Bound("DELETE /uploads/{upload_id}", 204, 5, 8, 5, 550),
    Bound("GET /download", 200, 15, 1400, 0, 40_000,
          request("GET", "/download", "bob", query=DEEPEST), "by 50 groups"),
    Bound("GET /download", 200, 58, 570, 0, 11_000,
          page("/download", "bob", prefix="box", username="alice", format="curl"),
          "a folder of another"),
    Bound("POST /share", 409, 13, 1200, 0, 27_000,
          request("POST", "/share", body={"file_name": "full/", "username": "dave"})),
    Bound("GET /shares", 200, 14, 1200, 0, 46_000, page("/shares", file_name=DEEP), "20 levels"),
    Bound("GET /shares", 200, 25, 2300, 0, 73_000,
          page("/shares", file_name="full/full.txt"), "1,000 grantees"),
    Bound("GET /shares", 200, 61, 2400, 0, 33_000,
          page("/shares", "bob", with_me="true"), "with me, by 50 groups"),
    Bound("DELETE /share", 204, 2, 8, 5, 570),
    Bound("GET /groups", 200, 2, 120, 0, 4100, page("/groups", "bob"), "50 of them"),
    Bound("GET /groups", 200, 25, 3400, 0, 60_000,
          page("/groups", invited="true"), "1,000 invitations"),
    Bound("PUT /groups/{group}", 409, 2, 120, 0, 3800, request("PUT", "/groups/new", "bob")),
    Bound("GET /groups/{group}", 200, 2, 1200, 0, 18_000, page(f"/groups/{GROUPS[0]}", "root")),
    Bound("DELETE /groups/{group}", 204, 13, 450, 690, 30_000,
          request("DELETE", f"/groups/{GROUPS[0]}", "root")),
    Bound("PUT /groups/{group}/members/{username}", 201, 2, 12, 6, 690,
          request("PUT", f"/groups/{GROUPS[1]}/members/u0001", "root")),
    Bound("DELETE /groups/{group}/members/{username}", 204, 2, 10, 6, 600),
    Bound("POST /links", 201, 2, 50, 94, 11_000, request("POST", "/links", body={"items": FILES})),
    Bound("GET /links", 200, 14, 2300, 0, 45_000, page("/links")),
    Bound("GET /links/{link_id}", 200, 2, 95, 0, 2900, request("GET", "/links/{link}")),
    Bound("PATCH /links/{link_id}", 200, 3, 95, 49, 6000,
          request("PATCH", "/links/{link}", body={"items": FILES[:20]})),
    Bound("DELETE /links/{link_id}", 204, 3, 95, 93, 7100, request("DELETE", "/links/{link}")),
    Bound("GET /links/{link_id}/events", 200, 3, 1200, 0, 14_000, page("/links/{link}/events")),
    Bound("PUT /send/{name}", 201, 13, 1200, 45, 30_000,
          request("PUT", "/send/full/full.txt")),
    Bound("GET /send/{name}", 200, 2, 1200, 0, 40_000,
          request("GET", "/send/big.bin")),
    Bound("GET /s/{token}", 200, 15, 12_000, 3, 240_000, page("/s/{token}", "nobody")),
    Bound("POST /s/{token}/unlock", 200, 2, 8, 0, 360),
    Bound("POST /s/{token}/download", 200, 15, 1100, 110, 37_000,
          request("POST", "/s/{token}/download", "nobody", body={"format": "curl"})),
    Bound("POST /requests", 201, 2, 6, 6, 610),
    Bound("GET /requests", 200, 14, 2300, 0, 56_000, page("/requests")),
    Bound("GET /requests/{request_id}", 200, 1, 7, 0, 320),
    Bound("PATCH /requests/{request_id}", 200, 2, 7, 6, 720),
    Bound("DELETE /requests/{request_id}", 204, 2, 7, 6, 470),
    Bound("GET /r/{token}", 200, 2, 7, 0, 350),
    Bound("POST /r/{token}/unlock", 200, 2, 7, 0, 370),
    Bound("POST /r/{token}/uploads", 201, 3, 5, 8, 840),
    Bound("GET /r/{token}/uploads/{upload_id}", 200, 3, 8, 0, 430),
    Bound("POST /r/{token}/uploads/{upload_id}/parts", 200, 2, 8, 0, 430),
    Bound("POST /r/{token}/uploads/{upload_id}/complete", 409, 3, 8, 0, 450),
    Bound("DELETE /r/{token}/uploads/{upload_id}", 204, 6, 9, 7, 700),
    Bound("POST /s3/multipart", 200, 3, 7, 6, 750),
    Bound("GET /s3/multipart/{upload_id}/batch", 200, 1, 7, 0, 1500,
          request("GET", "/s3/multipart/{upload}/batch", query={"partNumbers": ALL})),
    Bound("GET /s3/multipart/{upload_id}/{part_number}", 200, 1, 7, 0, 360),
    Bound("GET /s3/multipart/{upload_id}", 200, 13, 7, 0, 340,
          request("GET", "/s3/multipart/{upload}")),
    Bound("POST /s3/multipart/{upload_id}/complete", 409, 13, 7, 0, 66_000,
          request("POST", "/s3/multipart/{upload}/complete", body={"parts": UPPY_PARTS})),
    Bound("DELETE /s3/multipart/{upload_id}", 200, 5, 8, 5, 560),
    Bound("GET /s3/params", 200, 2, 7, 6, 760),
    Bound("POST /s3/params", 200, 2, 7, 6, 760),
    Bound("GET /health", 200, 0, 0, 0, 120),
    Bound("GET /info", 200, 0, 0, 0, 120),
    Bound("GET /problems/{slug}", 200, 0, 0, 0, 120),
    Bound("GET /openapi.json", 200, 0, 0, 0, 2200),
    Bound("GET /docs", 200, 0, 0, 0, 120),
    Bound("GET /", 302, 0, 0, 0, 120),
)  # fmt: skip
