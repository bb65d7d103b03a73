use super::{wish::Wish, *};
use crate::{
    api::{
        IncidentService, IncidentState, IncidentType, Phases, Schedule, Status, StatusUpdate,
        UpdatedService,
    },
    components::{ServiceRow, tip::TipPlace},
    pages::ListView,
};
use dioxus::core::Mutations;

fn service(number: u128, name: &str) -> Service {
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

fn update(number: u128, status: Status, at: i64) -> StatusUpdate {
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

fn incident(number: u128, service: u128, state: IncidentState) -> Incident {
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

fn with_store(test: impl FnOnce(Store)) {
    let mut dom = VirtualDom::new(VNode::empty);
    dom.rebuild_in_place();
    dom.in_scope(ScopeId::ROOT, || test(Store::new()));
}

fn status_of(store: Store, number: u128) -> Option<Status> {
    store
        .entry(Uuid::from_u128(number))?
        .current
        .peek()
        .as_ref()
        .map(|current| current.status)
}

#[test]
fn a_list_takes_away_what_is_not_in_it() {
    with_store(|store| {
        store.fill(vec![service(1, "A"), service(2, "B")]);
        store.fill(vec![service(2, "B")]);
        let names: Vec<_> = store
            .listed
            .peek()
            .values()
            .map(|listed| listed.name.clone())
            .collect();
        assert_eq!(names, ["B"]);
        assert_eq!(*store.loading.peek(), Loading::Ready);
    });
}

#[test]
fn news_that_come_late_do_not_undo_later_ones() {
    with_store(|store| {
        store.fill(vec![service(1, "A")]);
        store.apply_status(update(1, Status::Down, 2000));
        store.apply_status(update(1, Status::Up, 1000));
        assert_eq!(status_of(store, 1), Some(Status::Down));
        let mut older = service(1, "A");
        older.current = Some(update(1, Status::Up, 1500).current);
        store.fill(vec![older]);
        assert_eq!(status_of(store, 1), Some(Status::Down));
        assert_eq!(
            store.listed.peek()[&Uuid::from_u128(1)].status,
            Status::Down
        );
    });
}

#[test]
fn only_a_change_of_status_touches_the_list() {
    with_store(|store| {
        store.fill(vec![service(1, "A")]);
        store.apply_status(update(1, Status::Up, 1000));
        let flips = store
            .entry(Uuid::from_u128(1))
            .map(|entry| *entry.flips.peek());
        store.apply_status(update(1, Status::Up, 2000));
        assert_eq!(
            store
                .entry(Uuid::from_u128(1))
                .map(|entry| *entry.flips.peek()),
            flips
        );
    });
}

#[test]
fn an_incident_is_open_until_it_is_that_one_that_ends() {
    with_store(|store| {
        let id = Uuid::from_u128(1);
        store.fill(vec![service(1, "A")]);
        store.apply_incident(&incident(10, 1, IncidentState::Open));
        store.apply_incident(&incident(9, 1, IncidentState::Resolved));
        assert_eq!(
            store.open.peek().get(&id).map(|open| open.id),
            Some(Uuid::from_u128(10))
        );
        store.apply_incident(&incident(10, 1, IncidentState::Resolved));
        assert!(store.open.peek().is_empty());
        assert_eq!(store.incidents.peek().len(), 2);
    });
}

fn listed(store: Store, number: u128) -> Option<(String, bool)> {
    store
        .listed
        .peek()
        .get(&Uuid::from_u128(number))
        .map(|listed| (listed.name.clone(), listed.paused))
}

#[test]
fn a_refusal_takes_back_what_was_wished_and_nothing_else() {
    with_store(|store| {
        let id = Uuid::from_u128(1);
        store.fill(vec![service(1, "A")]);
        store.apply_status(update(1, Status::Up, 1000));
        store.wish(1, &[id], &Wish::Paused(true));
        assert_eq!(listed(store, 1), Some(("A".into(), true)));
        // News that arrive meanwhile do not undo the wish, and are not undone with it.
        store.upsert(service(1, "B"));
        assert_eq!(listed(store, 1), Some(("B".into(), true)));
        store.withdraw(1, &[id]);
        assert_eq!(listed(store, 1), Some(("B".into(), false)));
    });
}

#[test]
fn a_wish_that_came_true_outlives_one_that_did_not() {
    with_store(|store| {
        let id = Uuid::from_u128(1);
        store.fill(vec![service(1, "A")]);
        store.wish(1, &[id], &Wish::Paused(true));
        store.wish(2, &[id], &Wish::Category(Some("Work".into())));
        store.fulfil(1, &[id]);
        store.withdraw(2, &[id]);
        assert_eq!(listed(store, 1), Some(("A".into(), true)));
        assert_eq!(store.listed.peek()[&id].category, None);
        // Nothing is wished any more: the server's word counts again.
        store.upsert(service(1, "A"));
        assert_eq!(listed(store, 1), Some(("A".into(), false)));
    });
}

#[test]
fn what_is_deleted_does_not_come_back_with_a_late_answer_but_with_the_undoing() {
    with_store(|store| {
        let ids = [Uuid::from_u128(1), Uuid::from_u128(2)];
        store.fill(vec![service(1, "A"), service(2, "B")]);
        store.apply_incident(&incident(10, 1, IncidentState::Open));
        store.wish(1, &ids[..1], &Wish::Gone);
        store.wish(2, &ids[1..], &Wish::Gone);
        store.fill(vec![service(1, "A"), service(2, "B")]);
        assert!(store.listed.peek().is_empty() && store.open.peek().is_empty());
        store.withdraw(1, &ids[..1]);
        store.fulfil(2, &ids[1..]);
        store.fill(vec![service(1, "A"), service(2, "B")]);
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
        use_context_provider(TipPlace::new);
        use_hook(|| {
            store.fill(
                (0..50)
                    .map(|number| service(number, &format!("S{number}")))
                    .collect(),
            )
        });
        let view = use_context_provider(|| ListView::new(store));
        rsx! {
            for number in 0..50 {
                if let Some(entry) = store.entry(Uuid::from_u128(number)) {
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
        store.apply_status(update(7, Status::Down, 1000))
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
