"""IamService: messages to use cases and back."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from cadastre.control.iam.v1 import iam_service_pb2 as pb
from cadastre.control.iam.v1 import iam_service_pb2_grpc
from services.control_plane.identity.errors import in_the_words_of_iam
from services.control_plane.identity.names import ROOT_PATH
from services.control_plane.service.identity import access_keys, roles, users
from services.control_plane.service.identity.holding import find_user
from services.control_plane.service.ports import Commands, Reader
from services.control_plane.service.rows import Rows
from services.control_plane.service.steps import Accepted
from services.control_plane.servicer.identity_messages import (
    deletion_to_proto,
    key_to_proto,
    listed_user_to_proto,
    new_key_to_proto,
    policy_from_proto,
    policy_to_proto,
    role_to_proto,
    status_from_proto,
    user_tags_from_proto,
    user_to_proto,
)
from shared.encryption_keys import EncryptionKeys
from shared.paging import page_of
from shared.rpc.interceptor import Context
from shared.rpc.server import caller_of

PAGE = 100
"""Records per page where a request doesn't say."""

T = TypeVar("T")
Record = TypeVar("Record")


class IamServicer(iam_service_pb2_grpc.IamServiceServicer):
    """Translates; what is decided is decided in ``service``."""

    def __init__(
        self,
        reader: Reader,
        commands: Commands,
        keys: EncryptionKeys,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader, self._commands = reader, commands
        self._keys, self._clock = keys, clock

    async def CreateUser(
        self, request: pb.CreateUserRequest, context: Context
    ) -> pb.CreateUserResponse:
        caller, now = caller_of(context), self._clock()
        path, tags = request.path or ROOT_PATH, user_tags_from_proto(request.tags)
        user = await self._change(
            lambda rows: users.create_user(rows, caller, request.user_name, path, tags, now)
        )
        return pb.CreateUserResponse(user=user_to_proto(user))

    async def GetUser(self, request: pb.GetUserRequest, context: Context) -> pb.GetUserResponse:
        caller = caller_of(context)
        user = await self._reader.read(lambda rows: find_user(rows, caller, request.user_name))
        return pb.GetUserResponse(user=user_to_proto(user))

    async def ListUsers(
        self, request: pb.ListUsersRequest, context: Context
    ) -> pb.ListUsersResponse:
        caller, prefix = caller_of(context), request.path_prefix or ROOT_PATH
        found, marker = await self._reader.read(
            lambda rows: _page(request, lambda after: users.list_users(rows, caller, prefix, after))
        )
        return pb.ListUsersResponse(
            users=map(listed_user_to_proto, found), is_truncated=bool(marker), marker=marker
        )

    async def DeleteUser(
        self, request: pb.DeleteUserRequest, context: Context
    ) -> pb.DeleteUserResponse:
        caller = caller_of(context)
        await self._change(lambda rows: users.delete_user(rows, caller, request.user_name))
        return pb.DeleteUserResponse()

    async def CreateAccessKey(
        self, request: pb.CreateAccessKeyRequest, context: Context
    ) -> pb.CreateAccessKeyResponse:
        caller, now = caller_of(context), self._clock()
        made = await self._change(
            lambda rows: access_keys.create_access_key(
                rows, caller, request.user_name, self._keys, now
            )
        )
        return pb.CreateAccessKeyResponse(access_key=new_key_to_proto(*made))

    async def UpdateAccessKey(
        self, request: pb.UpdateAccessKeyRequest, context: Context
    ) -> pb.UpdateAccessKeyResponse:
        caller, status = caller_of(context), status_from_proto(request)
        await self._change(
            lambda rows: access_keys.update_access_key(
                rows, caller, request.user_name, request.access_key_id, status
            )
        )
        return pb.UpdateAccessKeyResponse()

    async def DeleteAccessKey(
        self, request: pb.DeleteAccessKeyRequest, context: Context
    ) -> pb.DeleteAccessKeyResponse:
        caller = caller_of(context)
        await self._change(
            lambda rows: access_keys.delete_access_key(
                rows, caller, request.user_name, request.access_key_id
            )
        )
        return pb.DeleteAccessKeyResponse()

    async def ListAccessKeys(
        self, request: pb.ListAccessKeysRequest, context: Context
    ) -> pb.ListAccessKeysResponse:
        caller = caller_of(context)
        user, keys = await self._reader.read(
            lambda rows: access_keys.list_access_keys(rows, caller, request.user_name)
        )
        found, marker = _page_of_all(request, keys, lambda key: key.access_key_id)
        return pb.ListAccessKeysResponse(
            access_key_metadata=[key_to_proto(user, key) for key in found],
            is_truncated=bool(marker),
            marker=marker,
        )

    async def PutUserPolicy(
        self, request: pb.PutUserPolicyRequest, context: Context
    ) -> pb.PutUserPolicyResponse:
        caller, policy = caller_of(context), policy_from_proto(request)
        await self._change(lambda rows: users.put_policy(rows, caller, request.user_name, policy))
        return pb.PutUserPolicyResponse()

    async def GetUserPolicy(
        self, request: pb.GetUserPolicyRequest, context: Context
    ) -> pb.GetUserPolicyResponse:
        caller = caller_of(context)
        policy = await self._reader.read(
            lambda rows: users.get_policy(rows, caller, request.user_name, request.policy_name)
        )
        return policy_to_proto(request.user_name, policy)

    async def DeleteUserPolicy(
        self, request: pb.DeleteUserPolicyRequest, context: Context
    ) -> pb.DeleteUserPolicyResponse:
        caller = caller_of(context)
        await self._change(
            lambda rows: users.delete_policy(rows, caller, request.user_name, request.policy_name)
        )
        return pb.DeleteUserPolicyResponse()

    async def ListUserPolicies(
        self, request: pb.ListUserPoliciesRequest, context: Context
    ) -> pb.ListUserPoliciesResponse:
        caller = caller_of(context)
        policies = await self._reader.read(
            lambda rows: users.list_policies(rows, caller, request.user_name)
        )
        found, marker = _page_of_all(request, policies, lambda policy: policy.policy_name)
        return pb.ListUserPoliciesResponse(
            policy_names=[policy.policy_name for policy in found],
            is_truncated=bool(marker),
            marker=marker,
        )

    async def CreateServiceLinkedRole(
        self, request: pb.CreateServiceLinkedRoleRequest, context: Context
    ) -> pb.CreateServiceLinkedRoleResponse:
        caller = caller_of(context)
        description = request.description if request.HasField("description") else None
        role = await self._change(
            lambda rows: roles.create_service_role(
                rows, caller, request.aws_service_name, request.custom_suffix, description
            )
        )
        return pb.CreateServiceLinkedRoleResponse(role=role_to_proto(role))

    async def GetRole(self, request: pb.GetRoleRequest, context: Context) -> pb.GetRoleResponse:
        caller = caller_of(context)
        role = await self._reader.read(lambda rows: roles.get_role(rows, caller, request.role_name))
        return pb.GetRoleResponse(role=role_to_proto(role))

    async def ListRoles(
        self, request: pb.ListRolesRequest, context: Context
    ) -> pb.ListRolesResponse:
        caller, prefix = caller_of(context), request.path_prefix or ROOT_PATH
        all_roles = await self._reader.read(lambda rows: roles.list_roles(rows, caller, prefix))
        found, marker = _page_of_all(request, all_roles, lambda role: role.link.role_name)
        return pb.ListRolesResponse(
            roles=map(role_to_proto, found), is_truncated=bool(marker), marker=marker
        )

    async def DeleteServiceLinkedRole(
        self, request: pb.DeleteServiceLinkedRoleRequest, context: Context
    ) -> pb.DeleteServiceLinkedRoleResponse:
        caller, now = caller_of(context), self._clock()
        deletion = await self._change(
            lambda rows: roles.delete_service_role(rows, caller, request.role_name, now)
        )
        return pb.DeleteServiceLinkedRoleResponse(deletion_task_id=deletion.deletion_task_id)

    async def GetServiceLinkedRoleDeletionStatus(
        self, request: pb.GetServiceLinkedRoleDeletionStatusRequest, context: Context
    ) -> pb.GetServiceLinkedRoleDeletionStatusResponse:
        caller = caller_of(context)
        deletion = await self._reader.read(
            lambda rows: roles.describe_deletion(rows, caller, request.deletion_task_id)
        )
        return deletion_to_proto(deletion)

    async def _change(self, decide: Callable[[Rows], Accepted[T]]) -> T:
        return await self._commands.change(decide, dry_run=False)


def _page(
    request: Any,  # generated listing requests share no typed base
    records_after: Callable[[str | None], Iterable[tuple[str, Record]]],
) -> tuple[list[Record], str | None]:
    max_items = request.max_items or PAGE
    with in_the_words_of_iam():
        return page_of(request, records_after, token=request.marker, max_results=max_items)


def _page_of_all(
    request: Any, records: Iterable[Record], key: Callable[[Record], str]
) -> tuple[list[Record], str | None]:
    """Of few records that are read whole; a page begins after the record whose key it is given."""
    keyed = [(key(record), record) for record in records]

    def after(last: str | None) -> list[tuple[str, Record]]:
        keys = [key for key, _ in keyed]
        return keyed[keys.index(last) + 1 :] if last in keys else keyed

    return _page(request, after)
