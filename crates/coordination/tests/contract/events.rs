//! Events from every process to every receiver.

use crate::status_cache::cached;
use crate::{Two, in_time, over_both, seconds_from_now, service};
use coordination::{Coordination, Event, Events, Missed, ServiceChange};
use domain::Status;
use testkit::RedisServer;
use tokio_stream::StreamExt;
use uuid::Uuid;

over_both!(
    every_receiver_gets_all_events_in_order,
    a_workspace_gets_only_its_own_events_in_order,
    a_receiver_gets_nothing_from_before_it_subscribed,
    a_lagging_receiver_gets_missed_and_goes_on,
    each_kind_of_event_arrives_as_it_was_sent,
);

pub(crate) fn event(number: u128) -> Event {
    let change = if number.is_multiple_of(2) {
        ServiceChange::Updated
    } else {
        ServiceChange::Paused
    };
    Event::ServiceChanged {
        workspace_id: Uuid::from_u128(7),
        service_id: service(number),
        change,
    }
}

pub(crate) async fn next(events: &mut Events) -> Result<Event, Missed> {
    let event = in_time(events.next())
        .await
        .expect("the stream has not ended");
    event.map(|event| (*event).clone())
}

async fn every_receiver_gets_all_events_in_order(two: Two) {
    let mut receivers = [two.a.subscribe(), two.b.subscribe(), two.b.subscribe()];
    let all: Vec<_> = (0..2500).map(event).collect();
    two.a.publish(&all[..1]).await.unwrap();
    two.a.publish(&[]).await.unwrap();
    two.a.publish(&all[1..4]).await.unwrap();
    two.a.publish(&all[4..]).await.unwrap();
    for receiver in &mut receivers {
        for event in &all {
            assert_eq!(&next(receiver).await.unwrap(), event);
        }
    }
}

async fn a_workspace_gets_only_its_own_events_in_order(two: Two) {
    let of = |workspace: u128, number: u128| {
        let change = ServiceChange::Updated;
        Event::ServiceChanged {
            workspace_id: Uuid::from_u128(workspace),
            service_id: service(number),
            change,
        }
    };
    let mut receivers = [1, 1, 2].map(|workspace| two.b.subscribe_to(Uuid::from_u128(workspace)));
    let all: Vec<_> = (0..600).map(|number| of(number % 3, number)).collect();
    two.a.publish(&all).await.unwrap();
    for (receiver, workspace) in receivers.iter_mut().zip([1, 1, 2]) {
        for event in all
            .iter()
            .filter(|event| event.workspace_id() == Uuid::from_u128(workspace))
        {
            assert_eq!(&next(receiver).await.unwrap(), event);
        }
    }
    // The topic of a workspace ends with its last subscription.
    let [first, second, third] = receivers;
    drop((first, third));
    let (mut second, mut again) = (second, two.b.subscribe_to(Uuid::from_u128(2)));
    two.a.publish(&[of(1, 1), of(2, 2)]).await.unwrap();
    assert_eq!(
        (next(&mut second).await, next(&mut again).await),
        (Ok(of(1, 1)), Ok(of(2, 2)))
    );
    // Who does not read misses something and goes on.
    for start in (0..1_000).step_by(2) {
        two.a
            .publish(&[of(1, start), of(1, start + 1)])
            .await
            .unwrap();
    }
    two.a.publish(&[of(2, 0)]).await.unwrap();
    assert_eq!(
        next(&mut again).await,
        Ok(of(2, 0)),
        "what one workspace misses another does not"
    );
    assert_eq!(next(&mut second).await, Err(Missed));
    while next(&mut second).await != Ok(of(1, 999)) {}
}

async fn a_receiver_gets_nothing_from_before_it_subscribed(two: Two) {
    let mut early = two.b.subscribe();
    two.a.publish(&[event(1)]).await.unwrap();
    assert_eq!(next(&mut early).await, Ok(event(1)));
    let mut late = two.b.subscribe();
    two.a.publish(&[event(2)]).await.unwrap();
    assert_eq!(next(&mut late).await, Ok(event(2)));
}

async fn a_lagging_receiver_gets_missed_and_goes_on(two: Two) {
    let (mut slow, mut quick) = (two.b.subscribe(), two.b.subscribe());
    let count = 10_000;
    let reader = tokio::spawn(async move {
        // It need not get each of them, but it must get to the last.
        while next(&mut quick).await != Ok(event(count - 1)) {}
    });
    for start in (0..count).step_by(5) {
        two.a
            .publish(&(start..start + 5).map(event).collect::<Vec<_>>())
            .await
            .unwrap();
    }
    reader.await.unwrap();
    assert_eq!(next(&mut slow).await, Err(Missed));
    let first = next(&mut slow).await.unwrap();
    let first = (0..count).find(|number| event(*number) == first).unwrap();
    assert!(first > 0, "it did miss something");
    for number in first + 1..count {
        assert_eq!(next(&mut slow).await, Ok(event(number)));
    }
}

async fn each_kind_of_event_arrives_as_it_was_sent(two: Two) {
    let mut receiver = two.b.subscribe();
    let (workspace_id, service_id) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let change = |change| Event::ServiceChanged {
        workspace_id,
        service_id,
        change,
    };
    let checked = |status, previous| Event::StatusChecked {
        workspace_id,
        service_id,
        slot: seconds_from_now(0),
        previous,
        current: cached(service_id, 0, status).current,
        changed: previous != Some(status),
    };
    let all = [
        checked(Status::Up, None),
        checked(Status::Down, Some(Status::Up)),
        checked(Status::Maintenance, Some(Status::Maintenance)),
        Event::IncidentChanged {
            workspace_id,
            service_id,
            incident_id: Uuid::from_u128(3),
        },
        change(ServiceChange::Created),
        change(ServiceChange::Resumed),
        change(ServiceChange::Deleted),
    ];
    two.a.publish(&all).await.unwrap();
    for event in &all {
        let received = next(&mut receiver).await.unwrap();
        assert_eq!(&received, event);
        assert_eq!(
            (received.workspace_id(), received.service_id()),
            (workspace_id, service_id)
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_for_changes_receives_only_changed_definitions() {
    let redis = RedisServer::start().await;
    let (api, worker) = (
        Coordination::connect(&redis.url()).await.unwrap(),
        Coordination::connect_for_changes(&redis.url())
            .await
            .unwrap(),
    );
    let (mut everything, mut changes) = (api.subscribe(), worker.subscribe());
    let id = Uuid::from_u128(1);
    let others: Vec<_> = (2..1500).map(|i| incident_changed(id, i)).collect();
    for publisher in [&api, &worker] {
        let all = [&[event(1)], &others[..], &[event(2)]].concat();
        publisher.publish(&all).await.unwrap();
        for expected in [event(1), event(2)] {
            assert_eq!(next(&mut changes).await, Ok(expected));
        }
        for expected in all {
            assert_eq!(next(&mut everything).await, Ok(expected));
        }
    }
    let workspace = Uuid::from_u128(7);
    let mut of_a_workspace = worker.subscribe_to(workspace);
    api.publish(&[incident_changed(workspace, 1), event(3)])
        .await
        .unwrap();
    assert_eq!(next(&mut of_a_workspace).await, Ok(event(3)));
}

fn incident_changed(workspace_id: Uuid, number: u128) -> Event {
    Event::IncidentChanged {
        workspace_id,
        service_id: service(number),
        incident_id: Uuid::from_u128(3),
    }
}
