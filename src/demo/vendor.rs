//! Vendor page of the demo: a Statuspage-compatible server on loopback that always has an incident
//! or maintenance to show.

use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Name of the vendor.
pub(crate) const NAME: &str = "Harbour Cloud";

/// Path of the page's JSON summary.
pub(crate) const SUMMARY: &str = "/api/v2/summary.json";

/// Components of the page: id, name, group.
pub(crate) const COMPONENTS: [(&str, &str, Option<&str>); 8] = [
    ("machines", "Virtual machines", Some("Compute")),
    ("clusters", "Kubernetes", Some("Compute")),
    ("objects", "Object storage", Some("Storage")),
    ("blocks", "Block storage", Some("Storage")),
    ("balancers", "Load balancers", Some("Network")),
    ("dns", "DNS", Some("Network")),
    ("console", "Console", None),
    ("api", "API", None),
];

/// Length of one cycle. The clusters are operational in its first half.
const CYCLE: TimeDelta = TimeDelta::minutes(8);

/// Serves the page until the process exits. Returns its address.
///
/// # Errors
/// Fails if no loopback port is available.
pub(crate) async fn serve(begin: DateTime<Utc>) -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let summary = async move || Json(page(&format!("http://{address}"), begin, Utc::now()));
    let components = async move || {
        let page = page(&format!("http://{address}"), begin, Utc::now());
        Json(json!({ "page": page["page"], "components": page["components"] }))
    };
    let app = Router::new()
        .route(SUMMARY, get(summary))
        .route("/api/v2/components.json", get(components))
        .fallback(get(async || {
            Html(format!(
                "<!doctype html><title>{NAME} status</title><h1>{NAME} status</h1>"
            ))
        }));
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            tracing::error!(%error, "the demo's vendor page stopped");
        }
    });
    Ok(address)
}

/// Renders the page at `url` as of `now`, for a demo that started at `begin`.
fn page(url: &str, begin: DateTime<Utc>, now: DateTime<Utc>) -> Value {
    let cycle = (now - begin)
        .num_milliseconds()
        .div_euclid(CYCLE.num_milliseconds());
    let failing = begin + CYCLE * i32::try_from(cycle).unwrap_or(0) + CYCLE / 2;
    let clusters = if now >= failing {
        "partial_outage"
    } else {
        "operational"
    };
    let word = |id: &str| match id {
        "clusters" => clusters,
        "blocks" => "degraded_performance",
        "console" => "under_maintenance",
        _ => "operational",
    };
    let mut incidents = vec![event(
        url,
        ("slow-writes", "Slower writes to block storage", "minor"),
        "blocks",
        &[
            (
                begin - TimeDelta::minutes(41),
                "investigating",
                "Writes take up to ten times as long as usual in zone B.",
            ),
            (
                begin - TimeDelta::minutes(19),
                "identified",
                "A storage rack lost half of its uplinks; traffic is being moved away from it.",
            ),
        ],
    )];
    if now >= failing {
        let id = format!("nodes-{cycle}");
        let mut updates = vec![(
            failing,
            "investigating",
            "Nodes that are created now do not join their clusters. Running ones are not affected.",
        )];
        if now >= failing + CYCLE / 4 {
            updates.push((
                failing + CYCLE / 4,
                "identified",
                "A certificate of the join service was not renewed; a new one is being rolled out.",
            ));
        }
        incidents.push(event(
            url,
            (&id, "New nodes do not join clusters", "major"),
            "clusters",
            &updates,
        ));
    }
    let mut maintenances = Vec::new();
    for (id, name, component, from, hours, body) in [
        (
            "console-2",
            "Console moves to new machines",
            "console",
            begin - TimeDelta::minutes(25),
            3,
            "The console is read-only meanwhile. Everything that runs keeps running.",
        ),
        (
            "gateways",
            "Upgrade of the object storage gateways",
            "objects",
            begin + TimeDelta::hours(20),
            2,
            "Requests may take a second longer while a gateway is replaced.",
        ),
    ] {
        let stage = if now >= from {
            "in_progress"
        } else {
            "scheduled"
        };
        let mut maintenance = event(
            url,
            (id, name, "maintenance"),
            component,
            &[(begin - TimeDelta::days(2), stage, body)],
        );
        maintenance["status"] = stage.into();
        maintenance["scheduled_for"] = time(from).into();
        maintenance["scheduled_until"] = time(from + TimeDelta::hours(hours)).into();
        maintenances.push(maintenance);
    }
    json!({
        "page": { "id": "harbour", "name": NAME, "url": url, "time_zone": "Etc/UTC", "updated_at": time(now) },
        "status": { "indicator": "minor", "description": "Partially degraded" },
        "components": components(word), "incidents": incidents, "scheduled_maintenances": maintenances,
    })
}

/// Lists components and groups as Statuspage does; `word` returns the status of each.
fn components(word: impl Fn(&str) -> &'static str) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for (position, (id, name, group)) in COMPONENTS.into_iter().enumerate() {
        if let Some(group) = group
            && !all.iter().any(|one| one["id"] == group)
        {
            all.push(json!({ "id": group, "name": group, "status": "operational", "group": true, "group_id": null }));
        }
        all.push(json!({ "id": id, "name": name, "status": word(id), "position": position, "group": false, "group_id": group }));
    }
    all
}

/// Renders an incident or maintenance. `updates` are in chronological order.
fn event(
    url: &str,
    (id, name, impact): (&str, &str, &str),
    component: &str,
    updates: &[(DateTime<Utc>, &str, &str)],
) -> Value {
    let update_list = updates.iter().rev().map(|(at, status, body)| {
        json!({ "id": format!("{id}-{}", at.timestamp()), "status": status, "body": body, "display_at": time(*at) })
    });
    json!({
        "id": id, "name": name, "impact": impact, "status": updates.last().map(|(_, status, _)| status),
        "started_at": updates.first().map(|(at, ..)| time(*at)), "shortlink": format!("{url}/incidents/{id}"),
        "components": [{ "id": component }], "incident_updates": update_list.collect::<Vec<_>>(),
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Status;
    use vendor_pages::page::{Page, assemble, read};

    fn read_at(begin: DateTime<Utc>, after: TimeDelta) -> Page {
        let answer = page("http://127.0.0.1:1", begin, begin + after).to_string();
        let url = format!("http://127.0.0.1:1{SUMMARY}").parse().unwrap();
        assemble(vec![read(&url, answer.as_bytes()).unwrap()]).unwrap()
    }

    #[test]
    fn the_page_is_read_with_an_outage_that_comes_and_goes_and_maintenance_now_and_later() {
        let begin: DateTime<Utc> = "2026-03-20T15:20:00Z".parse().unwrap();
        let status = |page: &Page, id: &str| {
            page.components
                .iter()
                .find(|one| one.id == id)
                .unwrap()
                .status
        };
        let well = read_at(begin, CYCLE / 4);
        assert_eq!(well.components.len(), COMPONENTS.len());
        assert!(well.components.iter().all(|one| COMPONENTS.contains(&(
            &*one.id,
            &*one.name,
            one.group.as_deref()
        ))));
        assert_eq!(status(&well, "clusters"), Status::Up);
        assert_eq!(status(&well, "blocks"), Status::Degraded);
        assert_eq!(status(&well, "console"), Status::Maintenance);
        assert_eq!((well.incidents.len(), well.maintenances.len()), (1, 2));

        let failing = read_at(begin, CYCLE * 3 - TimeDelta::seconds(1));
        assert_eq!(status(&failing, "clusters"), Status::Down);
        let incident = failing
            .incidents
            .iter()
            .find(|one| one.component_ids == ["clusters"])
            .unwrap();
        assert_eq!(incident.updates.len(), 2);
        assert!(
            incident.updates[0].at > incident.updates[1].at,
            "the newest first"
        );
        assert_eq!(status(&read_at(begin, CYCLE * 3), "clusters"), Status::Up);
    }
}
