//! Microsoft Azure: an RSS feed with items only while something is wrong.
//!
//! The severity is given only in prose, so the whole is degraded while there is an item. No items is good news only in
//! a feed that certainly is this one: a channel of its title inside a complete `<rss>`.

use super::super::draft::Draft;
use super::super::{Component, Identity, Incident, ListCoverage, Update, WHOLE, text, time};
use super::{Answer, Provider};
use crate::page::feed::Item;
use domain::Status;
use url::Url;

pub(super) const PROVIDER: Provider = Provider { name: "Azure", paths: &["/en-us/status/feed/"], hint: None, read };

fn read(answer: &Answer<'_>) -> Option<Result<Draft, String>> {
    let feed = answer.feed()?;
    if !feed.title.to_ascii_lowercase().contains("azure status") {
        return None;
    }
    let (status, word) = if feed.items.is_empty() { (Status::Up, "no incident") } else { (Status::Degraded, "incident") };
    Some(Ok(Draft {
        name: Some("Microsoft Azure".into()),
        url: text::address(&feed.link, answer.address),
        components: Some(vec![Component {
            id: WHOLE.into(),
            name: "Microsoft Azure".into(),
            group: None,
            status,
            vendor_status: word.into(),
            position: 0,
        }]),
        incidents: Some(feed.items.iter().filter_map(|item| incident(item, answer.address)).collect()),
        identity: Identity::Name,
        listing: ListCoverage::Mentioned,
        ..Draft::default()
    }))
}

fn incident(item: &Item, address: &Url) -> Option<Incident> {
    let name = text::line(&text::plain(&item.title))?;
    let at = time::of_feed(&item.published);
    let id = [&item.guid, &item.link].into_iter().find_map(|text| text::line(text)).unwrap_or_else(|| name.clone());
    Some(Incident {
        id: id.chars().take(200).collect(),
        name,
        impact: String::new(),
        status: "active".into(),
        open: true,
        started_at: at,
        resolved_at: None,
        url: text::address(&item.link, address),
        component_ids: vec![WHOLE.into()],
        updates: vec![Update { at, status: String::new(), body: text::plain(&item.description) }],
    })
}
