"""``python -m services.local.setup``: make what an installation needs before its services start.

Keys, access keys, AWS profiles and the organization to begin with, in the data folder, each unless
it is there. ``python -m services.local`` does so by itself; where services are started one by one,
as docker-compose.yml does, this comes first.
"""

import argparse
import secrets
import sys
from pathlib import Path

from pydantic import ValidationError

from services.local.aws_profiles import write_config, write_credentials
from services.local.organization import write_organization
from shared.encryption_keys import create_encryption_keys
from shared.errors import StartFailed
from shared.identity import create_secret
from shared.secret_files import make_secret_file, read_secret_file
from shared.settings import Settings


def main() -> int:
    """The exit code: 0 when all is there, 1 when something can't be made or used."""
    parser = argparse.ArgumentParser(prog="python -m services.local.setup", description=__doc__)
    parser.add_argument(
        "--postgres-password",
        action="store_true",
        help="also make a password for PostgreSQL, in postgres/ in the data folder: alone in"
        " 'password', for whoever has the variable PGPASSFILE in 'pgpass'",
    )
    arguments = parser.parse_args()
    try:
        settings = Settings()
        prepare(settings)
        if arguments.postgres_password:
            write_postgres_password(settings.data / "postgres")
    except (ValidationError, StartFailed, OSError) as error:
        sys.stderr.write(f"The installation could not be set up: {error}\n")
        return 1
    return 0


def prepare(settings: Settings) -> None:
    """Make what is missing in the data folder, for clients that reach the gateway where it listens.

    Raises:
        StartFailed: a key that is there is unusable.
    """
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    create_secret(settings.identity_secret_path)
    create_encryption_keys(settings.encryption_key_path)
    write_credentials(settings.credentials_path)
    write_config(settings.data / "aws" / "config", endpoint_url(settings))
    write_organization(settings.organization_path)


def endpoint_url(settings: Settings) -> str:
    """Where AWS clients find the gateway."""
    return f"http://{settings.host}:{settings.port}"


def write_postgres_password(folder: Path) -> None:
    """Make a password, for the server and for libpq, unless there is one."""
    make_secret_file(folder / "password", secrets.token_hex(32).encode())
    password = read_secret_file(folder / "password", "password of PostgreSQL").decode().strip()
    make_secret_file(folder / "pgpass", f"*:*:*:*:{password}\n".encode())


if __name__ == "__main__":
    sys.exit(main())
