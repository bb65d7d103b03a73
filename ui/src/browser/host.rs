//! Stands in for the browser where components are rendered to strings: no network, no document, UTC.

use super::{Key, NoAnswer, Sent, TimeStyle};
use crate::api::Moment;
use std::future::Future;

#[allow(missing_docs)]
pub async fn post(_path: &str, _body: Option<&str>) -> Result<Sent, NoAnswer> {
    Err(NoAnswer)
}

#[allow(missing_docs)]
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    drop(task);
}

#[allow(missing_docs)]
pub async fn sleep(_millis: u32) {
    std::future::pending().await
}

/// Sunday, 22 November 2026, 14:03:10 UTC: a clock that stands still, so that what is rendered is the same each time.
pub fn now() -> Moment {
    Moment(1_795_356_190_000)
}

#[allow(missing_docs)]
pub fn local_time(at: Moment, style: TimeStyle) -> String {
    let text = at.to_string();
    let (day, time) = (&text[..10], &text[11..19]);
    match style {
        TimeStyle::Time => time.to_owned(),
        TimeStyle::ShortTime => time[..5].to_owned(),
        TimeStyle::DayTime => format!("{day} {}", &time[..5]),
        TimeStyle::Day | TimeStyle::LongDay => day.to_owned(),
        TimeStyle::Exact => format!("{day} {time} UTC"),
    }
}

#[allow(missing_docs)]
pub fn zone_name() -> String {
    "UTC".to_owned()
}

#[allow(missing_docs)]
pub fn remembered(_name: &str) -> Option<String> {
    None
}

#[allow(missing_docs)]
pub fn remember(_name: &str, _value: Option<&str>) {}

#[allow(missing_docs)]
pub fn set_theme(_theme: Option<&str>) {}

#[allow(missing_docs)]
pub fn set_title(_title: &str) {}

#[allow(missing_docs)]
pub fn origin() -> String {
    "http://localhost".to_owned()
}

#[allow(missing_docs)]
pub async fn copy(_text: &str) -> bool {
    false
}

/// As much of an address's grammar as tests need.
pub fn host_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split(['/', ':', '?', '#']).next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

#[allow(missing_docs)]
pub fn focus(_id: &str) {}

#[allow(missing_docs)]
pub fn open_dialog(_id: &str) {}

#[allow(missing_docs)]
pub fn close_dialog(_id: &str) {}

#[allow(missing_docs)]
pub fn is_typing() -> bool {
    false
}

#[allow(missing_docs)]
pub fn focused_row() -> Option<usize> {
    None
}

#[allow(missing_docs)]
pub fn focus_row(_position: usize) {}

#[allow(missing_docs)]
pub struct Listener;

#[allow(missing_docs)]
pub fn listen_keys(_handle: impl FnMut(Key) -> bool + 'static) -> Listener {
    Listener
}
