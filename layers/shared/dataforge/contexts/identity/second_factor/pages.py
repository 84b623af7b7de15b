"""One's own second factor: set it up with a QR code, get other recovery codes, take it away."""

from functools import partial
from io import BytesIO
from typing import Annotated

from markupsafe import Markup
from pydantic import ValidationError
from starlette.responses import Response

from dataforge.contexts.identity.second_factor import commands, queries
from dataforge.contexts.identity.second_factor.calls import begin, confirm, remove, replace_codes
from dataforge.contexts.identity.second_factor.domain import SecondFactorOff, SecondFactorOn, WrongCode
from dataforge.contexts.identity.second_factor.wire import BeginIn, CodeIn, ProofIn
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions.commands import Rejected
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.access import Action, Kind
from dataforge.kernel.errors import DataForgeError, TooManyRequests, Unauthenticated
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web.calls import PageCall, require_page
from dataforge.web.routing import page_router

router = page_router("identity")
PAGE = "/ui/account/second-factor"
_INCOMPLETE = Unauthenticated(Text("Fill in the form."))


@router.get(PAGE)
async def second_factor_page(call: Annotated[PageCall, require_page(Action.READ, Kind.SECOND_FACTOR)]) -> Response:
    """Whether sign-ins need a code, with what can be done about it."""
    return await _state(call)


@router.post(PAGE)
async def begin_second_factor(call: Annotated[PageCall, require_page(Action.CREATE, Kind.SECOND_FACTOR)]) -> Response:
    """Show the secret as a QR code and as text, by the present password."""
    try:
        given = BeginIn(password=call.form.get("password", ""))
        result = await begin(call, commands.Proof(call.user_id, given.password))
    except ValidationError:
        return await _state(call, _INCOMPLETE)
    except TooManyRequests as error:
        return await _state(call, error)
    if isinstance(result, Rejected):
        return await _state(call, result.error)
    return _secret(call, result)


@router.post(f"{PAGE}/confirm")
async def confirm_second_factor(call: Annotated[PageCall, require_page(Action.CREATE, Kind.SECOND_FACTOR)]) -> Response:
    """Let sign-ins need a code once the app has shown that it has the secret; show the recovery codes."""
    try:
        codes = await confirm(call, CodeIn(code=call.form.get("code", "")).code)
    except (SecondFactorOn, SecondFactorOff) as error:
        return await _state(call, error)
    except (ValidationError, WrongCode) as error:
        refusal = (
            error if isinstance(error, WrongCode) else WrongCode(Text("Enter the six digits that your app shows."))
        )
        begun = partial(commands.begun_enrollment, box=call.services(IdentityServices).secret_box)
        enrollment = await run(call.unit_of_work(IdentityUnitOfWork), begun, call.user_id)
        return _secret(call, enrollment, refusal)
    return call.page("identity/recovery_codes.html", codes=codes, is_new=True)


@router.post(f"{PAGE}/recovery-codes")
async def replace_recovery_codes(
    call: Annotated[PageCall, require_page(Action.CHANGE, Kind.SECOND_FACTOR)],
) -> Response:
    """Show other recovery codes, by password and code."""
    try:
        result = await replace_codes(call, _proof(call))
    except ValidationError:
        return await _state(call, _INCOMPLETE)
    except TooManyRequests as error:
        return await _state(call, error)
    if isinstance(result, Rejected):
        return await _state(call, result.error)
    return call.page("identity/recovery_codes.html", codes=result, is_new=False)


@router.post(f"{PAGE}/remove")
async def remove_second_factor(call: Annotated[PageCall, require_page(Action.DELETE, Kind.SECOND_FACTOR)]) -> Response:
    """Take it away, by password and code."""
    try:
        rejected = await remove(call, _proof(call))
    except ValidationError:
        return await _state(call, _INCOMPLETE)
    except TooManyRequests as error:
        return await _state(call, error)
    if rejected is not None:
        return await _state(call, rejected.error)
    return call.go_on("success", Text("Your sign-in needs your password only."), PAGE)


def _proof(call: PageCall) -> commands.Proof:
    given = ProofIn(password=call.form.get("password", ""), code=call.form.get("code", ""))
    return commands.Proof(call.user_id, given.password, given.code)


async def _state(call: PageCall, error: DataForgeError | None = None) -> Response:
    state = await call.query(queries.get_second_factor, call.user_id)
    status = 200 if error is None else error.status
    return call.page("identity/second_factor.html", status=status, state=state, error=error)


def _secret(call: PageCall, enrollment: commands.Enrollment, error: DataForgeError | None = None) -> Response:
    shown = enrollment.secret
    return call.page(
        "identity/second_factor_secret.html",
        status=200 if error is None else error.status,
        picture=_qr_code(enrollment.uri),
        groups=" ".join(shown[at : at + 4] for at in range(0, len(shown), 4)),
        uri=enrollment.uri,
        error=error,
    )


def _qr_code(text: str) -> Markup:
    """An SVG element without style attributes, which the pages' policy would not apply; dark on light in any scheme."""
    import segno

    picture = BytesIO()
    segno.make(text, error="m", micro=False).save(
        picture, kind="svg", xmldecl=False, svgns=False, nl=False, omitsize=True, light="#fff", svgclass="qr",
        lineclass=None,
    )  # fmt: skip
    return Markup(picture.getvalue().decode())  # noqa: S704 - lines of a drawing; the text is in it as squares only
