"""An organization and its accounts, made through the API by those who may."""

from typing import Any

from tests.authorization.callers import (
    ADMINISTRATOR,
    DISCOVERER,
    IMPORTER,
    MANAGER,
    MEMBER,
    USER,
)
from tests.authorization.installation import Installation
from tests.authorization.services import ALLOW_ALL, CONTROL, IAM, ORGANIZATIONS, ROLE, SCP, SHARING
from tests.authorization.world import SECRETS


async def an_organization(it: Installation, accounts: dict[str, str]) -> dict[str, str]:
    """Its ids by the names of `Things`' fields; ``accounts`` gets those of its members."""
    manager = accounts[MANAGER]

    async def do(rpc: str, **members: Any) -> Any:
        return await it.do(manager, f"{ORGANIZATIONS}/{rpc}", **members)

    async def account(name: str) -> Any:
        answer = await do("CreateAccount", account_name=name, email=f"{name}@example.com")
        return answer.create_account_status

    async def unit(name: str) -> str:
        made = await do("CreateOrganizationalUnit", parent_id=root.id, name=name)
        return str(made.organizational_unit.id)

    async def policy(name: str) -> str:
        members = {"name": name, "type": SCP, "content": ALLOW_ALL}
        made = await do("CreatePolicy", **members, description=SECRETS[MANAGER])
        return str(made.policy.policy_summary.id)

    organization = (await do("CreateOrganization")).organization
    [root] = (await do("ListRoots")).roots
    for number, caller in enumerate((ADMINISTRATOR, USER, IMPORTER, MEMBER)):
        accounts[caller] = (await account(f"account-{number}")).account_id
    await do("EnablePolicyType", root_id=root.id, policy_type=SCP)
    leaver = await account("leaver")
    found = {
        "organization_id": organization.id,
        "root_id": root.id,
        "unit_id": await unit(SECRETS[MANAGER]),
        "empty_unit_id": await unit("empty"),
        "request_id": leaver.id,
        "leaver_id": leaver.account_id,
        "heir_id": (await account("heir")).account_id,
        "attached_policy_id": await policy("attached"),
        "loose_policy_id": await policy("loose"),
    }
    await do("AttachPolicy", policy_id=found["attached_policy_id"], target_id=found["unit_id"])
    await it.do(
        manager,
        f"{CONTROL}/EnableIpamOrganizationAdminAccount",
        delegated_admin_account_id=accounts[ADMINISTRATOR],
    )
    await it.do(manager, f"{SHARING}/EnableSharingWithAwsOrganization")
    await it.do(accounts[DISCOVERER], f"{ORGANIZATIONS}/CreateOrganization")
    return found


async def a_user(it: Installation, account_id: str) -> dict[str, str]:
    """An IAM user of an account with a key and a policy, by the names of `Things`' fields."""

    async def do(rpc: str, **members: Any) -> Any:
        return await it.do(account_id, f"{IAM}/{rpc}", **members)

    name = SECRETS[ADMINISTRATOR]
    await do("CreateUser", user_name=name)
    key = (await do("CreateAccessKey", user_name=name)).access_key
    await do("PutUserPolicy", user_name=name, policy_name="all", policy_document=ALLOW_ALL)
    deletion = await do("DeleteServiceLinkedRole", role_name=ROLE)
    return {
        "user_name": name,
        "access_key_id": key.access_key_id,
        "deletion_task_id": deletion.deletion_task_id,
    }
