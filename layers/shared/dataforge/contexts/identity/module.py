"""How identity is wired: its services, and what they serve, hear and do."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dataforge.contexts.identity.contract import (
    AccountMails,
    CredentialRates,
    CredentialRefusals,
    CredentialRegister,
    CredentialUses,
    CredentialVerifier,
    LearnerDirectory,
    PersonalClocks,
    SessionCredentials,
    WorkspaceCredentials,
    XapiCredentialChanged,
)
from dataforge.contexts.identity.services import IdentityServices
from dataforge.kernel.events import Event
from dataforge.kernel.principal import Authenticator
from dataforge.platform.module import Command, Job, JobKind, Module, Subscriber
from dataforge.platform.services import Platform

if TYPE_CHECKING:
    from dataforge.platform.ops import Ops
    from dataforge.platform.personal_data import PersonalData

IDENTITY = "dataforge.contexts.identity"


def _operator_commands() -> Mapping[str, Command[IdentityServices]]:
    from dataforge.contexts.identity.accounts import consumers as accounts
    from dataforge.contexts.identity.passwords import consumers as passwords
    from dataforge.contexts.identity.second_factor import consumers as second_factor
    from dataforge.contexts.identity.signing_keys import consumers as signing_keys
    from dataforge.contexts.identity.xapi_credentials import consumers as xapi_credentials

    return {
        "create_admin": accounts.create_admin,
        "ensure_admin": accounts.ensure_admin,
        "replace_password": passwords.replace_password,
        "remove_second_factor": second_factor.remove_second_factor,
        "ensure_signing_key": signing_keys.ensure_signing_key,
        "create_xapi_credential": xapi_credentials.create_xapi_credential,
        "revoke_xapi_credential": xapi_credentials.revoke_xapi_credential,
        "rotate_signing_keys": signing_keys.rotate_signing_keys,
    }


def _jobs() -> Mapping[str, Job[IdentityServices]]:
    from dataforge.contexts.identity.sessions import consumers

    return {"identity": consumers.maintain}


def _job_kinds() -> "Mapping[str, JobKind[IdentityServices]]":
    from dataforge.contexts.identity.data_requests import consumers

    return consumers.KINDS


def _subscribers() -> Mapping[type[Event], Sequence[Subscriber[IdentityServices]]]:
    from dataforge.contexts.identity.xapi_credentials import consumers as xapi_credentials

    return {XapiCredentialChanged: (xapi_credentials.publish_credential,)}


def _services(platform: Platform) -> IdentityServices:
    return platform.get(IdentityServices)


def _personal_data() -> "PersonalData[IdentityServices]":
    from dataforge.contexts.identity.personal_data import personal_data

    return personal_data()


def _ops() -> "Ops":
    from dataforge.contexts.identity.ops import ops

    return ops()


MODULE = Module(
    name="identity",
    services=IdentityServices,
    routers={
        "api": {
            "/api/signup": f"{IDENTITY}.accounts.routes",
            "/api/users": f"{IDENTITY}.accounts.routes",
            "/api/auth": f"{IDENTITY}.sign_in.routes",
            "/api/passwords": f"{IDENTITY}.passwords.routes",
            "/api/email-addresses": f"{IDENTITY}.email_addresses.routes",
            "/api/second-factor": f"{IDENTITY}.second_factor.routes",
            "/api/sessions": f"{IDENTITY}.sessions.routes",
            "/api/claims": f"{IDENTITY}.claims.routes",
            "/api/attributions": f"{IDENTITY}.attributions.routes",
            "/ui/admin/attributions": f"{IDENTITY}.attributions.pages",
            "/api/invitations": f"{IDENTITY}.invitations.routes",
            "/api/tokens": f"{IDENTITY}.tokens.routes",
            "/api/personal-exports": f"{IDENTITY}.data_requests.routes",
            "/api/erasures": f"{IDENTITY}.data_requests.routes",
            "/api/xapi-credentials": f"{IDENTITY}.xapi_credentials.routes",
            "/ui/account": f"{IDENTITY}.profile.pages",
            "/ui/account/password": f"{IDENTITY}.passwords.pages",
            "/ui/account/email": f"{IDENTITY}.email_addresses.pages",
            "/ui/account/sessions": f"{IDENTITY}.sessions.pages",
            "/ui/account/data": f"{IDENTITY}.data_requests.pages",
            "/ui/admin/person-data": f"{IDENTITY}.data_requests.pages",
            "/ui/account/tokens": f"{IDENTITY}.tokens.pages",
            "/ui/account/calendar": f"{IDENTITY}.tokens.pages",
            "/ui/admin/keys": f"{IDENTITY}.xapi_credentials.pages",
            "/.well-known": f"{IDENTITY}.signing_keys.routes",
            "/oauth": f"{IDENTITY}.credential_tokens.routes",
            "/api/sign-in-providers": f"{IDENTITY}.single_sign_on.routes",
            "/api/sign-in-methods": f"{IDENTITY}.single_sign_on.routes",
            "/ui/sign-in/with": f"{IDENTITY}.single_sign_on.pages",
            "/ui/account/sign-in-methods": f"{IDENTITY}.single_sign_on.pages",
            "/ui/admin/sign-in-providers": f"{IDENTITY}.single_sign_on.pages",
            "/ui/sign-in": f"{IDENTITY}.sign_in.pages",
            "/ui/sign-out": f"{IDENTITY}.sign_in.pages",
            "/ui/renew": f"{IDENTITY}.sign_in.pages",
            "/ui/account/second-factor": f"{IDENTITY}.second_factor.pages",
            "/ui/forgot-password": f"{IDENTITY}.passwords.pages",
            "/ui/reset-password": f"{IDENTITY}.passwords.pages",
            "/ui/confirm-email": f"{IDENTITY}.email_addresses.pages",
            "/ui/sign-up": f"{IDENTITY}.accounts.pages",
            "/ui/admin/people": f"{IDENTITY}.accounts.pages",
            "/ui/admin/invitations": f"{IDENTITY}.invitations.pages",
            "/ui/invitation": f"{IDENTITY}.invitations.pages",
            "/ui/stop-email-change": f"{IDENTITY}.email_addresses.pages",
        }
    },
    offers={
        Authenticator: lambda platform: _services(platform).authenticator,
        CredentialVerifier: lambda platform: _services(platform).credentials,
        CredentialRates: lambda platform: _services(platform).credential_rates,
        CredentialRefusals: lambda platform: _services(platform).credential_refusals,
        CredentialRegister: lambda platform: _services(platform).credential_register,
        WorkspaceCredentials: lambda platform: _services(platform).workspace_credentials,
        CredentialUses: lambda platform: _services(platform).credential_uses,
        SessionCredentials: lambda platform: _services(platform).session_credentials,
        LearnerDirectory: lambda platform: _services(platform).learners,
        PersonalClocks: lambda platform: _services(platform).personal_clocks,
        AccountMails: lambda platform: _services(platform).account_mails,
    },
    commands={"maintenance": _operator_commands},
    jobs=_jobs,
    job_kinds=_job_kinds,
    subscribers=_subscribers,
    personal_data=_personal_data,
    ops=_ops,
)
