"""Tags of whatever has an id: to see them and to change them."""

from collections.abc import Mapping

from cadastre.common.tags.v1 import tag_service_pb2
from cadastre.common.v1 import types_pb2
from services.gateway.console.actions import Action
from services.gateway.console.fields import locked, tags_field
from services.gateway.console.forms import Form, Values
from services.gateway.console.visit import Visit

_MOST_TAGS = 1000


async def tags_by_id(visit: Visit, resource_id: str) -> Mapping[str, str]:
    """The tags that a resource has now, by key."""
    request = tag_service_pb2.DescribeTagsRequest(
        filters=[types_pb2.Filter(name="resource-id", values=[resource_id])],
        max_results=_MOST_TAGS,
    )
    answer = await visit.api.describe_tags(request)
    return {tag.key: tag.value for tag in answer.tags}


async def _editable(visit: Visit, resource_id: str) -> Mapping[str, str]:
    """Tags as lines of ``key=value`` can tell them: all others stay as they are."""
    tags = await tags_by_id(visit, resource_id)
    return {key: value for key, value in tags.items() if "=" not in key and _is_line(key, value)}


def _is_line(*texts: str) -> bool:
    return all(one == one.strip() and len(one.splitlines()) <= 1 for one in texts)


def edit_tags(name: str, path: str, parameter: str) -> Action:
    """The action that edits the tags of what the page at ``path`` is about.

    ``parameter`` is the part of the path that has its id.
    """

    async def form(visit: Visit) -> Form:
        resource_id = visit.params[parameter]
        tags = await _editable(visit, resource_id)
        lines = "\n".join(f"{key}={value}" for key, value in tags.items())
        return Form((locked(parameter, "Resource", resource_id), tags_field(lines)))

    async def carry_out(visit: Visit, values: Values) -> str:
        resource_id = visit.params[parameter]
        before, after = await _editable(visit, resource_id), values.tags("tags")
        gone = {key: value for key, value in before.items() if key not in after}
        new = {key: value for key, value in after.items() if before.get(key) != value}
        if new:
            await visit.api.change_tags("CreateTags", resource_id, new)
        if gone:
            await visit.api.change_tags("DeleteTags", resource_id, gone)
        done: str = path.format_map(visit.params)
        return done

    return Action(
        name=f"tags-of-{name}",
        path=f"{path}/edit-tags",
        title="Edit tags",
        submit="Save changes",
        done="The tags are saved.",
        form=form,
        is_edit=True,
        commands=lambda _visit, _values: (),
        carry_out=carry_out,
        comes_from=path,
    )
