"""Odd inputs: bodies, values, query strings, headers, ids that no client should send."""

import gzip
import json
from typing import Any

JSON = "application/json"
FORM = "multipart/form-data; boundary=b"

# (what it is, the body, its content type). None of them is one good JSON object.
BODIES: list[tuple[str, bytes, str]] = [
    ("truncated", b'{"username": "ali', JSON),
    ("truncated after a name", b'{"username"', JSON),
    ("open brace", b"{", JSON),
    ("close brace", b"}", JSON),
    ("two objects", b"{}{}", JSON),
    ("trailing comma", b'{"username": "alice",}', JSON),
    ("single quotes", b"{'username': 'alice'}", JSON),
    ("a comment", b'{"username": "alice"} // alice', JSON),
    ("an array", b'["alice"]', JSON),
    ("an array of objects", b'[{"username":"alice","password":"correct horse"}]', JSON),
    ("an array of one and another", b'[{"username":"alice"},{"x":1}]', JSON),
    ("an empty array", b"[]", JSON),
    ("null", b"null", JSON),
    ("true", b"true", JSON),
    ("a string", b'"alice"', JSON),
    ("a number", b"1", JSON),
    ("an unknown field", b'{"\xc3\xa9": 1}', JSON),
    ("a role", b'{"role": "admin", "is_admin": true}', JSON),
    ("prototype", b'{"__proto__": {"role": "admin"}, "constructor": {}}', JSON),
    ("a name twice", b'{"username": "alice", "username": "bob"}', JSON),
    ("a name twice within", b'{"x": {"a": 1, "a": 2}}', JSON),
    ("NaN", b'{"username": NaN}', JSON),
    ("Infinity", b'{"username": Infinity}', JSON),
    ("-Infinity", b'{"expires_in": -Infinity}', JSON),
    ("a number too large for a float", b'{"expires_in": 1e999}', JSON),
    ("5,000 digits", b'{"expires_in": ' + b"9" * 5000 + b"}", JSON),
    ("5,000 decimals", b'{"expires_in": 0.' + b"9" * 5000 + b"}", JSON),
    ("a huge exponent", b'{"expires_in": 1e' + b"9" * 4000 + b"}", JSON),
    ("a leading zero", b'{"expires_in": 01}', JSON),
    ("100 kB of [", b"[" * 100_000, JSON),
    ("100 kB of {", b'{"a":' * 20_000, JSON),
    ("500 deep", b'{"username":' + b"[" * 500 + b"]" * 500 + b"}", JSON),
    ("900 deep", b'{"x":' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}", JSON),
    ("a million spaces", b" " * 1_000_000, JSON),
    ("10,000 fields", json.dumps({f"f{n}": n for n in range(10_000)}).encode(), JSON),
    ("no UTF-8", b'{"username": "\xff\xfe"}', JSON),
    ("no UTF-8, not said to be text", b'{"username": "\xff\xfe"}', ""),
    ("an overlong slash", b'{"file_name": "\xc0\xaf"}', ""),
    ("UTF-16", '{"username": "alice"}'.encode("utf-16"), JSON),
    ("UTF-16, said", '{"username": "alice"}'.encode("utf-16"), JSON + "; charset=utf-16"),
    ("UTF-32", '{"username": "alice"}'.encode("utf-32"), ""),
    ("UTF-8 with a mark", b'\xef\xbb\xbf{"username": "alice"}', JSON),
    ("Latin-1", b'{"username": "\xe9"}', JSON + "; charset=iso-8859-1"),
    ("a lone surrogate as a name", b'{"\\ud800": 1}', JSON),
    ("a control character", b'{"username": "al\x00ice"}', JSON),
    ("zeros", bytes(1000), JSON),
    ("zeros, not said to be text", bytes(1000), ""),
    ("gzip", gzip.compress(b'{"username": "alice"}'), JSON),
    ("gzip, a type of its own", gzip.compress(b"{}"), "application/gzip"),
    ("a form as curl sends it", b"username=alice&password=x", "application/x-www-form-urlencoded"),
    ("JSON as curl -d sends it", b'{"username": "alice"}', "application/x-www-form-urlencoded"),
    ("multipart without boundary", b"--b\r\n\r\n--b--", "multipart/form-data"),
    ("multipart without end", b"--b\r\ncontent-disposition: form-data\r\n", FORM),
    ("multipart of nothing", b"--b--\r\n", FORM),
    ("multipart, no UTF-8", b"--b\r\n\xff: \xff\r\n\r\n\xff\r\n--b--\r\n", FORM),
    ("multipart with a long boundary", b"--b--", "multipart/form-data; boundary=" + "b" * 5000),
    ("multipart/mixed", b"--b--", "multipart/mixed; boundary=b"),
    ("text", b'{"username": "alice"}', "text/plain"),
    ("HTML", b"<p>alice</p>", "text/html"),
    ("XML with an entity", b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', "text/xml"),
    ("another JSON", b'{"username": "alice"}', "application/jsonx"),
    ("a JSON of somebody's", b'{"username": "alice"}', "application/vnd.api+json"),
    ("JSON lines", b'{"username": "alice"}\n{}', "application/x-ndjson"),
    ("two types", b'{"username": "alice"}', "application/json, text/plain"),
    ("no type at all", b'{"username": "alice"}', "; charset=utf-8"),
    ("an unknown charset", b'{"username": "alice"}', JSON + "; charset=klingon"),
    ("a type with a quote", b"{", 'application/json; charset="'),
    ("CBOR", b"\xa1\x61a\x01", "application/cbor"),
]
GOOD_TYPES = [
    "Application/JSON",
    "APPLICATION/JSON; Charset=UTF-8",
    'application/json;charset="utf-8"',
]

# Instead of the value of a field.
VALUES: list[Any] = [
    None, True, 0, -1, 1.5, 10**30, "", " ", "x" * 5000, "\ud800", "a\0b", "a\r\nset-cookie: x",
    "\u202egnp.exe", "../../etc/passwd", "/", "%00", "{{7*7}}", "' OR 1=1 --", "${jndi:ldap://x}",
    [], ["alice"], {}, {"$ne": None}, [[[[]]]], [None], ["\ud800"], [10**30], ["x" * 5000] * 30,
]  # fmt: skip

# Instead of the query string, as it stands on the wire.
QUERIES: list[str] = [
    "unknown=1", "=", "==", "=1", "&&&", "%", "%%", "%ff", "%ff=%ff", "a%00=1", "%ED%A0%80=1",
    "file_name[]=a", "file_name[$ne]=", "a;b=1", "x=" + "y" * 9000, "a=1&" * 500, "username=alice",
    "__proto__=1", "+", "?", "limit=10&limit=20", "file_name=a.txt&file_name=b.txt",
    "\u00e9=\u00e9",
]  # fmt: skip
# Instead of the value of a query field, as it stands on the wire.
QUERY_VALUES: list[str] = [
    "", "+", "%00", "%ff", "%ED%A0%80", "-1", "0", "1e9", "99999999999999999999", "1.5", "%D9%A3",
    "true", "null", "NaN", "[]", "..", "/", "a/../b", "x" * 9000, "%0d%0aset-cookie:x", "a,b",
    "%F0%9F%90%8E", "%E2%80%AE", "'", "%22", "\\",
]  # fmt: skip

# Beside a good request. Those of the first list leave it as good as it was.
HEADERS: list[dict[str, str]] = [
    {"accept": "\u00e9"},
    {"accept": "," * 5000},
    {"accept": "application/octet-stream;q=0, */*"},
    {"accept-encoding": "gzip, br"},
    {"range": "bytes=0-1,3-4"},
    {"range": "bytes=-"},
    {"range": "bytes=99999999999999999999-"},
    {"range": "x" * 5000},
    {"if-match": "*"},
    {"if-match": '"' * 3000},
    {"if-none-match": ","},
    {"if-none-match": "W/"},
    {"if-range": "Thu, 01 Jan 1970 00:00:00 GMT"},
    {"if-modified-since": "yesterday"},
    {"x-forwarded-for": "<script>"},
    {"x-forwarded-proto": "javascript"},
    {"forwarded": "for=\u00e9"},
    {"x-http-method-override": "DELETE"},
    {"x-original-url": "/admin"},
    {"host": "evil.example"},
    {"host": ""},
    {"origin": "https://evil.example"},
    {"cookie": "session=1; \u00e9"},
    {"x-amzn-trace-id": "x" * 3000},
    {"traceparent": "00-zz"},
    {"user-agent": ""},
    {"x-unknown": "x" * 9000},
    {"content-encoding": "gzip"},
    {"content-encoding": "br, gzip"},
    {"content-type": ""},
    {"content-type": "a/b" + ";a=b " * 39 + "\x7f"},
    {"expect": "100-continue"},
    {"authorization": "Basic YWxpY2U6eA=="},
]

# Instead of a token: nobody is signed in with any of them.
TOKENS: list[str] = [
    "", " ", "garbage", "alice", "alice.", ".", "." + "A" * 43, "alice." + "A" * 43,
    "alice." + "A" * 42, "alice." + "A" * 44, "ALICE." + "A" * 43, "alice." + "\u00e9" * 43,
    "alice." + "A" * 43 + "\n", "alice.." + "A" * 43, "x" * 4096, "\u00e9", "null", "undefined",
    "' OR 1=1 --", "alice." + "A" * 43 + ", alice." + "A" * 43, "user:alice." + "A" * 43,
]  # fmt: skip

# Instead of an id in a path, as it stands on the wire.
IDS: list[str] = [
    "x", "0" * 32, "0" * 31, "F" * 32, ".", "..", "%2e%2e", "%2f", "%00", "%0a", "\u00e9", "%ff",
    "x" * 3000, "-", "~", "a,b", "'", "%22", "null", "1", "*",
]  # fmt: skip
