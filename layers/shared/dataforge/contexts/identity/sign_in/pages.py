"""Sign-in, sign-out, and going on with a sign-in whose access token has grown old."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from dataforge.contexts.identity.second_factor.domain import ChallengeEnded, SecondFactorRequired, WrongCode
from dataforge.contexts.identity.services import IdentityServices
from dataforge.contexts.identity.sessions import commands as sessions
from dataforge.contexts.identity.sessions.domain import Session
from dataforge.contexts.identity.sign_in import commands
from dataforge.contexts.identity.sign_in.calls import try_answer, try_sign_in
from dataforge.contexts.identity.sign_in.domain import InvalidCredentials
from dataforge.contexts.identity.sign_in.wire import ChallengeAnswerIn, LoginIn
from dataforge.contexts.identity.single_sign_on.calls import sign_in_form
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.http.call import Call
from dataforge.http.caller import client_address, device_name
from dataforge.kernel.errors import DataForgeError, Forbidden, TooManyRequests, Unauthenticated
from dataforge.kernel.texts import Text
from dataforge.platform.db.unit_of_work import run
from dataforge.web import flash, session
from dataforge.web.calls import PublicForm, Visitor, public_page
from dataforge.web.routing import local_path, page_router, see_other

router = page_router("identity")
SIGN_IN, CODE, SIGN_OUT, RENEW = "/ui/sign-in", "/ui/sign-in/code", "/ui/sign-out", "/ui/renew"
Wanted = Annotated[str, Query(alias="next", max_length=2000, description="where to go afterwards")]


@router.get(SIGN_IN)
async def sign_in_page(request: Request, person: Visitor, wanted: Wanted = "") -> Response:
    """The form; whoever has signed in goes on at once."""
    if person is not None:
        return RedirectResponse(local_path(request.scope, wanted), status_code=303)
    return await sign_in_form(request, wanted)


@router.post(SIGN_IN)
async def sign_in(request: Request, form: PublicForm) -> Response:
    """Check username and password as the API does; keep the sign-in in the session cookie, or ask for a code."""
    wanted, username = form.get("next", ""), form.get("username", "")
    call = Call.of_anybody(request)
    try:
        # The same model as the API's, so that the same passwords fit.
        given = LoginIn(username=username, password=form.get("password", ""))
        command = commands.SignIn(given.username, given.password, client_address(request), device_name(request))
        issued = await _issue(call, await try_sign_in(call, command))
    except ValidationError:
        return await sign_in_form(
            request, wanted, username=username, error=InvalidCredentials(Text("Enter username and password."))
        )
    except SecondFactorRequired as asked:
        return _code_form(request, wanted, asked.facts["challenge"])
    except (Unauthenticated, Forbidden, TooManyRequests) as error:
        return await sign_in_form(request, wanted, username=username, error=error)
    return _begun(request, wanted, issued)


@router.get(CODE)
async def code_page(request: Request) -> Response:
    """Nothing to see without a password before: the form for the code is the answer to the other one."""
    return see_other(request.scope, SIGN_IN)


@router.post(CODE)
async def answer_challenge(request: Request, form: PublicForm) -> Response:
    """Take the code of whoever has given the password, as the API does."""
    wanted, challenge = form.get("next", ""), form.get("challenge", "")
    call = Call.of_anybody(request)
    try:
        given = ChallengeAnswerIn(challenge=challenge, code=form.get("code", ""))
        command = commands.AnswerChallenge(given.challenge, given.code, client_address(request), device_name(request))
        issued = await _issue(call, await try_answer(call, command))
    except ValidationError:
        return _code_form(request, wanted, challenge, WrongCode(Text("Enter the code.")))
    except (ChallengeEnded, Forbidden) as error:
        return await sign_in_form(request, wanted, error=error)
    except (Unauthenticated, TooManyRequests) as error:
        return _code_form(request, wanted, challenge, error)
    return _begun(request, wanted, issued)


def _code_form(request: Request, wanted: str, challenge: object, error: DataForgeError | None = None) -> Response:
    return public_page(request, "identity/sign_in_code.html", {"wanted": wanted, "challenge": challenge}, error)


def _begun(request: Request, wanted: str, issued: Mapping[str, object]) -> Response:
    answer = RedirectResponse(local_path(request.scope, wanted), status_code=303)
    return session.begin(answer, request.scope, issued)


async def _issue(call: Call, result: Session | sessions.Rejected) -> Mapping[str, object]:
    if isinstance(result, sessions.Rejected):
        raise result.error
    return await call.services(IdentityServices).token_signer.issue(result)


@router.post(SIGN_OUT)
async def sign_out(request: Request, form: PublicForm) -> Response:  # noqa: ARG001 - checked by the dependency
    """End the sign-in, here and for its access tokens."""
    tokens = session.tokens_of(request.scope)
    if tokens is not None:
        call = Call.of_anybody(request)
        await run(call.unit_of_work(IdentityUnitOfWork), sessions.sign_out, sessions.SignOut(tokens.refresh))
    answer = see_other(request.scope, SIGN_IN)
    return session.end(flash.leave(answer, request.scope, "success", Text("You have signed out.")), request.scope)


@router.get(RENEW)
@router.post(RENEW)
async def renew(request: Request, wanted: Wanted = "") -> Response:
    """Make a new access token for the session cookie and go back to what was asked for, form and all (307)."""
    call = Call.of_anybody(request)
    limits = call.services(IdentityServices).try_limits
    tokens = session.tokens_of(request.scope)
    if tokens is None:
        return see_other(request.scope, SIGN_IN, next=wanted)
    if request.method == "POST":
        await session.form_of(request)
    command = sessions.Refresh(tokens.refresh, client_address(request))
    await run(call.unit_of_work(IdentityUnitOfWork), partial(sessions.admit_refresh, limits=limits), command)
    result = await run(
        call.unit_of_work(IdentityUnitOfWork), partial(sessions.continue_sign_in, limits=limits), command
    )
    if isinstance(result, sessions.Rejected):
        answer = see_other(request.scope, SIGN_IN, next=wanted)
        message = Text("Your sign-in has ended. Sign in again.")
        return session.end(flash.leave(answer, request.scope, "info", message), request.scope)
    issued = await call.services(IdentityServices).token_signer.issue(result)
    return session.begin(RedirectResponse(local_path(request.scope, wanted), status_code=307), request.scope, issued)
