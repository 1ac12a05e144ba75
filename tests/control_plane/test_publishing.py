"""Publishing by several at once, by those that die, and in time: what the database holds then."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from services.control_plane.delegated_rpki.authority import Authority
from services.control_plane.delegated_rpki.bpki import BpkiIdentity
from services.control_plane.delegated_rpki.keys import KeyMaker, written
from services.control_plane.internet_registries.association import (
    AssociationState,
    InternetRegistryAssociation,
    Rir,
)
from services.control_plane.internet_registries.authorities import KeptAuthority
from services.control_plane.internet_registries.delta import Change, Delta, with_delta
from services.control_plane.internet_registries.registration import RoutingPolicy
from services.control_plane.service.internet_registries import publishing
from services.control_plane.service.internet_registries.publishing import Work
from services.control_plane.service.internet_registries.staging import stage
from services.control_plane.service.routing_policy_rows import Published
from services.control_plane.service.rows import Rows
from services.control_plane.store.rows import SqlRows
from services.control_plane.verification.roas import Roa
from shared.cidr import Cidr
from shared.errors import Conflict
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.control_plane.delegated_rpki.child import Child
from tests.control_plane.records import ACCOUNT, HOME, IPAM_ID, an_ipam
from tests.control_plane.world import on_sqlite_alone
from tests.registries.internet_registry import InternetRegistry

A, B = Cidr.parse("10.0.0.0/16"), Cidr.parse("10.1.0.0/16")

ASSOCIATION_ID = "ipam-internet-registry-assoc-0123456789abcdef0"

T = TypeVar("T")


class Publisher:
    """What a replica does, step by step."""

    def __init__(self, database: Database, authority: Authority) -> None:
        self._database, self._authority = database, authority
        self.association_id = ASSOCIATION_ID

    def enable(self) -> None:
        """Make an association whose registry has certified the authority."""
        kept = KeptAuthority(
            b"encrypted",
            self._authority.certificate,
            self._authority.certificate_uri,
            self._authority.place,
        )

        def enabled(rows: Rows) -> None:
            rows.add_ipam(an_ipam())
            rows.internet_registries.add(
                InternetRegistryAssociation(
                    ipam_internet_registry_association_id=ASSOCIATION_ID,
                    ipam_id=IPAM_ID,
                    owner_id=ACCOUNT,
                    ipam_region=HOME,
                    rir=Rir.RIPE,
                    organization_handle="ORG-EX1-RIPE",
                    description=None,
                    tags={},
                    state=AssociationState.ENABLE_COMPLETE,
                )
            )
            rows.internet_registries.add_key(ASSOCIATION_ID, "all", b"encrypted")
            rows.internet_registries.save_authorities(ASSOCIATION_ID, {"all": kept})

        self.change(enabled)

    def ask(self, question: Callable[[Rows], T]) -> T:
        with self._database.read() as connection:
            return question(SqlRows(connection))

    def change(self, decide: Callable[[Rows], T]) -> T:
        with self._database.write() as connection:
            return decide(SqlRows(connection))

    def register(self, cidr: Cidr, asn: int = 7) -> None:
        """Accept a delta, as a use case would."""
        change = Change(add=(RoutingPolicy.of(cidr, [asn]),))
        delta = Delta(
            delta_id=f"{cidr} {asn}",
            association_id=self.association_id,
            change=change,
            made_at=datetime.now(UTC),
        )

        def accept(rows: Rows) -> None:
            known = rows.routing_policies.registrations(self.association_id)
            rows.routing_policies.save(self.association_id, known, with_delta(known, delta))
            rows.routing_policies.add_delta(delta)

        self.change(accept)

    def look(self, now: datetime | None = None) -> Work:
        now = now or datetime.now(UTC)
        work = self.ask(lambda rows: publishing.work_on(rows, self.association_id, now))
        assert work is not None
        return work

    def sign(self, work: Work, now: datetime | None = None) -> dict[str, Published]:
        return dict(publishing.signed(work, lambda *_: self._authority, now or datetime.now(UTC)))

    def end(self, work: Work, changed: dict[str, Published]) -> None:
        self.change(lambda rows: publishing.end_publishing(rows, work, changed))

    def publish(self, now: datetime | None = None) -> dict[str, Published]:
        work = self.look(now)
        changed = self.sign(work, now)
        self.end(work, changed)
        return changed

    def published(self) -> Published:
        [found] = self.ask(
            lambda rows: rows.routing_policies.published(self.association_id)
        ).values()
        return found

    def roas(self) -> list[Cidr]:
        return sorted(roa.cidr for roa in self.published().publication.roas)

    def states(self) -> dict[Cidr, str]:
        found = self.ask(lambda rows: rows.routing_policies.registrations(self.association_id))
        return {cidr: str(one.state) for cidr, one in found.items()}

    def deltas(self) -> list[str]:
        found = self.ask(
            lambda rows: list(
                rows.routing_policies.deltas(
                    self.association_id,
                    delta_id=None,
                    made=(None, None),
                    newest_first=False,
                    after=None,
                )
            )
        )
        return [str(delta.state) for _, delta in found]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory, make_key: KeyMaker) -> Authority:
    registry = InternetRegistry(tmp_path_factory.mktemp("rir"), make_key=make_key)
    identity = BpkiIdentity.new("child", datetime.now(UTC))
    with registry:
        return Child(registry, identity, make_key).certified(written(make_key()))


@pytest.fixture
def publisher(database_url: str, authority: Authority) -> Iterator[Publisher]:
    """Of an association that is enabled, and has no registrations."""
    database = Database(database_url.format(context="control_plane"))
    upgrade(database, "services.control_plane")
    publisher = Publisher(database, authority)
    publisher.enable()
    yield publisher
    database.close()


def test_of_two_who_publish_at_once_one_has_to_look_again(publisher: Publisher) -> None:
    publisher.register(A)
    one, other = publisher.look(), publisher.look()
    signed_by_one, signed_by_other = publisher.sign(one), publisher.sign(other)
    publisher.end(one, signed_by_one)
    with pytest.raises(Conflict):
        publisher.end(other, signed_by_other)
    assert publisher.published() == signed_by_one["all"]
    assert publisher.publish() == {}
    assert (publisher.states(), publisher.deltas()) == ({A: "create-complete"}, ["published"])


@on_sqlite_alone
def test_of_two_who_renew_at_once_one_has_to_look_again(publisher: Publisher) -> None:
    """Or validators would see two manifests of one number (RFC 9286, section 4.2.1)."""
    publisher.publish()
    due = publisher.published().publication.next_update
    one, other = publisher.look(due), publisher.look(due)
    renewed = publisher.sign(one, due)
    publisher.end(one, renewed)
    with pytest.raises(Conflict):
        publisher.end(other, publisher.sign(other, due))
    assert publisher.published() == renewed["all"]


@on_sqlite_alone
def test_who_looked_before_others_published_and_signed_nothing_changes_nothing(
    publisher: Publisher,
) -> None:
    publisher.publish()
    early = publisher.look()
    publisher.register(A)
    publisher.publish()
    with pytest.raises(Conflict):
        publisher.end(early, publisher.sign(early))
    assert (publisher.states(), publisher.roas()) == ({A: "create-complete"}, [A])


@on_sqlite_alone
def test_what_is_accepted_while_others_sign_is_published_next(publisher: Publisher) -> None:
    publisher.register(A)
    work = publisher.look()
    publisher.register(B)
    publisher.end(work, publisher.sign(work))
    assert publisher.states() == {A: "create-complete", B: "create-in-progress"}
    assert (publisher.roas(), publisher.deltas()) == ([A], ["published", "pending"])
    publisher.publish()
    assert publisher.states() == {A: "create-complete", B: "create-complete"}
    assert (publisher.roas(), publisher.deltas()) == ([A, B], ["published"] * 2)


@on_sqlite_alone
def test_who_dies_between_signing_and_saving_leaves_nothing(publisher: Publisher) -> None:
    publisher.publish()
    before = publisher.published()
    publisher.register(A)
    lost = publisher.sign(publisher.look())
    assert publisher.published() == before
    assert publisher.states() == {A: "create-in-progress"}
    again = publisher.publish()
    assert publisher.roas() == [A]
    assert again["all"].publication.number > before.publication.number
    assert again["all"].publication.manifest != lost["all"].publication.manifest


@on_sqlite_alone
def test_nothing_is_signed_anew_before_it_is_due(publisher: Publisher) -> None:
    publisher.register(A)
    publisher.publish()
    first = publisher.published()
    begin = first.publication.this_update
    # A manifest lasts a day; it is due a third of it before its end, or up to 4 h earlier.
    assert timedelta(hours=12) <= first.renew_at - begin <= timedelta(hours=16, minutes=5)
    assert publisher.publish(begin + timedelta(hours=11)) == {}
    due = begin + timedelta(hours=17)

    def renewals(rows: Rows) -> list[str]:
        return [step.subject for step in publishing.renew_due(rows, due).steps]

    assert publisher.change(renewals) == [ASSOCIATION_ID]
    assert publisher.change(renewals) == []
    publisher.publish(due)
    second = publisher.published()
    assert second.publication.number > first.publication.number
    assert second.publication.roas == first.publication.roas
    assert second.renew_at > due


@on_sqlite_alone
def test_roas_are_staged_by_cidr_beside_what_is_registered(publisher: Publisher) -> None:
    publisher.register(A, asn=9)
    vrps = [
        Roa(7, A, 16),
        Roa(7, B, 16),
        Roa(8, B, 20),
        Roa(0, B, 16),
        Roa(0, Cidr.parse("2001:db8::/32"), 64),
        Roa(7, Cidr.parse("2001:db8::/56"), 56),
    ]

    def staged(rows: Rows) -> None:
        association = rows.internet_registries.get(ASSOCIATION_ID)
        assert association is not None
        stage(rows, association, vrps)

    publisher.change(staged)
    found = publisher.ask(lambda rows: rows.routing_policies.registrations(ASSOCIATION_ID))
    assert {
        str(cidr): (one.policy.asns, one.policy.max_length, str(one.state))
        for cidr, one in found.items()
    } == {
        "10.0.0.0/16": ((9,), 16, "create-in-progress"),
        "10.1.0.0/16": ((7, 8), 20, "pending-activate"),
        "2001:db8::/32": ((0,), 48, "pending-activate"),
    }


@on_sqlite_alone
def test_the_repository_moves_on_with_each_publication_and_when_an_association_goes(
    publisher: Publisher,
) -> None:
    publisher.publish()
    first = publisher.ask(lambda rows: rows.routing_policies.repository())
    publisher.register(A)
    publisher.publish()
    second = publisher.ask(lambda rows: rows.routing_policies.repository())
    assert (second.session_id, second.serial) == (first.session_id, first.serial + 1)
    [added] = second.objects.keys() - first.objects.keys()
    assert added.endswith("/AS7-0a000000-16-16.roa")
    publisher.change(lambda rows: rows.routing_policies.remove_of(ASSOCIATION_ID))
    last = publisher.ask(lambda rows: rows.routing_policies.repository())
    assert (last.serial, last.objects) == (second.serial + 1, {})


@on_sqlite_alone
def test_a_class_whose_certificate_has_ended_has_nothing_published(publisher: Publisher) -> None:
    publisher.register(A)
    publisher.publish()
    publisher.publish(datetime.now(UTC) + timedelta(days=400))
    assert publisher.states() == {A: "activate-failed"}
    assert publisher.ask(lambda rows: rows.routing_policies.roas(ASSOCIATION_ID)) == frozenset()
