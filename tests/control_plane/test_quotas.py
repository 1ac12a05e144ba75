"""Quotas that only mean something together."""

import pytest
from pydantic import ValidationError

from services.control_plane.quotas import Quotas


def test_blocks_that_none_could_have_are_no_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CADASTRE_QUOTA_AMAZON_IPV4_MIN_NETMASK_LENGTH", "31")
    with pytest.raises(ValidationError, match="no block could be had"):
        Quotas()
