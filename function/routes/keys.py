"""API keys, for scripts."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from function.account_errors import NoSuchKey, NotAllowed
from function.account_models import KeyRequest, KeyView, NewKey
from function.deps import Holder, KeysDep
from function.errors import ChangedMeanwhile
from function.routes.answers import answers, nothing
from function.sharing_errors import LimitReached

router = Router()


@router.post(
    "/keys",
    status_code=201,
    responses=answers({201: NewKey}, NotAllowed, LimitReached, ChangedMeanwhile),
)
def make_key(body: KeyRequest, caller: Holder, keys: KeysDep) -> NewKey:
    """Make an API key, to be sent as a token is; it is said this once.

    It may do what its scopes say, of what your role allows. It lasts 90 days unless `expires_in`
    says otherwise, a year at most. A key makes none that may more, or lives longer, than itself.
    """
    return keys.create(caller, body)


@router.get("/keys", responses=answers({200: list[KeyView]}))
def list_keys(caller: Holder, keys: KeysDep) -> list[KeyView]:
    """List your API keys, the newest first; there are at most 50."""
    return keys.of(caller)


@router.delete(
    "/keys/<key_id>", status_code=204, responses=answers({204: None}, NoSuchKey, ChangedMeanwhile)
)
def revoke_key(key_id: str, caller: Holder, keys: KeysDep) -> Response[None]:
    """Revoke an API key; it is dead at once."""
    keys.revoke(caller, key_id)
    return nothing()
