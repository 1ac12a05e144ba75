"""IAM's messages from and to what they mean here."""

from collections.abc import Iterable
from typing import Any

from cadastre.control.iam.v1 import iam_service_pb2 as pb
from cadastre.control.v1 import authorization_service_pb2
from services.control_plane.identity.errors import in_the_words_of_iam
from services.control_plane.identity.names import ROOT_PATH
from services.control_plane.identity.policy import UserPolicy, new_policy
from services.control_plane.identity.service_role import (
    MOST_SESSION_SECONDS,
    Deletion,
    ServiceRole,
)
from services.control_plane.identity.user import (
    AccessKey,
    AccountUsers,
    KeyStatus,
    User,
    UserCredentials,
)
from services.control_plane.messages import proto_number, timestamp_to_proto
from shared.encryption_keys import EncryptionKeys
from shared.rpc.enums import aws_enum_name
from shared.tags import Tags, tags_from_proto, tags_to_proto


def user_to_proto(user: User) -> pb.User:
    told = listed_user_to_proto(user)
    told.tags.extend(tags_to_proto(user.tags))
    return told


def listed_user_to_proto(user: User) -> pb.User:
    """As lists have it, which don't tell tags."""
    return pb.User(
        path=ROOT_PATH,
        user_name=user.user_name,
        user_id=user.user_id,
        arn=user.arn,
        create_date=timestamp_to_proto(user.created_at),
    )


def user_tags_from_proto(tags: Iterable[Any]) -> Tags:
    with in_the_words_of_iam():
        return tags_from_proto(tags)


def new_key_to_proto(user: User, key: AccessKey, secret: str) -> pb.AccessKey:
    return pb.AccessKey(
        user_name=user.user_name,
        access_key_id=key.access_key_id,
        status=proto_number(pb.StatusType, key.status),
        secret_access_key=secret,
        create_date=timestamp_to_proto(key.created_at),
    )


def key_to_proto(user: User, key: AccessKey) -> pb.AccessKeyMetadata:
    return pb.AccessKeyMetadata(
        user_name=user.user_name,
        access_key_id=key.access_key_id,
        status=proto_number(pb.StatusType, key.status),
        create_date=timestamp_to_proto(key.created_at),
    )


def status_from_proto(request: pb.UpdateAccessKeyRequest) -> KeyStatus:
    return KeyStatus(aws_enum_name(pb.StatusType.DESCRIPTOR, request.status))


def policy_from_proto(request: pb.PutUserPolicyRequest) -> UserPolicy:
    return new_policy(request.policy_name, request.policy_document)


def policy_to_proto(user_name: str, policy: UserPolicy) -> pb.GetUserPolicyResponse:
    return pb.GetUserPolicyResponse(
        user_name=user_name, policy_name=policy.policy_name, policy_document=policy.document
    )


def role_to_proto(role: ServiceRole) -> pb.Role:
    return pb.Role(
        path=role.link.path,
        role_name=role.link.role_name,
        role_id=role.role_id,
        arn=role.arn,
        create_date=timestamp_to_proto(role.created_at),
        assume_role_policy_document=role.link.trust_policy,
        description=role.description,
        max_session_duration=MOST_SESSION_SECONDS,
    )


def deletion_to_proto(deletion: Deletion) -> pb.GetServiceLinkedRoleDeletionStatusResponse:
    if deletion.refusal is None:
        status = pb.DELETION_TASK_STATUS_TYPE_SUCCEEDED
        return pb.GetServiceLinkedRoleDeletionStatusResponse(status=status)
    return pb.GetServiceLinkedRoleDeletionStatusResponse(
        status=pb.DELETION_TASK_STATUS_TYPE_FAILED,
        reason=pb.DeletionTaskFailureReasonType(
            reason=deletion.refusal,
            role_usage_list=[
                pb.RoleUsageType(region=usage.region, resources=usage.resource_arns)
                for usage in deletion.usages
            ],
        ),
    )


def account_users_to_proto(
    account: AccountUsers, keys: EncryptionKeys
) -> authorization_service_pb2.AccountUsers:
    return authorization_service_pb2.AccountUsers(
        account_id=account.account_id,
        version=account.version,
        users=[_authorized_to_proto(user, keys) for user in account.users],
    )


def _authorized_to_proto(
    credentials: UserCredentials, keys: EncryptionKeys
) -> authorization_service_pb2.AuthorizedUser:
    return authorization_service_pb2.AuthorizedUser(
        arn=credentials.user.arn,
        access_keys=[
            authorization_service_pb2.AuthorizedAccessKey(
                access_key_id=key.access_key_id,
                secret_access_key=_secret(key, keys),
            )
            for key in credentials.keys
            if key.status is KeyStatus.ACTIVE
        ],
        policies=[policy.told_document for policy in credentials.policies],
        inactive_access_key_ids=[
            key.access_key_id for key in credentials.keys if key.status is not KeyStatus.ACTIVE
        ],
        user_id=credentials.user.user_id,
    )


def _secret(key: AccessKey, keys: EncryptionKeys) -> str:
    return keys.decrypt(key.encrypted_secret, bound_to=key.access_key_id).decode()
