"""One account's command line."""

from typing import Any

import pytest

from tests.acceptance.installation import AwsError, Installation


class Account:
    """Runs AWS CLI command lines in one profile and region."""

    def __init__(self, cadastre: Installation, profile: str, region: str = "us-east-1") -> None:
        self._cadastre, self._suffix = cadastre, f" --profile {profile} --region {region}"

    def __call__(self, command: str) -> Any:
        """The JSON answer to ``aws COMMAND``, None if empty."""
        return self._cadastre.run(f"aws {command}{self._suffix}")

    def refusal(self, command: str) -> AwsError:
        """How ``aws COMMAND`` is refused."""
        with pytest.raises(AwsError) as refusal:
            self(command)
        return refusal.value
