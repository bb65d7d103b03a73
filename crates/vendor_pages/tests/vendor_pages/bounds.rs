//! The worst that an answer within the bounds can ask for: reading it takes a time that grows with it and no faster.

use crate::{page, read};
use std::fmt::Write;
use std::time::{Duration, Instant};
use vendor_pages::page::following::Index;
use vendor_pages::page::{MAX_COMPONENTS, Unreadable};

/// How many entries; four times as many are still within the bound on values.
const FEW: usize = 4_000;

/// An answer of `n` entries, and its address.
type Answer = (&'static str, fn(n: usize) -> String);

fn list(n: usize, entry: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut list, i| {
        let _ = write!(list, "{}{}", if i > 0 { "," } else { "" }, entry(i));
        list
    })
}

/// One a provider: many entries that refer to many others.
const ANSWERS: &[Answer] = &[
    ("/api/v2/summary.json", |n| {
        let members = list(n, |i| {
            format!(r#"{{"id":"c{i}","name":"C","status":"operational","group_id":"g{i}"}}"#)
        });
        let groups = list(n, |i| format!(r#"{{"id":"g{i}","name":"G","group":true}}"#));
        format!(
            r#"{{"page":{{}},"status":{{"indicator":"none"}},"components":[{members},{groups}]}}"#
        )
    }),
    ("/proxy/a", |n| {
        let all = list(n, |i| format!(r#"{{"id":"c{i}","name":"C"}}"#));
        let affected = list(n, |i| {
            format!(r#"{{"component_id":"c{i}","status":"full_outage"}}"#)
        });
        let shown = list(n, |i| {
            format!(r#"{{"component":{{"component_id":"c{i}"}}}}"#)
        });
        format!(
            r#"{{"summary":{{"components":[{all}],"affected_components":[{affected}],"structure":{{"items":[{shown}]}}}}}}"#
        )
    }),
    ("/v3/components.json", |n| {
        let leaves = list(n, |i| {
            format!(r#"{{"id":"c{i}","name":"C","status":"OPERATIONAL","isParent":false}}"#)
        });
        let children = list(n, |i| format!(r#""c{i}""#));
        format!(
            r#"{{"components":[{leaves},{{"id":"p","name":"P","isParent":true,"children":[{children}]}}]}}"#
        )
    }),
    ("/index.json", |n| {
        let sections = list(n, |i| {
            format!(r#"{{"id":"s{i}","type":"status_page_section","attributes":{{"name":"S"}}}}"#)
        });
        let leaves = list(n, |i| {
            format!(
                r#"{{"id":"c{i}","type":"status_page_resource","attributes":{{"public_name":"C","status_page_section_id":"s{i}"}}}}"#
            )
        });
        // All of them refer to one long text.
        let text = "<b>".repeat(n);
        let text =
            format!(r#"{{"id":"u","type":"status_update","attributes":{{"message":"{text}"}}}}"#);
        let reports = list(n, |i| {
            format!(
                r#"{{"id":"r{i}","type":"status_report","attributes":{{"title":"R"}},"relationships":{{"status_updates":{{"data":[{{"id":"u"}}]}}}}}}"#
            )
        });
        format!(
            r#"{{"data":{{"type":"status_page"}},"included":[{sections},{leaves},{reports},{text}]}}"#
        )
    }),
    ("/1.0/status/1", |n| {
        let leaves = list(n, |i| {
            format!(r#"{{"id":"c{i}","name":"C","status_code":100}}"#)
        });
        let incidents = list(n, |i| {
            format!(r#"{{"_id":"i{i}","name":"I","components_affected":[{{"_id":"c{i}"}}]}}"#)
        });
        format!(
            r#"{{"result":{{"status_overall":{{}},"status":[{leaves}],"incidents":[{incidents}]}}}}"#
        )
    }),
    ("/api/v2/status_pages/a/summary", |n| {
        let leaves = list(n, |i| {
            format!(r#"{{"id":{i},"name":"C","current_incident_type":null}}"#)
        });
        let incidents = list(n, |i| {
            format!(r#"{{"id":{i},"title":"I","service_ids":[{i}]}}"#)
        });
        format!(r#"{{"status_page":{{}},"services":[{leaves}],"incidents":[{incidents}]}}"#)
    }),
    ("/api/components", |n| {
        let leaves = list(n, |i| {
            format!(
                r#"{{"id":"{i}","type":"components","attributes":{{"name":"C","status":{{"value":1}}}},"relationships":{{"group":{{"data":{{"id":"{i}"}}}}}}}}"#
            )
        });
        let groups = list(n, |i| {
            format!(r#"{{"id":"{i}","type":"componentGroups","attributes":{{"name":"G"}}}}"#)
        });
        format!(r#"{{"data":[{leaves}],"included":[{groups}]}}"#)
    }),
    ("/api/v1/components", |n| {
        let leaves = list(n, |i| {
            format!(r#"{{"id":{i},"name":"C","status":1,"group_id":{i},"group":{{"name":"G"}}}}"#)
        });
        format!(r#"{{"meta":{{}},"data":[{leaves}]}}"#)
    }),
    ("/api/v2.0.0/current", |n| {
        let incidents = list(n, |i| {
            format!(r#"{{"id":{i},"title":"I","type":"incident","services":["S","S{i}"]}}"#)
        });
        format!(r#"{{"status":"active","active_incidents":[{incidents}]}}"#)
    }),
    ("/incidents.json", |n| {
        let incident = |i| {
            format!(
                r#"{{"id":"{i}","begin":"","status_impact":"SERVICE_OUTAGE","affected_products":[{{"id":"p","title":"P"}},{{"id":"p{i}","title":"P"}}]}}"#
            )
        };
        format!("[{}]", list(n, incident))
    }),
    ("/public/currentevents", |n| {
        let services = list(n, |i| {
            format!(r#""s{i}":{{"service_name":"S","current":"1"}}"#)
        });
        let event = |i| {
            format!(
                r#"{{"arn":"{i}","service":"e{i}","service_name":"E","region_name":"R","status":"1"}}"#
            )
        };
        format!(
            r#"[{{"arn":"a","service":"s","service_name":"S","region_name":"R","status":"1","impacted_services":{{{services}}}}},{}]"#,
            list(n, event)
        )
    }),
    ("/api/v4/current-status", |n| {
        let systems = list(n, |i| format!(r#"{{"system":"s{i}","status":"green"}}"#));
        let incidents = list(n, |i| {
            format!(r#"{{"id":{i},"title":"I","systems":["s{i}"]}}"#)
        });
        format!(r#"{{"status":[{systems}],"incidents":[{incidents}]}}"#)
    }),
    ("/rss", |n| {
        let items = list(n, |i| {
            format!("<item><title>C{i} - Operational</title></item>")
        });
        format!(
            "<rss><channel><title>A</title><description>StatusIQ</description>{items}</channel></rss>"
        )
    }),
    ("/en-us/status/feed/", |n| {
        let items = list(n, |i| {
            format!("<item><title>C{i}</title><guid>{i}</guid></item>")
        });
        format!("<rss><channel><title>Azure Status</title>{items}</channel></rss>")
    }),
];

/// How long reading it takes.
fn time(path: &str, bytes: &[u8]) -> Duration {
    let url = format!("https://status.vendor.example{path}");
    let begun = Instant::now();
    let why = read(&url, bytes).err();
    let took = begun.elapsed();
    assert!(
        matches!(why, None | Some(Unreadable::TooMany(_))),
        "{path}: {why:?}"
    );
    took
}

#[test]
fn reading_takes_a_time_that_grows_with_the_answer_and_no_faster() {
    for (path, answer) in ANSWERS {
        // Feeds have a bound of their own.
        let count = if answer(0).starts_with('<') {
            FEW / 4
        } else {
            FEW
        };
        let (few, many) = (answer(count), answer(4 * count));
        let (mut first, mut second) = (Duration::MAX, Duration::MAX);
        // Four times as much takes four times as long; the square would be sixteen times. A busy machine makes single
        // measurements longer, and the shortest of many no shorter.
        let linear = (0..15).any(|_| {
            first = first.min(time(path, few.as_bytes()));
            second = second.min(time(path, many.as_bytes()));
            second < first * 9
        });
        assert!(
            linear,
            "{path}: {first:?} for {count}, {second:?} for four times as many"
        );
    }
}

fn summary(components: usize, incidents: usize) -> String {
    let leaves = list(components, |i| {
        format!(r#"{{"id":"c{i}","name":"C","status":"operational"}}"#)
    });
    let linked = list(components, |i| format!(r#"{{"id":"c{i}"}}"#));
    let incidents = list(incidents, |i| {
        format!(r#"{{"id":"i{i}","name":"I","status":"identified","components":[{linked}]}}"#)
    });
    format!(
        r#"{{"page":{{}},"status":{{"indicator":"none"}},"components":[{leaves}],"incidents":[{incidents}]}}"#
    )
}

#[test]
fn a_page_with_too_many_components_is_not_read_and_none_is_cut_off() {
    let url = "https://status.vendor.example/api/v2/summary.json";
    let most = read(url, summary(MAX_COMPONENTS, 0).as_bytes()).unwrap();
    assert_eq!(most.components.unwrap().len(), MAX_COMPONENTS);
    let why = read(url, summary(MAX_COMPONENTS + 1, 0).as_bytes()).unwrap_err();
    assert_eq!(
        why.to_string(),
        "it lists 2001 components, and no more than 2000 are read"
    );
    // Nor are several answers that have too many together.
    let one = read(url, summary(MAX_COMPONENTS, 0).as_bytes()).unwrap();
    let other = read(url, summary(1, 0).replace("c0", "other").as_bytes()).unwrap();
    assert_eq!(
        vendor_pages::page::assemble(vec![one, other]),
        Err(Unreadable::TooMany(2001))
    );
}

#[test]
fn asking_an_index_takes_a_time_that_does_not_grow_with_the_page() {
    let pages = [MAX_COMPONENTS / 8, MAX_COMPONENTS]
        .map(|count| page(&[("/api/v2/summary.json", summary(count, 20).as_bytes())]));
    let indices = pages.each_ref().map(Index::new);
    let ask = |place: usize| {
        let ids: Vec<&str> = pages[place]
            .components
            .iter()
            .rev()
            .take(40)
            .map(|one| one.id.as_str())
            .collect();
        let begun = Instant::now();
        for _ in 0..20 {
            assert!(
                ids.iter()
                    .all(|id| indices[place].sight(id).status() == domain::Status::Up)
            );
            assert_eq!(indices[place].incidents(&ids).len(), 20);
        }
        begun.elapsed()
    };
    let (mut small, mut large) = (Duration::MAX, Duration::MAX);
    let flat = (0..50).any(|_| {
        (small, large) = (small.min(ask(0)), large.min(ask(1)));
        large < small * 3
    });
    assert!(flat, "{small:?} for one, {large:?} for eight times as many");
}

#[test]
fn of_an_id_that_stands_again_and_again_the_first_two_words_are_kept() {
    let words = ["operational", "major_outage"];
    let leaves = list(10_000, |i| {
        format!(r#"{{"id":"a","name":"A","status":"{}"}}"#, words[i % 2])
    });
    let json =
        format!(r#"{{"page":{{}},"status":{{"indicator":"none"}},"components":[{leaves}]}}"#);
    let page = page(&[("/api/v2/summary.json", json.as_bytes())]);
    let [one] = &page.components[..] else {
        panic!("{} components", page.components.len())
    };
    assert_eq!(
        (one.status, one.vendor_status.as_str()),
        (domain::Status::Unknown, "operational / major_outage")
    );
}
