"""The examples of the OpenAPI document. Only the document loads them.

Where one thing has one word, its example can be found by that word: a parameter or field has the
example of its name, or the one of `operation.name` or `Model.name` where that differs. The bodies
of requests are written out by operation. `tests/meta/test_examples.py` sends them all.
"""

from typing import Any

PASSWORD = "correct horse battery staple"  # noqa: S105 - of an example
TOKEN = "alice." + "q" * 43
TIME, LATER = "2026-09-21T14:13:20.250Z", "2026-09-28T14:13:20.250Z"
HEX32, HEX64 = "9a0364b9e99bb480dd25e1f0284c8555", "3b1fb3a6a9a1c6d8" * 4
LINK_TOKEN, LINK_ID = "VqsCp0uYJ1hN3sWzM8eKxA6dRf2tLb5g", "lnk_" + "7c" * 8
# Of the example of `putFile`, as Python writes its JSON, and of that of `sendFile`.
DIGEST = "sha-256=:p2A6VMlB0ehi2APg6VpJDtetdV5zJgcoWohFN9qP2v0=:"
SENT_DIGEST = "sha-256=:ibOLERc8GrpcEYoYBsDfhY4sKewxbzNtQwajpNjNJ38=:"

# Query, header and path parameters.
PARAMETERS: dict[str, Any] = {
    "Content-Digest": DIGEST,
    "If-Match": "*",
    "If-None-Match": f'"{HEX32}"',
    "If-Range": f'"{HEX32}"',
    "Range": "bytes=0-499",
    "Repr-Digest": DIGEST,
    "action": "file.upload",
    "alias": "summer-2026",
    "allow_download": True,
    "audience": "bob",
    "content_type": "text/plain",
    "cursor": "q7Vd0uYJ1hN3sWzM8eKxA6dRf2tLb5gYmVmb3Jl",
    "dotfiles": True,
    "everybody": False,
    "everywhere": False,
    "expires_in": 604_800,
    "file_name": "hello.txt",
    "filename": "film.mkv",
    "folders": False,
    "format": "curl",
    "group": "team",
    "held": False,
    "id": "b2xkLnR4dAAyMDI2LTA5LTIxVDE0OjEzOjIwLjI1MFo",
    "idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    "inline": True,
    "invited": False,
    "invite_id": f"1790000000-{HEX64}",
    "job_id": HEX32,
    "key": "film.mkv",
    "key_id": HEX64,
    "limit": 10,
    "link_id": LINK_ID,
    "max_downloads": 5,
    "metadata": "104857600",
    "name": "hello.txt",
    "note": "As promised.",
    "on_conflict": "replace",
    "order": "asc",
    "owner": "alice",
    "partNumbers": "1,2",
    "part_number": "1",
    "permanent": False,
    "prefix": "photos/",
    "q": "hello",
    "redirect": False,
    "request_id": HEX32,
    "scope": "own",
    "session_id": HEX64,
    "since": "2026-09-20T00:00:00Z",
    "size": 15,
    "slug": "no-such-file",
    "sort": "modified",
    "start": "now",
    "tag": "greeting",
    "token": LINK_TOKEN,
    "type": "document",
    "until": "2026-09-22T00:00:00Z",
    "upload_id": HEX32,
    "urls": True,
    "username": "alice",
    "version": 1,
    "with_me": True,
    "x-link-grant": "1790003600." + "p" * 43,
    "x-link-password": "seven quiet otters",
    "x-otp": "123456",
    # Where the same word is about somebody else, or another kind.
    "getSendScript.on_conflict": "rename",
    "sendFile.Content-Digest": SENT_DIGEST,
    "sendFile.Repr-Digest": SENT_DIGEST,
    "sendFile.on_conflict": "rename",
    "changeUser.username": "bob",
    "deleteUser.username": "bob",
    "getPutParameters.type": "video/x-matroska",
    "putMember.username": "bob",
    "removeMember.username": "carol",
    "resetUser.username": "bob",
    "unshareFile.username": "bob",
}
# Where the signature of a route has none.
DESCRIPTIONS = {
    "alias": "An address that people can remember, and guess.",
    "allow_download": "Whether the link gives the bytes, and not only the list.",
    "audience": "The only account that can open the link.",
    "content_type": "The media type; by default guessed from the name.",
    "everywhere": "End all sessions of the account, not only this one.",
    "filename": "The file's name.",
    "invite_id": "An `id` of `GET /invites`.",
    "job_id": "The `id` of `PATCH /file`.",
    "key_id": "An `id` of `GET /keys`.",
    "limit": "The maximum number of items on a page.",
    "link_id": "An `id` of `GET /links`.",
    "max_downloads": "The downloads that the link gives.",
    "note": "What visitors of the link read.",
    "on_conflict": "What to do where a file has this name.",
    "order": "Ascending or descending.",
    "part_number": "The number of the part, from 1.",
    "request_id": "An `id` of `GET /requests`.",
    "session_id": "An `id` of `GET /sessions`.",
    "token": "The last part of the address that its owner sent.",
    "type": "The media type.",
    "upload_id": "The `upload_id` of the answer that began the upload.",
    "username": "The name of the account.",
    "version": "A `version` of `GET /versions`; the current one by default.",
}

# Fields of answers; one that is not here is null.
FIELDS: dict[str, Any] = {
    "accepted": True,
    "action": "file.upload",
    "actor": "alice",
    "advice": "Check the name and its owner.",
    "address": "203.0.113.7",
    "administrator_setup": False,
    "agent": "curl/8.5.0",
    "allow_download": True,
    "allowed_types": [".pdf", "image/*"],
    "arrived": [1],
    "at": TIME,
    "bytes": 1_048_576,
    "bytes_left": 103_809_024,
    "bytes_reserved": 0,
    "bytes_used": 16_384,
    "content_type": "text/plain",
    "count": 1,
    "created": TIME,
    "curl": "curl -fgsS -o hello.txt https://bucket.s3.eu-central-1.amazonaws.com/…",
    "current": True,
    "deleted": TIME,
    "detail": "Check the name and its owner.",
    "disabled": False,
    "downloads": 2,
    "downloads_left": 3,
    "email": "alice@example.org",
    "etag": HEX32,
    "expires_at": LATER,
    "features": ["folders", "shares", "versions"],
    "file_name": "hello.txt",
    "files": 3,
    "files_left": 4,
    "files_reserved": 0,
    "files_used": 3,
    "folder": "slides/",
    "gone": False,
    "grant": f"1790003600.{HEX32}.{'p' * 43}",
    "group": "team",
    "has_password": False,
    "headers": {"content-type": "text/plain"},
    "how": "page",
    "id": HEX32,
    "key": "alice/hello.txt",
    "kind": "downloaded",
    "left": 0,
    "max_downloads": 5,
    "max_file_size": 104_857_600,
    "max_files": 5,
    "meaning": "No such file, or the caller has no access of this kind to it.",
    "method": "multipart",
    "mfa": False,
    "missing": [2, 3],
    "modified": TIME,
    "modified_by": "alice",
    "moved": 12,
    "name": "backup",
    "needs_password": False,
    "new_name": "archive/",
    "open": True,
    "owner": "alice",
    "part_number": 1,
    "part_size": 8_388_608,
    "permission": "own",
    "quota": 10_737_418_240,
    "reason": "is required",
    "received": TIME,
    "recovery_codes": ["k3m7q2xw5a6b4c7dz2y3n5p6r7"],
    "recovery_codes_left": 10,
    "registration": "open",
    "removed": 3,
    "request_id": "JKJaXmPLvHcESHA=",
    "require_name": True,
    "restore_until": LATER,
    "revision": "5d41402abc4b2a76b9719d911017c592",
    "role": "member",
    "scopes": ["read"],
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "seen": TIME,
    "sha256": HEX64,
    "size": 15,
    "slug": "no-such-file",
    "state": "done",
    "status": 404,
    "subject": "user:bob read",
    "tags": ["greeting"],
    "times": 1,
    "title": "Slides of the talk",
    "token": TOKEN,
    "total_parts": 13,
    "type": "/problems/no-such-file",
    "until": LATER,
    "upload_id": HEX32,
    "uri": "otpauth://totp/Satchel:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Satchel",
    "url": "https://bucket.s3.eu-central-1.amazonaws.com/alice/9a0364b9?X-Amz-Signature=3b1fb3a6",
    "username": "alice",
    "version": 1,
    # Where the same word is another kind.
    "Closure.left": ["files"],
    "CreatedFileRequest.url": f"https://files.example.org/r/{LINK_TOKEN}",
    "FieldError.at": "body.file_name",
    "Folder.key": "alice/photos/",
    "Folder.folder": "photos/",
    "Health.status": "ok",
    "Health.version": "0.1.0",
    "Info.version": "0.1.0",
    "Job.file_name": "photos/",
    "Job.kind": "move",
    "Limits.small_file_bytes": 4_194_304,
    "Limits.file_bytes": 5_497_558_138_880,
    "Limits.single_put_bytes": 67_108_864,
    "Limits.smallest_part_bytes": 8_388_608,
    "Limits.most_parts": 10_000,
    "Limits.most_parts_signed_at_once": 100,
    "Limits.upload_seconds": 604_800,
    "Limits.url_seconds": 300,
    "Limits.name_bytes": 900,
    "Limits.name_levels": 20,
    "Limits.segment_bytes": 255,
    "Limits.password_min_length": 8,
    "Limits.session_seconds": 43_200,
    "Limits.keep_seconds": 2_592_000,
    "Link.items": ["hello.txt"],
    "Sent.items": ["hello.txt"],
    "Link.url": f"https://files.example.org/s/{LINK_TOKEN}",
    "LinkSummary.url": None,
    "Problem.title": "No such file, or you do not have access to it",
    "ProblemKind.title": "No such file, or you do not have access to it",
    "Share.permission": "read",
    "Share.group": None,
    "Share.username": "bob",
    "SignedPart.headers": {},
    "TrashItem.id": PARAMETERS["id"],
}

# The bodies of requests, by operation; the first of several is the one that tools fill in.
REQUESTS: dict[str, dict[str, Any]] = {
    "registerAccount": {
        "account": {"username": "alice", "password": PASSWORD, "email": "alice@example.org"}
    },
    "logIn": {"password": {"username": "alice", "password": PASSWORD}},
    "changeMe": {"email": {"email": "alice@example.org", "current_password": PASSWORD}},
    "changePassword": {
        "password": {"current_password": PASSWORD, "new_password": "seven quiet otters"}
    },
    "forgotPassword": {"account": {"username": "alice"}},
    "resetPassword": {"token": {"token": TOKEN, "new_password": "seven quiet otters"}},
    "createKey": {
        "key": {
            "name": "backup",
            "scopes": ["read"],
            "expires_in": 7_776_000,
            "current_password": PASSWORD,
        }
    },
    "beginMfa": {"password": {"current_password": PASSWORD}},
    "confirmMfa": {"code": {"otp": "123456"}},
    "createInvite": {
        "member": {"role": "member", "email": "newcomer@example.org", "expires_in": 604_800}
    },
    "changeUser": {"quota": {"quota": 10_737_418_240}, "disable": {"disabled": True}},
    "putFile": {"text": {"file_name": "hello.txt", "content": "SGVsbG8sIGZyaWVuZC4K"}},
    "changeFile": {
        "describe": {
            "file_name": "hello.txt",
            "description": "The first file",
            "tags": ["greeting"],
        },
        "rename": {"file_name": "hello.txt", "new_name": "greetings/hello.txt"},
        "moveFolder": {"file_name": "photos/", "new_name": "archive/"},
    },
    "copyFile": {
        "copy": {"file_name": "hello.txt", "new_name": "hello again.txt", "on_conflict": "replace"}
    },
    "restoreFile": {
        "version": {"file_name": "hello.txt", "version": 1},
        "deleted": {"file_name": "old.txt"},
    },
    "startUpload": {
        "film": {"file_name": "film.mkv", "size": 104_857_600, "content_type": "video/x-matroska"}
    },
    "signParts": {"numbers": {"part_numbers": [1, 2]}},
    "completeUpload": {
        "all": {},
        "parts": {"parts": [{"part_number": 1, "etag": "cc84343249cac6c1c6752f06a3c43a8f"}]},
    },
    "shareFile": {
        "account": {"file_name": "hello.txt", "username": "bob", "permission": "read"},
        "group": {"file_name": "photos/", "group": "team", "permission": "write"},
    },
    "createLink": {
        "week": {"items": ["hello.txt"], "expires_in": 604_800},
        "guarded": {
            "items": ["hello.txt", "photos/"],
            "password": "seven quiet otters",
            "max_downloads": 5,
            "note": "As promised.",
        },
    },
    "updateLink": {"extend": {"expires_in": 2_592_000, "max_downloads": 20}},
    "unlockLink": {"password": {"password": "seven quiet otters"}},
    "downloadByLink": {"file": {"file_name": "hello.txt"}, "folder": {"format": "curl"}},
    "createFileRequest": {
        "slides": {
            "title": "Slides of the talk",
            "folder": "slides/",
            "max_files": 5,
            "allowed_types": [".pdf", "image/*"],
        }
    },
    "updateFileRequest": {"close": {"open": False}, "more": {"max_files": 10}},
    "unlockFileRequest": {"password": {"password": "seven quiet otters"}},
    "createFileRequestUpload": {
        "slides": {"file_name": "talk.pdf", "size": 1_048_576, "sender": "Zoë"}
    },
    "signFileRequestParts": {"numbers": {"part_numbers": [1, 2]}},
    "completeFileRequestUpload": {"all": {}},
    "createMultipart": {
        "film": {
            "filename": "film.mkv",
            "type": "video/x-matroska",
            "metadata": {"size": 104_857_600},
        }
    },
    "completeMultipart": {
        "parts": {"parts": [{"PartNumber": 1, "ETag": "cc84343249cac6c1c6752f06a3c43a8f"}]}
    },
    "createPutParameters": {
        "photo": {"filename": "lake.jpg", "type": "image/jpeg", "metadata": {"size": 1_048_576}}
    },
}


def parameter_example(operation: str, name: str) -> Any:
    """The example of a parameter. Raises KeyError where it has none."""
    named = f"{operation}.{name}"
    return PARAMETERS[named] if named in PARAMETERS else PARAMETERS[name]


def answer_example(schema: Any, schemas: Any, name: str = "") -> Any:
    """An example of an answer with this schema; `name` is that of the model, or of the field."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return answer_example(schemas[name], schemas, name)
    if "anyOf" in schema:
        return answer_example(schema["anyOf"][0], schemas, name)
    if schema.get("type") == "array":
        return [answer_example(schema.get("items", {}), schemas)]
    if "properties" in schema:
        return {
            field: _field_example(name, field, each, schemas)
            for field, each in schema["properties"].items()
        }
    return None if schema.get("type") in {"string", "integer"} else {}


def _field_example(model: str, field: str, schema: Any, schemas: Any) -> Any:
    """The example of a field: of its name, or made of those of the models that it contains."""
    for named in (f"{model}.{field}", field):
        if named in FIELDS:
            return FIELDS[named]
    if {"type": "null"} in schema.get("anyOf", ()):
        return None
    return answer_example(schema, schemas, field)
