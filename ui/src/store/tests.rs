use super::{optimistic::PendingChange, *};
use crate::{
    api::{
        Current, Incident, IncidentService, IncidentState, IncidentType, Phases, Schedule, Service,
        Status, StatusUpdate, UpdatedService,
    },
    components::{ServiceRow, TooltipState},
    list::ListView,
};
use dioxus::core::Mutations;

pub(crate) fn service(number: u128, name: &str) -> Service {
    Service {
        id: Uuid::from_u128(number),
        name: name.into(),
        category: None,
        schedule: Schedule::Every,
        paused: false,
        created_at: Moment(0),
        target: Some("https://example.com/".into()),
        vendor_page_url: None,
        check_interval_seconds: 30,
        timeout_ms: 5000,
        degraded_threshold_ms: 1000,
        confirmations: 2,
        current: None,
        open_incident: None,
    }
}

pub(crate) fn update(number: u128, status: Status, at: i64) -> StatusUpdate {
    let current = Current {
        status,
        since: Moment(at),
        checked_at: Moment(at),
        response_time_ms: Some(80),
        status_code: Some(200),
        message: None,
        phases: Phases::default(),
        certificate_expires_at: None,
    };
    StatusUpdate {
        service: UpdatedService {
            id: Uuid::from_u128(number),
        },
        previous: None,
        current,
        changed: true,
    }
}

pub(crate) fn incident(number: u128, service: u128, state: IncidentState) -> Incident {
    Incident {
        id: Uuid::from_u128(number),
        kind: IncidentType::Downtime,
        state,
        started_at: Moment(0),
        resolved_at: None,
        checks_failed: 2,
        cause: None,
        acknowledged_at: None,
        note_count: 0,
        service: IncidentService {
            id: Uuid::from_u128(service),
            name: "A".into(),
        },
        events: Vec::new(),
    }
}

pub(crate) fn with_store(test: impl FnOnce(Store)) {
    let mut dom = VirtualDom::new(VNode::empty);
    dom.rebuild_in_place();
    dom.in_scope(ScopeId::ROOT, || test(Store::new()));
}

fn status_of(store: Store, number: u128) -> Option<Status> {
    store
        .services
        .entry(Uuid::from_u128(number))?
        .current
        .peek()
        .as_ref()
        .map(|current| current.status)
}

#[test]
fn replacing_the_list_removes_other_services() {
    with_store(|store| {
        store.replace_services(vec![service(1, "A"), service(2, "B")]);
        store.replace_services(vec![service(2, "B")]);
        let names: Vec<_> = store
            .services
            .listed
            .peek()
            .values()
            .map(|listed| listed.name.clone())
            .collect();
        assert_eq!(names, ["B"]);
        assert_eq!(*store.services.loading.peek(), Loading::Ready);
    });
}

#[test]
fn an_older_check_does_not_replace_a_newer_one() {
    with_store(|store| {
        store.replace_services(vec![service(1, "A")]);
        store.apply_status(update(1, Status::Down, 2000));
        store.apply_status(update(1, Status::Up, 1000));
        assert_eq!(status_of(store, 1), Some(Status::Down));
        let mut older = service(1, "A");
        older.current = Some(update(1, Status::Up, 1500).current);
        store.replace_services(vec![older]);
        assert_eq!(status_of(store, 1), Some(Status::Down));
        assert_eq!(
            store.services.listed.peek()[&Uuid::from_u128(1)].status,
            Status::Down
        );
    });
}

#[test]
fn a_check_that_arrives_before_its_service_is_kept() {
    with_store(|store| {
        store.replace_services(vec![service(1, "A")]);
        store.apply_status(update(2, Status::Down, 2000));
        store.apply_status(update(2, Status::Up, 1000));
        store.apply_incident(&incident(10, 2, IncidentState::Open));
        // The response of the mutation that created it is from before its first check.
        store.upsert(service(2, "New"));
        assert_eq!(status_of(store, 2), Some(Status::Down));
        assert_eq!(
            store.services.listed.peek()[&Uuid::from_u128(2)].status,
            Status::Down
        );
        assert!(
            store
                .incidents
                .open
                .peek()
                .contains_key(&Uuid::from_u128(2)),
            "its incident opened after that response, too"
        );
    });
}

#[test]
fn an_older_response_does_not_take_the_first_check_away() {
    with_store(|store| {
        store.replace_services(vec![service(1, "A")]);
        store.apply_status(update(1, Status::Up, 1000));
        store.apply_incident(&incident(10, 1, IncidentState::Open));
        store.upsert(service(1, "A"));
        store.replace_services(vec![service(1, "A")]);
        assert_eq!(status_of(store, 1), Some(Status::Up));
        assert_eq!(store.incidents.open.peek().len(), 1);
        let mut newer = service(1, "A");
        newer.current = Some(update(1, Status::Up, 2000).current);
        store.upsert(newer);
        assert!(store.incidents.open.peek().is_empty(), "it has ended since");
    });
}

#[test]
fn services_that_change_while_the_list_is_loaded_stay_as_they_are() {
    with_store(|store| {
        store.replace_services(vec![service(1, "A"), service(2, "B")]);
        store.services.begin_load();
        store.upsert(service(3, "New"));
        store.remove(Uuid::from_u128(2));
        store.replace_services(vec![service(1, "A"), service(2, "B")]);
        let names: Vec<_> = [1, 2, 3].map(|number| listed(store, number)).into();
        let is_listed: Vec<bool> = names.iter().map(Option::is_some).collect();
        assert_eq!(is_listed, [true, false, true]);
        store.services.begin_load();
        store.replace_services(vec![service(1, "A")]);
        assert_eq!(listed(store, 3), None, "a later list knows better");
    });
}

#[test]
fn an_undone_pause_is_shown_at_once() {
    with_store(|store| {
        let id = Uuid::from_u128(1);
        let mut paused = service(1, "A");
        paused.paused = true;
        store.replace_services(vec![paused]);
        store.add_pending(1, &[id], &PendingChange::PauseUndone);
        assert_eq!(listed(store, 1), Some(("A".into(), false)));
        store.rollback(1, &[id]);
        assert_eq!(listed(store, 1), Some(("A".into(), true)));
    });
}

#[test]
fn only_a_change_of_status_changes_the_list() {
    with_store(|store| {
        store.replace_services(vec![service(1, "A")]);
        store.apply_status(update(1, Status::Up, 1000));
        let status_revision = store
            .services
            .entry(Uuid::from_u128(1))
            .map(|entry| *entry.status_revision.peek());
        store.apply_status(update(1, Status::Up, 2000));
        assert_eq!(
            store
                .services
                .entry(Uuid::from_u128(1))
                .map(|entry| *entry.status_revision.peek()),
            status_revision
        );
    });
}

#[test]
fn an_incident_stays_open_until_that_one_is_resolved() {
    with_store(|store| {
        let id = Uuid::from_u128(1);
        store.replace_services(vec![service(1, "A")]);
        store.apply_incident(&incident(10, 1, IncidentState::Open));
        store.apply_incident(&incident(9, 1, IncidentState::Resolved));
        assert_eq!(
            store.incidents.open.peek().get(&id).map(|open| open.id),
            Some(Uuid::from_u128(10))
        );
        store.apply_incident(&incident(10, 1, IncidentState::Resolved));
        assert!(store.incidents.open.peek().is_empty());
        assert_eq!(store.incidents.by_id.peek().len(), 2);
    });
}

fn listed(store: Store, number: u128) -> Option<(String, bool)> {
    store
        .services
        .listed
        .peek()
        .get(&Uuid::from_u128(number))
        .map(|listed| (listed.name.clone(), listed.paused))
}

#[test]
fn a_rollback_reverts_only_its_own_change() {
    with_store(|store| {
        let id = Uuid::from_u128(1);
        store.replace_services(vec![service(1, "A")]);
        store.apply_status(update(1, Status::Up, 1000));
        store.add_pending(1, &[id], &PendingChange::Paused(true));
        assert_eq!(listed(store, 1), Some(("A".into(), true)));
        // Updates that arrive meanwhile do not revert the change, and are not reverted with it.
        store.upsert(service(1, "B"));
        assert_eq!(listed(store, 1), Some(("B".into(), true)));
        store.rollback(1, &[id]);
        assert_eq!(listed(store, 1), Some(("B".into(), false)));
    });
}

#[test]
fn a_committed_change_survives_the_rollback_of_another() {
    with_store(|store| {
        let id = Uuid::from_u128(1);
        store.replace_services(vec![service(1, "A")]);
        store.add_pending(1, &[id], &PendingChange::Paused(true));
        store.add_pending(2, &[id], &PendingChange::Category(Some("Work".into())));
        store.commit(1, &[id]);
        store.rollback(2, &[id]);
        assert_eq!(listed(store, 1), Some(("A".into(), true)));
        assert_eq!(store.services.listed.peek()[&id].category, None);
        // Nothing is pending any more, so the server's state applies.
        store.upsert(service(1, "A"));
        assert_eq!(listed(store, 1), Some(("A".into(), false)));
    });
}

#[test]
fn a_deleted_service_returns_only_by_undo() {
    with_store(|store| {
        let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
        store.replace_services(vec![service(1, "A"), service(2, "B")]);
        store.apply_incident(&incident(10, 1, IncidentState::Open));
        store.add_pending(1, &ids[..1], &PendingChange::Deleted);
        store.add_pending(2, &ids[1..], &PendingChange::Deleted);
        store.replace_services(vec![service(1, "A"), service(2, "B")]);
        assert!(store.services.listed.peek().is_empty() && store.incidents.open.peek().is_empty());
        store.rollback(1, &ids[..1]);
        store.commit(2, &ids[1..]);
        store.replace_services(vec![service(1, "A"), service(2, "B")]);
        assert_eq!(
            (listed(store, 1), listed(store, 2)),
            (Some(("A".into(), false)), None)
        );
    });
}

#[test]
fn one_update_redraws_one_row() {
    #[component]
    fn List() -> Element {
        let store = use_context_provider(Store::new);
        use_context_provider(TooltipState::new);
        use_hook(|| {
            store.replace_services(
                (0..50)
                    .map(|number| service(number, &format!("S{number}")))
                    .collect(),
            );
        });
        let view = use_context_provider(|| ListView::new(store));
        rsx! {
            for number in 0..50 {
                if let Some(entry) = store.services.entry(Uuid::from_u128(number)) {
                    ServiceRow { key: "{number}", entry, view, opened: false }
                }
            }
        }
    }
    let mut dom = VirtualDom::new(List);
    dom.rebuild_in_place();
    assert!(!dioxus_ssr::render(&dom).contains("80 ms"));
    let store = dom.in_scope(ScopeId::APP, consume_context::<Store>);
    dom.in_scope(ScopeId::APP, || {
        store.apply_status(update(7, Status::Down, 1000));
    });
    let mut mutations = Mutations::default();
    dom.render_immediate(&mut mutations);
    let html = dioxus_ssr::render(&dom);
    assert_eq!(html.matches("80 ms").count(), 1, "{html}");
    assert!(html.contains("row flash-b"), "{html}");
    assert!(
        !mutations.edits.is_empty() && mutations.edits.len() < 30,
        "{} edits",
        mutations.edits.len()
    );
}
