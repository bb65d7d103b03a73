//! Stands in for the browser where components are rendered to strings: no network, no document, UTC.

use super::{Key, NoAnswer, Sent, TimeStyle};
use crate::api::Moment;
use std::future::Future;

pub(crate) async fn post(_path: &str, _body: Option<&str>) -> Result<Sent, NoAnswer> {
    Err(NoAnswer)
}

pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    drop(task);
}

pub(crate) async fn sleep(_millis: u32) {
    std::future::pending::<()>().await;
}

/// Sunday, 22 November 2026, 14:03:10 UTC: a clock that stands still, so that what is rendered is the same each time.
pub(crate) fn now() -> Moment {
    Moment(1_795_356_190_000)
}

pub(crate) fn local_time(at: Moment, style: TimeStyle) -> String {
    let text = at.to_string();
    let (day, time) = (&text[..10], &text[11..19]);
    match style {
        TimeStyle::Time => time.to_owned(),
        TimeStyle::ShortTime => time[..5].to_owned(),
        TimeStyle::DayTime => format!("{day} {}", &time[..5]),
        TimeStyle::DaySecond => format!("{day} {time}"),
        TimeStyle::Day | TimeStyle::LongDay => day.to_owned(),
        TimeStyle::Exact => format!("{day} {time} UTC"),
    }
}

pub(crate) fn zone_name() -> String {
    "UTC".to_owned()
}

pub(crate) fn remembered(_name: &str) -> Option<String> {
    None
}

pub(crate) fn remember(_name: &str, _value: Option<&str>) {}

pub(crate) fn set_theme(_theme: Option<&str>) {}

pub(crate) fn set_title(_title: &str) {}

pub(crate) fn origin() -> String {
    "http://localhost".to_owned()
}

pub(crate) fn provide_history() {}

pub(crate) async fn copy(_text: &str) -> bool {
    false
}

/// As much of an address's grammar as tests need.
pub(crate) fn host_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

pub(crate) fn focus(_id: &str) {}

pub(crate) fn open_dialog(_id: &str) {}

pub(crate) fn close_dialog(_id: &str) {}

pub(crate) fn is_typing() -> bool {
    false
}

pub(crate) fn focused_row() -> Option<usize> {
    None
}

pub(crate) fn focus_row(_position: usize) {}

pub(crate) struct Listener;

pub(crate) fn listen_keys(_handle: impl FnMut(Key) -> bool + 'static) -> Listener {
    Listener
}
