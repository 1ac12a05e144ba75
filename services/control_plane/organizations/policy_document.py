"""What a policy says, as far as it has to be sound to be kept (ORG-6)."""

from services.control_plane.organizations.errors import (
    ConstraintViolation,
    MalformedPolicyDocument,
)
from services.control_plane.organizations.policy import SERVICE_CONTROL_POLICY
from shared.policies.document import MalformedPolicy, parse_policy

LONGEST_DOCUMENT = 10_240
"""Characters."""


def check_document_of(policy_type: str, content: str) -> str:
    """``content`` itself, when a policy of that type can have it. Raises as `check_document` does.

    Types that can't be had (`policy.check_type`) have documents that nobody here can read.
    """
    return check_document(content) if policy_type == SERVICE_CONTROL_POLICY else content


def check_document(content: str) -> str:
    """``content`` itself, when it is a policy document.

    Raises:
        ConstraintViolation: it is too long.
        MalformedPolicyDocument: it is none.
    """
    if len(content) > LONGEST_DOCUMENT:
        raise ConstraintViolation(
            "POLICY_CONTENT_LIMIT_EXCEEDED",
            f"The policy document has {len(content)} characters; at most {LONGEST_DOCUMENT} are"
            " allowed",
            length=len(content),
            quota=LONGEST_DOCUMENT,
        )
    try:
        parse_policy(content)
    except MalformedPolicy as error:
        raise MalformedPolicyDocument(f"The policy document is malformed: {error}") from error
    return content
