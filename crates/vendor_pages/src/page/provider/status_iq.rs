//! StatusIQ (Site24x7): an RSS feed with one item a component, its state at the end of the title.
//!
//! Only some items have a link with an id, and just those in trouble have none: the names identify.

use super::super::draft::{self, Draft};
use super::super::json::Json;
use super::super::{Component, Identity, text};
use super::{Answer, Provider};
use domain::Status;
use std::borrow::Cow;

pub(super) const PROVIDER: Provider = Provider { name: "StatusIQ", paths: &["/rss"], hint: None, read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let feed = answer.feed()?;
    if !feed.description.contains("StatusIQ") {
        return None;
    }
    let title = feed.title.trim();
    Some(Ok(Draft {
        name: text::line(title.strip_suffix("- Status").unwrap_or(title)),
        url: text::address(&feed.link, answer.address),
        components: Some(feed.items.iter().filter_map(|item| component(&item.title)).collect()),
        identity: Identity::Name,
        ..Draft::default()
    }))
}

fn component(title: &str) -> Option<Component> {
    let (name, word) = title.trim().rsplit_once(" - ").unwrap_or((title, ""));
    let name = text::line(name);
    let word = Json::Text(Cow::Borrowed(word.trim()));
    draft::component(name.as_deref().and_then(|name| text::id(&Json::Text(name.into()))), name, None, &word, status)
}

fn status(word: &str) -> Status {
    match word {
        "Operational" => Status::Up,
        "Degraded Performance" => Status::Degraded,
        "Partial Outage" | "Major Outage" => Status::Down,
        "Under Maintenance" => Status::Maintenance,
        _ => Status::Unknown,
    }
}
