"""What a module of pages offers: its entry in the navigation, its pages and its actions."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from starlette.responses import Response

from services.gateway.console.actions import Action
from services.gateway.console.visit import Visit

Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]


class Group(Enum):
    """Headings of the navigation, in their order."""

    PLANNING = "Planning"
    MONITORING = "Monitoring"
    SHARING = "Sharing and discovery"
    BYOIP = "Bring your own"
    NETWORK = "Network"
    ADMINISTRATION = "Administration"


@dataclass(frozen=True, slots=True)
class Page:
    """A page to look at: ``/pools/{ipam_pool_id}``."""

    path: str
    show: Handler


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """An entry of the navigation, and all that is below it."""

    title: str
    path: str
    """Of its first page; the entry is the current one on all pages below it."""
    group: Group
    pages: Sequence[Page]
    actions: Sequence[Action] = ()
