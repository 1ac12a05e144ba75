"""Refusals of sharing, with the codes that RAM gives them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from shared.errors import (
    CadastreError,
    Denied,
    ForwardedRefusal,
    IdempotentParameterMismatch,
    Invalid,
    InvalidNextToken,
    InvalidParameterValue,
    NotFound,
    Precondition,
    QuotaExceeded,
    kind_of,
)


class UnknownResource(NotFound):
    """A share, a resource, a permission or an OU that is not there for the caller (BEY-12)."""

    reason = "UnknownResourceException"


class MalformedArn(Invalid):
    """No ARN, or not of a kind that is asked for."""

    reason = "MalformedArnException"

    def __init__(self, arn: str, form: str) -> None:
        super().__init__(f"The ARN '{arn}' is malformed; expected '{form}'", arn=arn)


class InvalidParameter(Invalid):
    """A value that this can't be done with."""

    reason = "InvalidParameterException"


class SharingNotPermitted(Denied):
    """The caller's place, or the state of things, forbids it."""

    reason = "OperationNotPermittedException"


class ResourceShareLimitExceeded(QuotaExceeded):
    """The account has all the shares it may have in this region."""

    def __init__(self, account_id: str, region: str, quota: int) -> None:
        super().__init__(
            "ResourceShareLimitExceededException",
            f"Account {account_id} has {quota} resource shares in {region}; at most {quota} are"
            " allowed, so delete one first",
            quota=quota,
            account_id=account_id,
            region=region,
        )


class UnknownInvitation(NotFound):
    """The caller was sent no such invitation, and sent none."""

    reason = "ResourceShareInvitationArnNotFoundException"

    def __init__(self, invitation_arn: str) -> None:
        super().__init__(
            f"The invitation '{invitation_arn}' does not exist", invitation_arn=invitation_arn
        )


class InvitationAnswered(Precondition):
    """The invitation is no longer open; ``reason`` says why."""

    def __init__(self, reason: str, invitation_arn: str, became: str) -> None:
        super().__init__(
            f"The invitation '{invitation_arn}' was {became} before; only a pending one can be"
            " accepted or rejected, and the owner of the share can send another",
            invitation_arn=invitation_arn,
        )
        self.reason = reason


_SHARED_REASONS: Mapping[type[CadastreError], str] = {
    IdempotentParameterMismatch: "IdempotentParameterMismatchException",
    InvalidNextToken: "InvalidNextTokenException",
    InvalidParameterValue: InvalidParameter.reason,
    QuotaExceeded: "TagLimitExceededException",
}


@contextmanager
def in_the_words_of_ram() -> Iterator[None]:
    """What is refused within, by rules that all services share, is refused with RAM's code.

    Those are the rules of client tokens, paging and tags; the only quota among them is that of
    tags. What is refused with RAM's code already goes on as it is.
    """
    try:
        yield
    except (Invalid, QuotaExceeded) as error:
        reason = _SHARED_REASONS.get(type(error))
        if reason is None:
            raise
        raise ForwardedRefusal(kind_of(error), reason, error.message, error.metadata) from error
