use super::*;
use domain::Status;
use proptest::prelude::*;
use vendor_pages::page::following;

/// A response with all lists.
const ALL_LISTS: PresentLists = PresentLists {
    incidents: true,
    maintenances: true,
};

const WORDS: [Status; 5] = Status::ALL;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

/// A page with those of six components, three incidents and three maintenances whose bits are set.
fn page(bits: u32, statuses: u32, listing: ListCoverage) -> Page {
    let has = |bit: u32| bits & (1 << bit) != 0;
    let linked = |i: u32| {
        (0..6)
            .filter(|c| (bits >> i) & (1 << c) != 0)
            .map(|c| c.to_string())
            .collect::<Vec<_>>()
    };
    let component = |i: u32| Component {
        id: i.to_string(),
        name: format!("Component {}", (statuses >> i) % 2),
        group: None,
        status: WORDS[((statuses >> (2 * i)) % 5) as usize],
        vendor_status: "word".into(),
        position: i,
    };
    let incident = |i: u32| Incident {
        id: i.to_string(),
        name: "Trouble".into(),
        impact: String::new(),
        status: "investigating".into(),
        open: has(20 + i),
        started_at: Some(at(-100)),
        resolved_at: None,
        url: None,
        component_ids: linked(i),
        updates: Vec::new(),
    };
    let maintenance = |i: u32| Maintenance {
        id: i.to_string(),
        name: "Upgrade".into(),
        status: String::new(),
        stage: None,
        scheduled_for: Some(at(100 * i64::from(i) - 150)),
        scheduled_until: Some(at(100 * i64::from(i) - 50)),
        url: None,
        component_ids: linked(3 + i),
        updates: Vec::new(),
    };
    Page {
        provider: "",
        name: None,
        url: None,
        components: (0..6).filter(|i| has(*i)).map(component).collect(),
        incidents: (0..3).filter(|i| has(8 + i)).map(incident).collect(),
        maintenances: (0..3).filter(|i| has(12 + i)).map(maintenance).collect(),
        identity: Identity::Id,
        listing,
    }
}

/// What is stored after the changes if all removed components are followed.
fn applied(stored: StoredPage, changes: Changes) -> StoredPage {
    fn put<T>(rows: &mut Vec<T>, new: Vec<T>, same: fn(&T, &T) -> bool) {
        for row in new {
            rows.retain(|known| !same(known, &row));
            rows.push(row);
        }
    }
    let StoredPage {
        mut components,
        mut incidents,
        mut maintenances,
    } = stored;
    for row in &mut components {
        if changes.removed_components.contains(&row.component_id) {
            (row.missing, row.status) = (true, column::Status::Unknown);
        }
    }
    maintenances.retain(|row| !changes.ended_maintenances.contains(&row.maintenance_id));
    put(&mut components, changes.components, |a, b| {
        a.component_id == b.component_id
    });
    put(&mut incidents, changes.incidents, |a, b| {
        a.incident_id == b.incident_id
    });
    put(&mut maintenances, changes.maintenances, |a, b| {
        a.maintenance_id == b.maintenance_id
    });
    StoredPage {
        components,
        incidents,
        maintenances,
    }
}

proptest! {
    #[test]
    fn the_same_reading_again_changes_nothing_and_is_read_back(
        before: u32, after: u32, statuses: [u32; 2], mentioned: bool,
    ) {
        let listing = if mentioned { ListCoverage::Mentioned } else { ListCoverage::All };
        let id = Uuid::from_u128(7);
        let (first, second) = (page(before, statuses[0], listing), page(after, statuses[1], listing));
        let stored = applied(StoredPage::default(), StoredPage::default().changes(id, &first, ALL_LISTS, at(0)));
        let changes = stored.changes(id, &second, ALL_LISTS, at(1));
        let stored = applied(stored, changes);
        prop_assert!(stored.changes(id, &second, ALL_LISTS, at(2)).is_empty());

        let row = row(listing);
        let read = stored.page(&row);
        for component in ["0", "1", "2", "3", "4", "5", "none"] {
            // Where only what is mentioned is listed, a page without anything is no page.
            if !second.components.is_empty() {
                prop_assert_eq!(
                    following::sight(&read, component).status(), following::sight(&second, component).status()
                );
            }
            let named = |page: &Page| -> Vec<String> {
                let mut ids: Vec<_> =
                    following::incidents(page, &[component]).into_iter().map(|one| one.id.clone()).collect();
                ids.sort();
                ids
            };
            if !second.components.is_empty() {
                prop_assert_eq!(named(&read), named(&second));
            }
        }
    }
}

fn row(listing: ListCoverage) -> vendor_page::Model {
    vendor_page::Model {
        id: Uuid::from_u128(7),
        key: String::new(),
        url: None,
        name: None,
        provider: None,
        api_urls: json!([]),
        user_defined: false,
        fetched_at: Some(at(0)),
        attempted_at: Some(at(0)),
        failures: 0,
        message: None,
        listing: if listing == ListCoverage::All {
            column::ListCoverage::All
        } else {
            column::ListCoverage::Mentioned
        },
        not_before: None,
        validators: None,
        detected_at: None,
        created_at: at(0),
    }
}

#[test]
fn another_page_shares_nothing_with_the_stored_one() {
    let id = Uuid::from_u128(7);
    let known = page(0b11, 0, ListCoverage::All);
    let stored = applied(
        StoredPage::default(),
        StoredPage::default().changes(id, &known, ALL_LISTS, at(0)),
    );
    assert!(!stored.shares_nothing_with(&page(0b110, 0, ListCoverage::All)));
    assert!(stored.shares_nothing_with(&page(0b1100, 0, ListCoverage::All)));
    assert!(stored.shares_nothing_with(&page(0, 0, ListCoverage::All)));
    assert!(!StoredPage::default().shares_nothing_with(&page(0, 0, ListCoverage::All)));
}

#[test]
fn a_page_whose_components_were_all_missing_can_come_back() {
    let id = Uuid::from_u128(7);
    let known = page(0b11, 0, ListCoverage::All);
    let stored = applied(
        StoredPage::default(),
        StoredPage::default().changes(id, &known, ALL_LISTS, at(0)),
    );
    let stored = applied(
        stored,
        Changes {
            removed_components: vec!["0".into(), "1".into()],
            ..Changes::default()
        },
    );
    assert!(stored.components.iter().all(|row| row.missing));
    let changes = stored.changes(id, &page(0b1100, 0, ListCoverage::All), ALL_LISTS, at(1));
    let stored = applied(stored, changes);
    assert!(
        !stored.shares_nothing_with(&known),
        "its own components come back"
    );
}

#[test]
fn a_missing_component_is_not_up_when_it_is_not_mentioned() {
    let id = Uuid::from_u128(7);
    let stored = applied(
        StoredPage::default(),
        StoredPage::default().changes(id, &page(0b11, 0, ListCoverage::All), ALL_LISTS, at(0)),
    );
    let stored = applied(
        stored,
        Changes {
            removed_components: vec!["1".into()],
            ..Changes::default()
        },
    );
    let stored = StoredPage {
        components: stored.components.clone(),
        ..StoredPage::default()
    };
    let changes = stored.changes(id, &page(0b1, 0, ListCoverage::Mentioned), ALL_LISTS, at(1));
    assert!(
        changes.components.iter().all(|row| row.component_id != "1"),
        "{changes:?}"
    );
}

#[test]
fn small_numbers_as_ids_do_not_make_two_pages_one_vendors() {
    let named = |id: &str, name: &str| Page {
        components: vec![Component {
            id: id.into(),
            name: name.into(),
            group: None,
            status: Status::Up,
            vendor_status: "1".into(),
            position: 0,
        }],
        ..page(0, 0, ListCoverage::All)
    };
    let known = |id: &str, name: &str| [(id.to_owned(), name.to_owned())];
    assert!(!is_same_vendor(&named("1", "Mail"), &known("1", "API")));
    assert!(is_same_vendor(&named("1", "api"), &known("1", "API")));
    assert!(
        !is_same_vendor(&named("all", "Slack"), &known("all", "Google Cloud")),
        "the whole of another"
    );
    assert!(!is_same_vendor(
        &named("7000000001234", "Mail"),
        &known("7000000001234", "API")
    ));
    assert!(
        is_same_vendor(
            &named("k8w3r06qmzrp", "Gateway"),
            &known("k8w3r06qmzrp", "API")
        ),
        "a rename"
    );
    assert!(!is_same_vendor(
        &named("k8w3r06qmzrp", "API"),
        &known("x1", "API")
    ));
    assert!(!is_same_vendor(&named("1", "API"), &[]));
}

#[test]
fn lists_that_are_not_present_stay_unchanged() {
    let id = Uuid::from_u128(7);
    let known = page(
        0b11 | 0b111 << 8 | 0b111 << 12 | 0b111 << 20,
        0,
        ListCoverage::All,
    );
    let stored = applied(
        StoredPage::default(),
        StoredPage::default().changes(id, &known, ALL_LISTS, at(-200)),
    );
    assert_eq!((stored.incidents.len(), stored.maintenances.len()), (3, 3));
    let silent = page(0b11, 0, ListCoverage::All);
    for (incidents, maintenances) in [(false, false), (true, false), (false, true)] {
        let changes = stored.changes(
            id,
            &silent,
            PresentLists {
                incidents,
                maintenances,
            },
            at(-190),
        );
        assert_eq!(
            changes.incidents.len(),
            if incidents { 3 } else { 0 },
            "all of them end, or none"
        );
        assert_eq!(
            changes.ended_maintenances.len(),
            if maintenances { 3 } else { 0 }
        );
    }
}
