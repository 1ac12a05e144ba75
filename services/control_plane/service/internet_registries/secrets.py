"""Keys of associations: encrypted wherever they are kept, each bound to what it is for."""

from services.control_plane.delegated_rpki.authority import Authority
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.internet_registries.authorities import Delegation, KeptAuthority
from services.control_plane.service.rows import Rows
from shared.encryption_keys import EncryptionKeys, EncryptionKeysUnusable, Undecipherable


def encrypted_identity(
    association_id: str, identity: BpkiIdentity, keys: EncryptionKeys
) -> Delegation:
    """What signs an association's messages, as it may be kept."""
    return Delegation(
        association_id=association_id,
        encrypted_key=keys.encrypt(identity.key, bound_to=association_id),
        certificate=identity.certificate,
    )


def identity_of(delegation: Delegation, keys: EncryptionKeys) -> BpkiIdentity:
    """What signs an association's messages; the result is a secret."""
    key = keys.decrypt(delegation.encrypted_key, bound_to=delegation.association_id)
    return BpkiIdentity(key, delegation.certificate)


def encrypted_key(association_id: str, class_name: str, key: bytes, keys: EncryptionKeys) -> bytes:
    """An authority's key, as it may be kept."""
    return keys.encrypt(key, bound_to=_authority(association_id, class_name))


def key_of(association_id: str, class_name: str, encrypted: bytes, keys: EncryptionKeys) -> bytes:
    """An authority's key in PEM: a secret."""
    return keys.decrypt(encrypted, bound_to=_authority(association_id, class_name))


def opened(
    association_id: str, class_name: str, kept: KeptAuthority, keys: EncryptionKeys
) -> Authority:
    """An authority that can sign; the result has a secret."""
    key = key_of(association_id, class_name, kept.encrypted_key, keys)
    return Authority(key, kept.certificate, kept.certificate_uri, kept.place)


def adopt_registry_keys(rows: Rows, keys: EncryptionKeys) -> None:
    """Have the first of ``keys`` encrypt every key of an association, so that the others can go.

    Raises:
        EncryptionKeysUnusable: one was encrypted with none of them.
    """
    for delegation in list(rows.internet_registries.all_delegations()):
        association_id = delegation.association_id
        again = _encrypted_anew(delegation.encrypted_key, association_id, keys)
        if again:
            rows.internet_registries.set_identity_key(association_id, again)
    for association_id, class_name, encrypted in list(rows.internet_registries.all_keys()):
        again = _encrypted_anew(encrypted, _authority(association_id, class_name), keys)
        if again:
            rows.internet_registries.set_key(association_id, class_name, again)


def _encrypted_anew(encrypted: bytes, bound_to: str, keys: EncryptionKeys) -> bytes | None:
    """The same, encrypted with the first key; None: it is already."""
    if keys.are_current_for(encrypted, bound_to=bound_to):
        return None
    try:
        return keys.encrypt(keys.decrypt(encrypted, bound_to=bound_to), bound_to=bound_to)
    except Undecipherable as error:
        raise EncryptionKeysUnusable(
            f"no encryption key decrypts a key of {bound_to}; the key it was encrypted with must be"
            " one of them"
        ) from error


def _authority(association_id: str, class_name: str) -> str:
    return f"{association_id} {class_name}"
