"""The second factor (RFC 6238)."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query

from function.account_errors import MfaOn, NoSuchFactor, WrongCredentials, WrongOtp
from function.account_models import Confirmation, Enrolment, PasswordProof, RecoveryCodes
from function.deps import Holder, MfaDep
from function.errors import ChangedMeanwhile, SlowDown
from function.fields import Otp
from function.routes.answers import answers, nothing

router = Router()


@router.post(
    "/mfa",
    status_code=201,
    responses=answers({201: Enrolment}, WrongCredentials, SlowDown, MfaOn, ChangedMeanwhile),
)
def begin_mfa(body: PasswordProof, caller: Holder, mfa: MfaDep) -> Enrolment:
    """Begin with a second factor: a secret for your authenticator. It takes your password.

    No code is asked for until one is confirmed; begun again, there is another secret.
    """
    return mfa.enrol(caller, body)


@router.post(
    "/mfa/confirm", responses=answers({200: RecoveryCodes}, NoSuchFactor, WrongOtp, SlowDown)
)
def confirm_mfa(body: Confirmation, caller: Holder, mfa: MfaDep) -> RecoveryCodes:
    """Confirm it with a code: from now on a login takes one. You get ten recovery codes, once."""
    return mfa.confirm(caller, body)


@router.delete(
    "/mfa", status_code=204, responses=answers({204: None}, NoSuchFactor, WrongOtp, SlowDown)
)
def remove_mfa(otp: Annotated[Otp, Query()], caller: Holder, mfa: MfaDep) -> Response[None]:
    """Take the second factor off, with a code or a recovery code in `otp`."""
    mfa.remove(caller, otp)
    return nothing()
