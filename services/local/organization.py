"""The organization that an installation on one machine begins with: the guide's tutorial's."""

from pathlib import Path

from services.local.aws_profiles import ACCOUNT_IDS

_DEFAULT = f"""\
# The organization that Cadastre begins with. It is made when the control plane starts and the
# management account is in no organization; later changes of this file change nothing.
# Every OU, and the root, may have accounts and organizational_units below it; ids of the
# organization, its root and its OUs may be left out. Services that get access at once, such as
# ram.amazonaws.com, are listed under service_access; service control policies (name, content) under
# policies, and their names wherever they are attached under service_control_policies.
organization:
  id: o-exampleorgid
  root_id: r-fssg
  management_account:
    id: "{ACCOUNT_IDS["management-account"]}"
    name: management-account
    email: management-account@example.com
  accounts:
    - id: "{ACCOUNT_IDS["ipam-account"]}"
      name: ipam-account
      email: ipam-account@example.com
    - id: "{ACCOUNT_IDS["byoip-owner-account"]}"
      name: byoip-owner-account
      email: byoip-owner-account@example.com
  organizational_units:
    - name: Development
      id: ou-fssg-q5brfv9c
      accounts:
        - id: "{ACCOUNT_IDS["member-account"]}"
          name: member-account
          email: member-account@example.com
"""


def write_organization(path: Path) -> None:
    """Write the file, unless there is one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(_DEFAULT, encoding="utf-8")
