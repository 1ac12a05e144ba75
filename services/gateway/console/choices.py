"""Things of an account that forms and pages let somebody choose from."""

from collections.abc import Sequence

from cadastre.common.v1 import types_pb2
from cadastre.control.v1 import control_service_pb2 as pb
from cadastre.control.v1 import ipam_pool_pb2, ipam_scope_pb2
from services.gateway.console.forms import Choice
from services.gateway.console.reading import all_of, reading
from services.gateway.console.visit import Visit
from services.gateway.console.words import name_of, word_of

NO_CHOICE = Choice("", "None")

MOST_POOLS = 1000
"""As many as are read for a form; where there are as many, there may be more."""


async def scopes(visit: Visit) -> Sequence[ipam_scope_pb2.IpamScope]:
    """The account's scopes in the region: default ones first, private before public."""
    found = await all_of(
        reading(
            visit,
            pb.DescribeIpamScopesRequest(),
            pb.DescribeIpamScopesResponse,
            lambda answer: answer.ipam_scopes,
        )
    )
    return sorted(
        found,
        key=lambda one: (
            not one.is_default,
            one.ipam_scope_type != types_pb2.IPAM_SCOPE_TYPE_PRIVATE,
            name_of(one.tags),
            one.ipam_scope_id,
        ),
    )


async def scope_of_page(
    visit: Visit,
) -> tuple[ipam_scope_pb2.IpamScope | None, Sequence[ipam_scope_pb2.IpamScope]]:
    """The scope that a page's query names (``scope``), and all there are to choose from.

    Without one it is the default private scope; None: the account has no IPAM in the region.

    Raises:
        CadastreError: it names another account's, or one that isn't there.
    """
    found = await scopes(visit)
    wanted = visit.query.get("scope", "")
    if not wanted:
        return (found[0] if found else None), found
    known = next((one for one in found if one.ipam_scope_id == wanted), None)
    return known or await visit.api.scope(wanted), found


def text_of_scope(scope: ipam_scope_pb2.IpamScope) -> str:
    """A scope in a line of text."""
    name = name_of(scope.tags) or scope.ipam_scope_id
    kind = word_of(scope, "ipam_scope_type")
    return f"{name} ({'default ' if scope.is_default else ''}{kind})"


def scope_choices(found: Sequence[ipam_scope_pb2.IpamScope]) -> Sequence[Choice]:
    return [Choice(one.ipam_scope_id, text_of_scope(one)) for one in found]


async def pools(
    visit: Visit, *filters: tuple[str, Sequence[str]]
) -> Sequence[ipam_pool_pb2.IpamPool]:
    """The account's pools and those shared with it, up to 1,000, as ``filters`` narrow them."""
    request = pb.DescribeIpamPoolsRequest(
        filters=[types_pb2.Filter(name=name, values=values) for name, values in filters],
        max_results=MOST_POOLS,
    )
    answer = await visit.api.call(request, pb.DescribeIpamPoolsResponse)
    return answer.ipam_pools


def text_of_pool(pool: ipam_pool_pb2.IpamPool) -> str:
    """A pool in a line of text."""
    name = name_of(pool.tags) or pool.description
    locale = "" if pool.locale in ("", "None") else f", {pool.locale}"
    return f"{name} ({pool.ipam_pool_id}{locale})" if name else f"{pool.ipam_pool_id}{locale}"


def pool_choices(found: Sequence[ipam_pool_pb2.IpamPool]) -> Sequence[Choice]:
    return [Choice(one.ipam_pool_id, text_of_pool(one)) for one in found]
