"""The first requests, and those about files, small and large."""

from collections.abc import Mapping

from docs.postman.requests import Folder, Request

WORDS = "Hello, friend.\n"
BASE64 = "SGVsbG8sIGZyaWVuZC4K"
# One byte more than S3 gets in one PUT, so that the ninth part of 8 MiB has one byte.
IN_PARTS = 64 * 2**20 + 1
PASSWORD = "seven quiet otters"  # noqa: S105 - of accounts that nobody else uses
# Names that nobody has had on this server, so that the collection can run again.
NEW_NAMES = (
    "const run = Date.now().toString(36);",
    'pm.collectionVariables.set("username", `alice-${run}`);',
    'pm.collectionVariables.set("friend", `bob-${run}`);',
    'pm.collectionVariables.set("group", `team-${run}`);',
    'pm.collectionVariables.set("guest", `carol-${run}`);',
    f'pm.collectionVariables.set("password", "{PASSWORD}");',
)


def log_in(name: str, username: str, variable: str, *, password: str = "{{password}}") -> Request:  # noqa: S107
    """A login whose answer sets the variable with the token."""
    return Request(
        route="POST /login",
        name=name,
        auth="",
        body={"username": f"{{{{{username}}}}}", "password": password},
        facts={"The token names its account": f"body.token.slice(0, -44) == ${username}"},
        keep={variable: "body.token"},
    )


def send(
    name: str,
    url: str,
    *,
    headers: str = "",
    data: str = WORDS,
    keep: Mapping[str, str] | None = None,
) -> Request:
    """Bytes to S3, at the address in a variable, with exactly the header fields in another."""
    fields = f"Object.entries(JSON.parse(${headers}))" if headers else "[]"
    return Request(
        route=f"PUT {{{{{url}}}}}",
        name=name,
        auth="",
        body=data,
        before=(
            # Postman's own media type would not be the one that was signed.
            'pm.request.headers.upsert({ key: "Content-Type", value: "" });',
            f"for (const [key, value] of {fields}) pm.request.headers.upsert({{ key, value }});",
        ),
        facts={"S3 has them": "header('etag') matches /./"},
        keep=keep or {},
    )


FIRST_STEPS = Folder(
    "First steps",
    "Register two people and log in. The tokens are kept for all other folders.",
    (
        Request(
            route="GET /health",
            name="Is it there?",
            auth="",
            facts={"It is well": 'body.status == "ok"'},
        ),
        Request(
            route="GET /problems/{slug}",
            name="What a problem means",
            auth="",
            path={"slug": "no-such-file"},
            facts={"It is about a file": "body.status == 404"},
        ),
        Request(
            route="GET /info",
            name="Limits and features",
            auth="",
            facts={
                "A small file has up to 4 MiB": "body.limits.small_file_bytes == 4 * 1024 * 1024",
                "Links are a feature": 'body.features has "links"',
            },
        ),
        Request(
            route="POST /register",
            name="Register",
            auth="",
            status=201,
            before=NEW_NAMES,
            body={"username": "{{username}}", "password": "{{password}}"},
            facts={"It is a member": 'body.role == "member"'},
        ),
        log_in("Log in", "username", "token"),
        Request(
            route="GET /me",
            name="Your account",
            facts={"It is yours": "body.username == $username"},
        ),
        Request(
            route="POST /register",
            name="Register a friend",
            auth="",
            status=201,
            body={"username": "{{friend}}", "password": "{{password}}"},
            facts={"The name is free": "body.username == $friend"},
        ),
        log_in("Log in as the friend", "friend", "friend_token"),
    ),
)

FILES = Folder(
    "Files",
    "Files of up to 4 MiB in one request: put, get, change, versions, trash.",
    (
        Request(
            route="PUT /file",
            name="Put a file as JSON",
            status=201,
            body={"file_name": "notes/hello.txt", "content": BASE64},
            facts={
                "It is yours": "body.key == $username + '/notes/hello.txt'",
                "Its size is that of the bytes": f"body.size == {len(WORDS)}",
            },
            keep={"file_name": "body.file_name"},
        ),
        Request(
            route="PUT /file",
            name="Put its bytes, which makes a second version",
            query={"file_name": "{{file_name}}"},
            headers={"Content-Type": "text/plain"},
            body="Good night.",
            facts={"It is the second version": "body.version == 2"},
            keep={"etag": "body.etag"},
        ),
        Request(
            route="PUT /file",
            name="Put a file as a form",
            status=201,
            form={"file_name": "form.txt", "file": WORDS},
            facts={"It has the name of the form": 'body.file_name == "form.txt"'},
        ),
        Request(
            route="GET /files",
            name="List files",
            query={"limit": "10"},
            facts={"Both are there": 'body.map(name) == ["form.txt", "notes/hello.txt"]'},
        ),
        Request(
            route="GET /file",
            name="Get a file as Base64",
            query={"file_name": "{{file_name}}"},
            facts={
                "It is what was put last": 'atob(text) == "Good night."',
                "Its tag is that of the upload": "header('etag') == '\"' + $etag + '\"'",
            },
        ),
        Request(
            route="GET /file",
            name="Get its bytes",
            query={"file_name": "{{file_name}}"},
            headers={"Accept": "application/octet-stream"},
            facts={"They are what was put": 'text == "Good night."'},
        ),
        Request(
            route="HEAD /file",
            name="Get its size",
            query={"file_name": "{{file_name}}"},
            facts={"It is in a header": 'header("x-file-size") == "11"'},
        ),
        Request(
            route="GET /versions",
            name="List versions",
            query={"file_name": "{{file_name}}"},
            facts={"There are two": "body.map((each) => each.version) == [2, 1]"},
        ),
        Request(
            route="POST /restore",
            name="Make the first version current",
            body={"file_name": "{{file_name}}", "version": 1},
            facts={"Its bytes are those of the first": f"body.size == {len(WORDS)}"},
        ),
        Request(
            route="PATCH /file",
            name="Rename, describe and tag a file",
            body={
                "file_name": "{{file_name}}",
                "new_name": "letters/hello.txt",
                "description": "For a friend",
                "tags": ["letter"],
            },
            facts={"It has the tag": 'body.tags == ["letter"]'},
            keep={"file_name": "body.file_name"},
        ),
        Request(
            route="PATCH /file",
            name="Move a folder",
            body={"file_name": "letters/", "new_name": "post/"},
            facts={"Its file has moved": "body.moved == 1"},
            keep={"job_id": "body.id", "file_name": '"post/hello.txt"'},
        ),
        Request(
            route="GET /jobs/{job_id}",
            name="How far is the move? It was too small for a job",
            status=404,
            facts={"There is none": 'body.type == "/problems/no-such-job"'},
        ),
        Request(
            route="POST /copy",
            name="Copy a file",
            status=201,
            body={"file_name": "{{file_name}}", "new_name": "copy.txt"},
            facts={"It has the same size": f"body.size == {len(WORDS)}"},
        ),
        Request(
            route="GET /download",
            name="Get an address to download from",
            query={"file_name": "{{file_name}}"},
            facts={"There is a command too": "body.curl matches /^curl /"},
            keep={"download_url": "body.url"},
        ),
        Request(
            route="GET {{download_url}}",
            name="Download from S3",
            auth="",
            facts={"It is the file": "text == 'Hello, friend.\\n'"},
        ),
        Request(
            route="DELETE /file", name="Delete a file", status=204, query={"file_name": "copy.txt"}
        ),
        Request(
            route="GET /trash",
            name="List the trash",
            facts={"It is there": 'body.map(name) == ["copy.txt"]'},
        ),
        Request(
            route="POST /restore",
            name="Restore a deleted file",
            body={"file_name": "copy.txt"},
            facts={"It is back": 'body.file_name == "copy.txt"'},
        ),
        Request(
            route="DELETE /file",
            name="Delete it again",
            status=204,
            query={"file_name": "copy.txt"},
        ),
        Request(route="DELETE /trash", name="Empty the trash", status=204),
        Request(
            route="GET /changes",
            name="List changes",
            facts={
                "The copy is gone": "body.filter((each) => each.gone).map(name) has 'copy.txt'",
                "It says where to go on": 'header("x-next-cursor") matches /./',
            },
        ),
        Request(
            route="GET /usage",
            name="Your usage",
            facts={"It is your own": "body.map((each) => each.username) == [$username]"},
        ),
    ),
)

LARGE_FILES = Folder(
    "Large files",
    "The bytes go straight to S3: in one PUT up to 64 MiB, in parts above.",
    (
        Request(
            route="POST /uploads",
            name="Start an upload in one PUT",
            status=201,
            body={
                "file_name": "large/one.txt",
                "size": len(WORDS),
                "content_type": "text/plain",
            },
            facts={"It takes one PUT": 'body.method == "put"'},
            keep={
                "upload_id": "body.upload_id",
                "put_url": "body.put.url",
                "put_headers": "JSON.stringify(body.put.headers)",
            },
        ),
        Request(
            route="GET /uploads",
            name="List uploads",
            facts={"It has begun": "body.map((each) => each.upload_id) has $upload_id"},
        ),
        Request(
            route="GET /uploads/{upload_id}",
            name="What has arrived?",
            facts={"Nothing has": "body.missing == [1]"},
        ),
        send("Send the bytes to S3", "put_url", headers="put_headers"),
        Request(
            route="POST /uploads/{upload_id}/complete",
            name="Complete the upload",
            body={},
            facts={"It is a file": 'body.file_name == "large/one.txt"'},
        ),
        Request(
            route="POST /uploads",
            name="Start an upload in parts",
            status=201,
            body={"file_name": "large/film.mkv", "size": IN_PARTS},
            facts={"It takes nine parts of 8 MiB": "body.total_parts == 9"},
            keep={"upload_id": "body.upload_id"},
        ),
        Request(
            route="POST /uploads/{upload_id}/parts",
            name="Sign the address of its last part",
            body={"part_numbers": [9]},
            facts={"It has one byte": "body.parts[0].size == 1"},
            keep={
                "part_url": "body.parts[0].url",
                "part_headers": "JSON.stringify(body.parts[0].headers)",
            },
        ),
        send("Send the last part to S3", "part_url", headers="part_headers", data="!"),
        Request(
            route="GET /uploads/{upload_id}",
            name="Which parts have arrived?",
            facts={
                "The last one has": "body.arrived == [9]",
                "The others are missing": "body.missing == [1, 2, 3, 4, 5, 6, 7, 8]",
            },
        ),
        Request(
            route="POST /uploads/{upload_id}/complete",
            name="Complete it too early",
            status=409,
            body={},
            facts={"It is refused": 'body.type == "/problems/upload-incomplete"'},
        ),
        Request(route="DELETE /uploads/{upload_id}", name="Abort the upload", status=204),
    ),
)
