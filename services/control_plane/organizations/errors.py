"""Refusals of AWS Organizations, with its codes.

Where AWS says by a second word why it refuses, such as ``OU_DEPTH_LIMIT_EXCEEDED``, that word is in
the metadata as ``reason``.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shared.errors import (
    AlreadyExists,
    CadastreError,
    Conflict,
    Denied,
    ForwardedRefusal,
    Invalid,
    InvalidNextToken,
    InvalidParameterValue,
    NotFound,
    Precondition,
    QuotaExceeded,
    Unsupported,
    kind_of,
)


class OrganizationsNotInUse(NotFound):
    """The account is in no organization."""

    reason = "AWSOrganizationsNotInUseException"

    def __init__(self, account_id: str) -> None:
        super().__init__(
            f"Account {account_id} is in no organization; make one with CreateOrganization, or call"
            " as an account of one",
            account_id=account_id,
        )


class AccessDenied(Denied):
    """It is another account's to do."""

    reason = "AccessDeniedException"


class InvalidInput(Invalid):
    """A value that no such request can have."""

    reason = "InvalidInputException"

    def __init__(self, reason: str, message: str, **metadata: object) -> None:
        super().__init__(message, **metadata, reason=reason)


class ConstraintViolation(Precondition):
    """A limit, or a rule of how things have to be done."""

    reason = "ConstraintViolationException"

    def __init__(self, reason: str, message: str, **metadata: object) -> None:
        super().__init__(message, **metadata, reason=reason)


class ConcurrentModification(Conflict):
    """Another request was faster."""

    reason = "ConcurrentModificationException"

    def __init__(self) -> None:
        super().__init__("Another request changed the same things at once; repeat the request")


class AlreadyInOrganization(AlreadyExists):
    """An account is in one organization at most."""

    reason = "AlreadyInOrganizationException"

    def __init__(self, account_id: str, organization_id: str) -> None:
        super().__init__(
            f"Account {account_id} is in organization {organization_id} already; an account is in"
            " one at most",
            account_id=account_id,
            organization_id=organization_id,
        )


class OrganizationNotEmpty(Precondition):
    """There is somebody or something in the organization."""

    reason = "OrganizationNotEmptyException"


class RootNotFound(NotFound):
    """The organization has no such root."""

    reason = "RootNotFoundException"

    def __init__(self, root_id: str) -> None:
        super().__init__(
            f"Your organization has no root '{root_id}'; ListRoots tells the one it has",
            root_id=root_id,
        )


class ParentNotFound(NotFound):
    """The organization has no such root or OU."""

    reason = "ParentNotFoundException"

    def __init__(self, parent_id: str) -> None:
        super().__init__(
            f"Your organization has no root and no organizational unit '{parent_id}'",
            parent_id=parent_id,
        )


class SourceParentNotFound(NotFound):
    """What an account is to be moved from does not hold it."""

    reason = "SourceParentNotFoundException"

    def __init__(self, account_id: str, source_parent_id: str, parent_id: str) -> None:
        super().__init__(
            f"'{source_parent_id}' does not hold account {account_id}, but '{parent_id}' does; give"
            " that as SourceParentId",
            account_id=account_id,
            source_parent_id=source_parent_id,
            parent_id=parent_id,
        )


class DestinationParentNotFound(NotFound):
    """What an account is to be moved to is not there."""

    reason = "DestinationParentNotFoundException"

    def __init__(self, destination_parent_id: str) -> None:
        super().__init__(
            "Your organization has no root and no organizational unit"
            f" '{destination_parent_id}' to move an account to",
            destination_parent_id=destination_parent_id,
        )


class DuplicateAccount(AlreadyExists):
    """The account is there already."""

    reason = "DuplicateAccountException"

    def __init__(self, account_id: str, parent_id: str) -> None:
        super().__init__(
            f"'{parent_id}' holds account {account_id} already",
            account_id=account_id,
            parent_id=parent_id,
        )


class ChildNotFound(NotFound):
    """The organization has no such account or OU."""

    reason = "ChildNotFoundException"

    def __init__(self, child_id: str) -> None:
        super().__init__(
            f"Your organization has no account and no organizational unit '{child_id}'",
            child_id=child_id,
        )


class OrganizationalUnitNotFound(NotFound):
    """The organization has no such OU."""

    reason = "OrganizationalUnitNotFoundException"

    def __init__(self, organizational_unit_id: str) -> None:
        super().__init__(
            f"Your organization has no organizational unit '{organizational_unit_id}'",
            organizational_unit_id=organizational_unit_id,
        )


class DuplicateOrganizationalUnit(AlreadyExists):
    """A sibling has that name."""

    reason = "DuplicateOrganizationalUnitException"

    def __init__(self, parent_id: str, name: str) -> None:
        super().__init__(
            f"'{parent_id}' has an organizational unit named '{name}' already; use another name",
            parent_id=parent_id,
            name=name,
        )


class OrganizationalUnitNotEmpty(Precondition):
    """The OU holds something."""

    reason = "OrganizationalUnitNotEmptyException"

    def __init__(self, organizational_unit_id: str) -> None:
        super().__init__(
            f"'{organizational_unit_id}' holds accounts or organizational units; move or delete"
            " them first",
            organizational_unit_id=organizational_unit_id,
        )


class AccountNotFound(NotFound):
    """The organization has no such account."""

    reason = "AccountNotFoundException"

    def __init__(self, account_id: str) -> None:
        super().__init__(f"Your organization has no account '{account_id}'", account_id=account_id)


class CreateAccountStatusNotFound(NotFound):
    """No account was asked for by such a request."""

    reason = "CreateAccountStatusNotFoundException"

    def __init__(self, create_account_request_id: str) -> None:
        super().__init__(
            f"There was no request '{create_account_request_id}' for an account in your"
            " organization",
            create_account_request_id=create_account_request_id,
        )


class ManagementAccountCannotLeave(Precondition):
    """The management account is in its organization to the end."""

    reason = "MasterCannotLeaveOrganizationException"

    def __init__(self, account_id: str) -> None:
        super().__init__(
            f"Account {account_id} is the management account, which can't leave its organization;"
            " DeleteOrganization ends the organization",
            account_id=account_id,
        )


class AccountAlreadyRegistered(AlreadyExists):
    """The account administers the service already."""

    reason = "AccountAlreadyRegisteredException"

    def __init__(self, account_id: str, service_principal: str) -> None:
        super().__init__(
            f"Account {account_id} is the delegated administrator for '{service_principal}'"
            " already",
            account_id=account_id,
            service_principal=service_principal,
        )


class AccountNotRegistered(Precondition):
    """The account administers no service, or not that one."""

    reason = "AccountNotRegisteredException"

    def __init__(self, account_id: str, service_principal: str | None = None) -> None:
        service = f"'{service_principal}'" if service_principal else "any service"
        super().__init__(
            f"Account {account_id} is not a delegated administrator for {service}",
            account_id=account_id,
            service_principal=service_principal or "",
        )


class PolicyNotFound(NotFound):
    """The organization has no such policy."""

    reason = "PolicyNotFoundException"

    def __init__(self, policy_id: str) -> None:
        super().__init__(f"Your organization has no policy '{policy_id}'", policy_id=policy_id)


class DuplicatePolicy(AlreadyExists):
    """Another policy of the type has that name."""

    reason = "DuplicatePolicyException"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Your organization has a policy named '{name}' already; use another name", name=name
        )


class MalformedPolicyDocument(Invalid):
    """The document is no policy."""

    reason = "MalformedPolicyDocumentException"


class PolicyInUse(Precondition):
    """The policy is attached somewhere."""

    reason = "PolicyInUseException"

    def __init__(self, policy_id: str) -> None:
        super().__init__(
            f"'{policy_id}' is attached to roots, organizational units or accounts; detach it from"
            " all that ListTargetsForPolicy tells first",
            policy_id=policy_id,
        )


class TargetNotFound(NotFound):
    """The organization has nothing of that id."""

    reason = "TargetNotFoundException"

    def __init__(self, target_id: str) -> None:
        super().__init__(
            f"Your organization has nothing of the id '{target_id}'", target_id=target_id
        )


class DuplicatePolicyAttachment(AlreadyExists):
    """The policy is attached there already."""

    reason = "DuplicatePolicyAttachmentException"

    def __init__(self, policy_id: str, target_id: str) -> None:
        super().__init__(
            f"'{policy_id}' is attached to '{target_id}' already",
            policy_id=policy_id,
            target_id=target_id,
        )


class PolicyNotAttached(Precondition):
    """The policy is not attached there."""

    reason = "PolicyNotAttachedException"

    def __init__(self, policy_id: str, target_id: str) -> None:
        super().__init__(
            f"'{policy_id}' is not attached to '{target_id}'",
            policy_id=policy_id,
            target_id=target_id,
        )


class PolicyTypeNotAvailable(Unsupported):
    """Policies of the type have no effect in the organization, so none are kept."""

    reason = "PolicyTypeNotAvailableForOrganizationException"


class PolicyTypeNotEnabled(Precondition):
    """No policy of the type can be attached."""

    reason = "PolicyTypeNotEnabledException"

    def __init__(self, policy_type: str, root_id: str) -> None:
        super().__init__(
            f"Policies of type '{policy_type}' are not enabled in root '{root_id}'; enable them"
            " with EnablePolicyType",
            policy_type=policy_type,
            root_id=root_id,
        )


class PolicyTypeAlreadyEnabled(AlreadyExists):
    """Policies of the type can be attached already."""

    reason = "PolicyTypeAlreadyEnabledException"

    def __init__(self, policy_type: str, root_id: str) -> None:
        super().__init__(
            f"Policies of type '{policy_type}' are enabled in root '{root_id}' already",
            policy_type=policy_type,
            root_id=root_id,
        )


class IpamOrganizationAdminAccountLimitExceeded(QuotaExceeded):
    """The organization has its IPAM administrator (ORG-2)."""

    def __init__(self, organization_id: str, administrator_id: str) -> None:
        super().__init__(
            "IpamOrganizationAdminAccountLimitExceeded",
            f"Account {administrator_id} is the IPAM administrator of organization"
            f" {organization_id}; an organization has 1 at most, so take it back from that one with"
            " DisableIpamOrganizationAdminAccount first",
            quota=1,
            organization_id=organization_id,
            administrator_id=administrator_id,
        )


_SHARED_REASONS: Mapping[type[CadastreError], tuple[str, str]] = {
    InvalidNextToken: (InvalidInput.reason, "INVALID_NEXT_TOKEN"),
    InvalidParameterValue: (InvalidInput.reason, "INVALID_PATTERN"),
    QuotaExceeded: (ConstraintViolation.reason, "MAX_TAG_LIMIT_EXCEEDED"),
}


@contextmanager
def in_the_words_of_organizations() -> Iterator[None]:
    """What is refused within, by rules that all services share, is refused with AWS's code for it.

    Within are paging and tags; the only quota among them is that of tags.
    """
    try:
        yield
    except tuple(_SHARED_REASONS) as error:
        code, reason = _SHARED_REASONS[type(error)]
        metadata = {**error.metadata, "reason": reason}
        raise ForwardedRefusal(kind_of(error), code, error.message, metadata) from error
