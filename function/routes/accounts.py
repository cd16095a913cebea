"""Accounts: register, log in, log out, who am I."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from function.account_errors import UsernameTaken, WeakPassword, WrongCredentials
from function.account_models import AccountView, Credentials, Registered, Registration, Token
from function.deps import AccountsDep, Caller, Sent
from function.errors import NotSignedIn, SlowDown
from function.routes.answers import answers, nothing

router = Router()


@router.post(
    "/register", status_code=201, responses=answers({201: Registered}, UsernameTaken, WeakPassword)
)
def register(body: Registration, accounts: AccountsDep) -> Registered:
    """Make an account. Names are folded to lower case: `Alice` and `alice` are one."""
    return accounts.register(body)


@router.post("/login", responses=answers({200: Token}, WrongCredentials, SlowDown))
def login(body: Credentials, sent: Sent, accounts: AccountsDep) -> Token:
    """Start a session. Send its token in the header `x-session-token`."""
    return accounts.login(body, sent.address)


@router.post("/logout", status_code=204, responses=answers({204: None}))
def logout(caller: Caller, accounts: AccountsDep) -> Response[None]:
    """End the session; its token is dead at once, on every machine."""
    if not accounts.logout(caller):
        raise NotSignedIn
    return nothing()


@router.get("/me")
def me(caller: Caller, accounts: AccountsDep) -> AccountView:
    """Your own account."""
    return accounts.me(caller)
