"""Steps of resource discoveries and associations, late or repeated (design.md section 5)."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from services.control_plane.lifecycle import State
from services.control_plane.resource_discoveries.association import (
    AssociationState,
    ResourceDiscoveryAssociation,
)
from services.control_plane.resource_discoveries.resource_discovery import ResourceDiscovery
from services.control_plane.service.settling import (
    remove_association,
    remove_resource_discovery,
    settle_association,
    settle_resource_discovery,
)
from services.control_plane.store.rows import SqlRows
from shared.persistence.database import Database
from shared.persistence.migrations import upgrade
from tests.control_plane.records import an_ipam
from tests.control_plane.test_resource_discovery import (
    ASSOCIATION_ID,
    DISCOVERY_ID,
    a_discovery,
    an_association,
)


@pytest.fixture
def rows(database_url: str) -> Iterator[SqlRows]:
    database = Database(database_url)
    upgrade(database, "services.control_plane")
    with database.write() as connection:
        rows = SqlRows(connection)
        rows.add_ipam(an_ipam())
        rows.discoveries.add_discovery(a_discovery(state=State.CREATE_IN_PROGRESS))
        state = AssociationState.ASSOCIATE_IN_PROGRESS
        rows.discoveries.add_association(an_association(state=state))
        yield rows
    database.close()


def discovery(rows: SqlRows) -> ResourceDiscovery | None:
    return rows.discoveries.discovery(DISCOVERY_ID, lock=False)


def association(rows: SqlRows) -> ResourceDiscoveryAssociation | None:
    return rows.discoveries.association(ASSOCIATION_ID)


def test_a_step_settles_the_version_it_was_made_for(rows: SqlRows) -> None:  # IPAM-10
    settle_resource_discovery(rows, DISCOVERY_ID, 1)
    settle_association(rows, ASSOCIATION_ID, 1)
    assert discovery(rows) == a_discovery(state=State.CREATE_COMPLETE)
    assert association(rows) == an_association(state=AssociationState.ASSOCIATE_COMPLETE)


def test_a_step_that_comes_late_settles_nothing(rows: SqlRows) -> None:  # IPAM-10
    later = a_discovery(state=State.MODIFY_IN_PROGRESS, version=2)
    rows.discoveries.save_discovery(later)
    ending = an_association(state=AssociationState.DISASSOCIATE_IN_PROGRESS, version=2)
    rows.discoveries.save_association(ending)
    settle_resource_discovery(rows, DISCOVERY_ID, 1)
    settle_association(rows, ASSOCIATION_ID, 1)
    assert (discovery(rows), association(rows)) == (later, ending)


def test_only_what_is_on_its_way_out_is_removed(rows: SqlRows) -> None:  # DISC-1
    remove_resource_discovery(rows, DISCOVERY_ID)
    remove_association(rows, ASSOCIATION_ID)
    found, associated = discovery(rows), association(rows)
    assert found is not None
    assert associated is not None
    rows.discoveries.save_discovery(replace(found, state=State.DELETE_IN_PROGRESS))
    ending = replace(associated, state=AssociationState.DISASSOCIATE_IN_PROGRESS)
    rows.discoveries.save_association(ending)
    for _ in range(2):
        remove_resource_discovery(rows, DISCOVERY_ID)
        remove_association(rows, ASSOCIATION_ID)
        assert (discovery(rows), association(rows)) == (None, None)
    settle_resource_discovery(rows, DISCOVERY_ID, 1)
    settle_association(rows, ASSOCIATION_ID, 1)
