"""Make one account of two of one person, when they prove the address."""

from dataforge.contexts.identity.accounts.domain import Account
from dataforge.contexts.identity.contract import AccountsMerged
from dataforge.contexts.identity.invitations.domain import role_after
from dataforge.contexts.identity.merges.domain import REPEATED_AFTER
from dataforge.contexts.identity.unit_of_work import IdentityUnitOfWork
from dataforge.kernel.unit_of_work import AuditEntry


async def absorb_imported(account: Account, email: str, uow: IdentityUnitOfWork) -> dict[str, object]:
    """Merge the account that an import made for an address into the one whose person has just proved it.

    Returns what else changes of the account that is kept: the organisation vouches for the address, so that what it
    has is matched as before, and a role that was given to the other one is not lost. Other contexts follow the event.
    """
    imported = await uow.account_merges.lock_imported(email, apart_from=account.user_id)
    if imported is None:
        return {}
    await uow.account_merges.merge(imported.user_id, account.user_id)
    role = role_after(account.role, imported.role)
    before, after = {"role": account.role.value}, {"role": role.value, "merged": str(imported.user_id)}
    uow.audit(AuditEntry("accounts_merged", "user", str(account.user_id), before=before, after=after))
    uow.publish(AccountsMerged(account.user_id, imported.user_id))
    return {"email_vouched": True, "role": role.value}


async def repeat_merges(_command: None, uow: IdentityUnitOfWork) -> int:
    """Have merges followed once more, when nothing can be under way that knows the merged account; returns how many."""
    due = await uow.account_merges.take_unrepeated(uow.now - REPEATED_AFTER)
    for merge in due:
        uow.publish(AccountsMerged(merge.kept, merge.merged))
    return len(due)
