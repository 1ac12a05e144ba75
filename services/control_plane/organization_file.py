"""The file that names the organization an installation begins with."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from services.control_plane.organizations.policy import FULL_AWS_ACCESS
from services.control_plane.organizations.seed import (
    BadSeed,
    Seed,
    SeedAccount,
    SeedPolicy,
    SeedUnit,
)
from services.control_plane.service.organizations.seeding import seed_organization
from services.control_plane.service.ports import Commands
from shared.errors import StartFailed
from shared.settings import Settings

_Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class OrganizationFileRefused(StartFailed):
    """The file can't be read, or no organization can come of it."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"the organization file {path} is wrong: {why}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Policy(_Part):
    name: _Name
    content: str
    id: str | None = None
    description: Annotated[str, StringConstraints(max_length=512)] = ""

    def to_seed(self) -> SeedPolicy:
        return SeedPolicy(**dict(self))


class _Target(_Part):
    service_control_policies: tuple[str, ...] = (FULL_AWS_ACCESS.name,)


class _Account(_Target):
    id: str
    name: _Name
    email: Annotated[str, StringConstraints(max_length=64)]

    def to_seed(self) -> SeedAccount:
        return SeedAccount(**dict(self))


class _Holder(_Target):
    accounts: tuple[_Account, ...] = ()
    organizational_units: tuple["_Unit", ...] = ()

    def held(self) -> dict[str, Any]:
        return {
            "service_control_policies": self.service_control_policies,
            "accounts": tuple(account.to_seed() for account in self.accounts),
            "organizational_units": tuple(unit.to_seed() for unit in self.organizational_units),
        }


class _Unit(_Holder):
    name: _Name
    id: str | None = None

    def to_seed(self) -> SeedUnit:
        return SeedUnit(name=self.name, id=self.id, **self.held())


class _Organization(_Holder):
    management_account: _Account
    management_account_parent_id: str | None = None
    id: str | None = None
    root_id: str | None = None
    service_access: tuple[_Name, ...] = ()
    policies: tuple[_Policy, ...] | None = None

    def to_seed(self) -> Seed:
        return Seed(
            management_account=self.management_account.to_seed(),
            management_account_parent_id=self.management_account_parent_id,
            id=self.id,
            root_id=self.root_id,
            service_access=self.service_access,
            policies=(
                None
                if self.policies is None
                else tuple(policy.to_seed() for policy in self.policies)
            ),
            **self.held(),
        )


class _File(_Part):
    organization: _Organization


def read_seed(path: Path) -> Seed:
    """The organization that the file names; whether there can be such a one is not looked at.

    Raises:
        OrganizationFileRefused: it is not readable, no YAML, or not of that form.
    """
    try:
        # Everything is text: an account's number is none, and may begin with zeros.
        content = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
        return _File.model_validate(content).organization.to_seed()
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"])) or "the whole"
        raise OrganizationFileRefused(path, f"{place}: {found['msg']}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise OrganizationFileRefused(path, " ".join(str(error).split())) from error


async def seed_from_file(settings: Settings, commands: Commands, now: datetime) -> None:
    """Make the organization of the configured file, unless it is there already.

    Raises:
        OrganizationFileRefused: there can't be such an organization, or the file is none, or a file
            that was named is not there.
    """
    path = settings.organization_path
    if not settings.organization_file and not path.exists():
        return
    seed = read_seed(path)
    try:
        await commands.tag(lambda rows: seed_organization(rows, seed, now), dry_run=False)
    except BadSeed as error:
        raise OrganizationFileRefused(path, str(error)) from error
