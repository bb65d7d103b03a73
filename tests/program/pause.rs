//! A program that is stopped for a while, as on a laptop that sleeps or a virtual machine that is moved.

use crate::journey::{Single, add, sign_in};
use serde_json::json;
use std::time::Duration;
use testkit::target::{Behaviour, Target};

/// How long the program is stopped: longer than a check may take.
const STOP: Duration = Duration::from_secs(3);

const HISTORY: &str = "query ($id: UUID!) { service(id: $id) {
    current { status }
    checks(first: 50) { edges { node { status responseTimeMs message } } }
    incidents { totalCount }
} }";

#[tokio::test]
async fn a_check_during_which_the_program_was_stopped_is_made_again() {
    let target = Target::start().await;
    target.behave(Behaviour::slow(300)).await;
    let mut single = Single::start();
    let client = sign_in(&mut single.process).await;
    let id = add(&client, "Shop", &target.url()).await;
    target.has_read(2).await;

    single.process.signal("STOP").await;
    // Only real time can pass for a program that is stopped.
    tokio::time::sleep(STOP).await;
    let asked = target.requests();
    single.process.signal("CONT").await;

    target.has_read(asked + 3).await;
    let service = client.data(HISTORY, json!({ "id": id })).await["service"].clone();
    let checks = service["checks"]["edges"].as_array().unwrap();
    for check in checks {
        assert_eq!(check["node"]["status"], "UP", "{check}");
        assert!(
            check["node"]["responseTimeMs"].as_u64().unwrap() < 1_000,
            "{check}"
        );
    }
    assert!(checks.len() >= 3, "{checks:?}");
    assert_eq!(service["current"]["status"], "UP");
    assert_eq!(service["incidents"]["totalCount"], 0);
    assert!(
        single
            .process
            .log()
            .contains("PulseCheck itself did not run for a while"),
        "{}",
        single.process.log()
    );
}
