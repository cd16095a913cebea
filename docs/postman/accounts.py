"""The requests about accounts, and those of an administrator."""

from docs.postman.files import log_in
from docs.postman.requests import Folder, Request

NEW_PASSWORD = "a lamp in the rain"  # noqa: S105 - of accounts that nobody else uses
ADMIN = "admin_token"


def otp(steps: int) -> tuple[str, ...]:
    """The script of an authenticator (RFC 6238): the code of now, or of later steps."""
    return (
        'const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";',
        "const digits = (letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0');",
        "const bits = [...$mfa_secret].map(digits).join('');",
        "const hex = bits.match(/.{4}/g).map((each) => parseInt(each, 2).toString(16)).join('');",
        f"const step = (Math.floor(Date.now() / 30000) + {steps}).toString(16).padStart(16, '0');",
        "const parse = CryptoJS.enc.Hex.parse;",
        "const mac = CryptoJS.HmacSHA1(parse(step), parse(hex)).toString();",
        "const at = parseInt(mac.slice(-1), 16) * 2;",
        "const code = (parseInt(mac.slice(at, at + 8), 16) & 0x7fffffff) % 1000000;",
        "pm.collectionVariables.set('otp', String(code).padStart(6, '0'));",
    )


ACCOUNTS = Folder(
    "Accounts",
    "Sessions, API keys, a second factor and passwords.",
    (
        log_in("Log in a second time", "username", "second_token"),
        Request(
            route="GET /sessions",
            name="List sessions",
            facts={"There are two": "body.length == 2"},
            keep={"session_id": "body.find((each) => !each.current).id"},
        ),
        Request(route="DELETE /sessions/{session_id}", name="End the other session", status=204),
        Request(
            route="GET /me",
            name="It has ended",
            auth="second_token",
            status=401,
            facts={"Its token is worth nothing": 'body.type == "/problems/not-signed-in"'},
        ),
        Request(
            route="POST /keys",
            name="Create an API key",
            status=201,
            body={
                "name": "nightly backup",
                "scopes": ["read"],
                "expires_in": 86400,
                "current_password": "{{password}}",
            },
            facts={"It may read": 'body.scopes == ["read"]'},
            keep={"key_id": "body.id", "key": "body.token"},
        ),
        Request(
            route="GET /files",
            name="List files with the API key",
            auth="key",
            facts={"There are files": "body.map((each) => each.owner) has $username"},
        ),
        Request(
            route="GET /keys",
            name="List API keys",
            facts={"It is there": "body.map((each) => each.id) == [$key_id]"},
        ),
        Request(route="DELETE /keys/{key_id}", name="Revoke the API key", status=204),
        Request(
            route="PATCH /me",
            name="Set the mail address",
            body={"email": "{{username}}@example.org", "current_password": "{{password}}"},
            facts={"It is set": "body.email == $username + '@example.org'"},
        ),
        Request(
            route="POST /mfa",
            name="Create a secret for an authenticator",
            status=201,
            body={"current_password": "{{password}}"},
            facts={"An authenticator can read it": "body.uri matches /^otpauth:/"},
            keep={"mfa_secret": "body.secret"},
        ),
        Request(
            route="POST /mfa/confirm",
            name="Turn the second factor on",
            before=otp(0),
            body={"otp": "{{otp}}"},
            facts={"There are ten recovery codes": "body.recovery_codes.length == 10"},
            keep={"recovery_code": "body.recovery_codes[0]"},
        ),
        Request(
            route="POST /login",
            name="Log in with a code",
            auth="",
            before=otp(1),
            body={"username": "{{username}}", "password": "{{password}}", "otp": "{{otp}}"},
            facts={"There is a token": "body.token matches /./"},
            keep={"token": "body.token"},
        ),
        Request(
            route="DELETE /mfa",
            name="Turn it off with a recovery code",
            status=204,
            headers={"x-otp": "{{recovery_code}}"},
        ),
        Request(
            route="POST /password",
            name="Change the password",
            status=204,
            body={"current_password": "{{password}}", "new_password": NEW_PASSWORD},
            keep={"password": f'"{NEW_PASSWORD}"'},
        ),
        Request(
            route="POST /password/forgot",
            name="Forget the password",
            auth="",
            status=202,
            body={"username": "{{username}}"},
        ),
        Request(
            route="POST /password/reset",
            name="Reset it without the token of the mail",
            auth="",
            status=403,
            body={"token": "{{username}}." + "A" * 43, "new_password": NEW_PASSWORD},
            facts={"It is refused": 'body.type == "/problems/wrong-reset-token"'},
        ),
        log_in("Log in with the new password", "username", "second_token"),
        Request(
            route="POST /logout", name="Log out of that session", auth="second_token", status=204
        ),
    ),
)

ADMINISTRATION = Folder(
    "Administration",
    "Skipped without the variable `admin_password`. To register the administrator, which works "
    "once on a server, set `setup_token` too: `make serve` prints it.",
    (
        Request(
            route="POST /register",
            name="Register the administrator, unless it was done before",
            auth="",
            status=(201, 409),
            needs="setup_token",
            body={
                "username": "{{admin}}",
                "password": "{{admin_password}}",
                "setup_token": "{{setup_token}}",
            },
        ),
        Request(
            route="POST /login",
            name="Log in as the administrator",
            auth="",
            needs="admin_password",
            before=(f'pm.collectionVariables.unset("{ADMIN}");',),
            body={"username": "{{admin}}", "password": "{{admin_password}}"},
            facts={"There is a token": "body.token matches /./"},
            keep={ADMIN: "body.token"},
        ),
        Request(
            route="POST /invites",
            name="Invite a client",
            auth=ADMIN,
            needs=ADMIN,
            status=201,
            body={"role": "client", "expires_in": 3600},
            facts={"It is for a client": 'body.role == "client"'},
            keep={"invite_id": "body.id", "invite": "body.token"},
        ),
        Request(
            route="GET /invites",
            name="List invitations",
            auth=ADMIN,
            needs=ADMIN,
            query={"limit": "1000"},
            facts={"It is there": "body.map((each) => each.id) has $invite_id"},
        ),
        Request(
            route="POST /register",
            name="Register with the invitation",
            auth="",
            needs=ADMIN,
            status=201,
            body={"username": "{{guest}}", "password": "{{password}}", "invite": "{{invite}}"},
            facts={"It is a client": 'body.role == "client"'},
        ),
        Request(
            route="POST /invites",
            name="Invite another",
            auth=ADMIN,
            needs=ADMIN,
            status=201,
            body={},
            facts={"It is for a member": 'body.role == "member"'},
            keep={"invite_id": "body.id"},
        ),
        Request(
            route="DELETE /invites/{invite_id}",
            name="Delete that invitation",
            auth=ADMIN,
            needs=ADMIN,
            status=204,
        ),
        Request(
            route="GET /users",
            name="List accounts",
            auth=ADMIN,
            needs=ADMIN,
            facts={"There are some": "body[0].username matches /./"},
        ),
        Request(
            route="PATCH /users/{username}",
            name="Set a quota",
            auth=ADMIN,
            needs=ADMIN,
            path={"username": "{{guest}}"},
            body={"quota": 1000000},
            facts={"It is set": "body.quota == 1000000"},
        ),
        Request(
            route="GET /usage",
            name="The usage of an account",
            auth=ADMIN,
            needs=ADMIN,
            query={"username": "{{guest}}"},
            facts={"It has no files": "body[0].files_used == 0"},
        ),
        Request(
            route="POST /users/{username}/reset",
            name="Issue a token for a new password",
            auth=ADMIN,
            needs=ADMIN,
            status=201,
            path={"username": "{{guest}}"},
            facts={"It is for the account": "body.username == $guest"},
            keep={"reset_token": "body.token"},
        ),
        Request(
            route="POST /password/reset",
            name="Reset the password with it",
            auth="",
            needs=ADMIN,
            status=204,
            body={"token": "{{reset_token}}", "new_password": "snow on the harbour"},
        ),
        Request(
            route="GET /audit",
            name="The audit log of the account",
            auth=ADMIN,
            needs=ADMIN,
            query={"username": "{{guest}}"},
            facts={"It has the reset": "body.map((each) => each.action) has 'password.reset'"},
        ),
        Request(
            route="DELETE /users/{username}",
            name="Delete the account",
            auth=ADMIN,
            needs=ADMIN,
            status=204,
            path={"username": "{{guest}}"},
        ),
    ),
)
