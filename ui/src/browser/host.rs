//! Replaces the browser on the host, where tests render components to strings.

use super::key::Key;
use super::notification::Notification;
use super::response::{HttpResponse, NetworkError};
use super::time_style::TimeStyle;
use crate::{api::Moment, list::Viewport};
use std::future::Future;

pub(crate) async fn post(
    _path: &str,
    _operation: Option<(&str, &str)>,
) -> Result<HttpResponse, NetworkError> {
    Err(NetworkError)
}

pub(crate) fn post_keepalive(_path: &str, _body: &str) {}

pub(crate) fn random() -> f64 {
    0.5
}

pub(crate) fn lowercase(text: &str) -> String {
    text.to_lowercase()
}

pub(crate) fn uppercase(text: &str) -> String {
    text.to_uppercase()
}

/// Orders without regard to case, and numbers by value; a browser also knows the reader's language.
pub(crate) fn sort_names(mut names: Vec<String>) -> Vec<String> {
    names.sort_by_cached_key(|name| {
        let mut parts: Vec<(u64, String)> = Vec::new();
        for letter in name.to_lowercase().chars() {
            let digit = letter.to_digit(10).map(u64::from);
            match (digit, parts.last_mut()) {
                (Some(digit), Some((number, text))) if text.is_empty() => {
                    *number = number.saturating_mul(10).saturating_add(digit);
                }
                (Some(digit), _) => parts.push((digit, String::new())),
                (None, Some((_, text))) if !text.is_empty() => text.push(letter),
                (None, _) => parts.push((u64::MAX, letter.to_string())),
            }
        }
        parts
    });
    names
}

pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    drop(task);
}

pub(crate) async fn sleep(_millis: u32) {
    std::future::pending::<()>().await;
}

/// Returns Sunday, 22 November 2026, 14:03:10 UTC: the clock is fixed, so that components render
/// the same every time.
pub(crate) fn now() -> Moment {
    Moment(1_795_356_190_000)
}

pub(crate) fn local_time(at: Moment, style: TimeStyle) -> String {
    let text = at.to_string();
    let (day, time) = (&text[..10], &text[11..19]);
    match style {
        TimeStyle::Time => time.to_owned(),
        TimeStyle::ShortTime => time[..5].to_owned(),
        TimeStyle::DayTime | TimeStyle::UtcDayTime => format!("{day} {}", &time[..5]),
        TimeStyle::DaySecond => format!("{day} {time}"),
        TimeStyle::Day | TimeStyle::LongDay => day.to_owned(),
        TimeStyle::Exact => format!("{day} {time} UTC"),
    }
}

pub(crate) fn load_setting(_name: &str) -> Option<String> {
    None
}

pub(crate) fn save_setting(_name: &str, _value: Option<&str>) {}

pub(crate) fn set_theme(_theme: Option<&str>) {}

pub(crate) fn set_title(_title: &str) {}

pub(crate) fn origin() -> String {
    "http://localhost".to_owned()
}

pub(crate) fn current_url() -> String {
    "/".to_owned()
}

pub(crate) fn push_url(_address: &str) {}

pub(crate) fn replace_url(_address: &str) {}

pub(crate) async fn copy(_text: &str) -> bool {
    false
}

/// Supports as much of the URL syntax as the tests need.
pub(crate) fn parse_host(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    (!host.is_empty()).then(|| host.to_owned())
}

pub(crate) fn focus(_id: &str) {}

pub(crate) fn capture_pointer(_id: &str, _pointer: i32) {}

pub(crate) fn open_dialog(_id: &str) {}

pub(crate) fn close_dialog(_id: &str) {}

pub(crate) fn close_popover(_id: &str) {}

pub(crate) fn is_typing() -> bool {
    false
}

pub(crate) fn is_dialog_open() -> bool {
    false
}

pub(crate) fn scroll_into_view(_id: &str) {}

pub(crate) fn is_focus_in_rows() -> bool {
    false
}

pub(crate) fn try_focus(_id: &str) -> bool {
    false
}

pub(crate) fn focus_if_lost(_id: &str) -> bool {
    false
}

pub(crate) fn viewport(_id: &str) -> Option<Viewport> {
    None
}

pub(crate) fn scroll_to_row(_id: &str, _row: usize, _count: usize) -> bool {
    false
}

pub(crate) fn notify(notification: Notification) {
    drop(notification);
}

pub(crate) async fn request_notification_permission() -> bool {
    false
}

pub(crate) fn reload() {}

pub(crate) fn set_icon(_worst: Option<&str>) {}

pub(crate) fn set_zone(_zone: Option<&str>, _locale: Option<&str>) {}

pub(crate) fn time_zones() -> Vec<String> {
    vec!["UTC".to_owned()]
}

pub(crate) fn locales() -> Vec<String> {
    vec!["en".to_owned()]
}

pub(crate) fn set_list_width(_percent: i32) {}

pub(crate) fn drag(_moved: impl FnMut(i32) + 'static, _done: impl FnOnce() + 'static) {}

#[derive(Debug, Clone)]
pub(crate) struct Listener;

pub(crate) fn listen(_event: &'static str, _handle: impl FnMut() + 'static) -> Listener {
    Listener
}

pub(crate) fn listen_viewport(_handle: impl FnMut() + 'static) -> Listener {
    Listener
}

pub(crate) fn listen_keys(_handle: impl FnMut(Key) -> bool + 'static) -> Listener {
    Listener
}
