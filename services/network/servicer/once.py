"""Requests that take effect once."""

from typing import Any

from services.network.service.token_rows import Once
from shared.caller import Caller


def once_of(request: Any, caller: Caller) -> Once:
    """A token names a request of one account in one region, as its resources do."""
    operation = f"{request.DESCRIPTOR.name} {caller.region}"
    return Once(caller.account_id, operation, request.client_token, request)
