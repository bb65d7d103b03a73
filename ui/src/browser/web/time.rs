//! The clock, time zones, and the formats of times.

use super::global::window;
use crate::{api::Moment, browser::time_style::TimeStyle, name_order};
use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use std::{cell::RefCell, collections::HashMap};
use wasm_bindgen::{JsCast, JsValue};

pub(crate) async fn sleep(millis: u32) {
    gloo_timers::future::TimeoutFuture::new(millis).await;
}

/// Returns the current time.
pub(crate) fn now() -> Moment {
    #[allow(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 fit for some 285,000 years"
    )]
    Moment(Date::now() as i64)
}

thread_local! {
    /// Cached, because creating a formatter costs a hundred times as much as using one.
    static FORMATS: RefCell<HashMap<TimeStyle, Function>> = RefCell::default();
    /// The chosen time zone and language; `None` for the browser's own.
    static ZONE: RefCell<(Option<String>, Option<String>)> = RefCell::default();
}

/// Formats a time in the user's language and time zone.
pub(crate) fn local_time(at: Moment, style: TimeStyle) -> String {
    let format = FORMATS.with_borrow_mut(|formats| {
        formats
            .entry(style)
            .or_insert_with(|| create_formatter(style))
            .clone()
    });
    #[allow(clippy::cast_precision_loss, reason = "exact up to the year 287396")]
    let date = Date::new(&JsValue::from_f64(at.0 as f64));
    format
        .call1(&JsValue::UNDEFINED, &date)
        .ok()
        .and_then(|text| text.as_string())
        .unwrap_or_default()
}

/// Sets the time zone and language of times; `None` for the browser's own.
pub(crate) fn set_zone(zone: Option<&str>, locale: Option<&str>) {
    ZONE.set((zone.map(str::to_owned), locale.map(str::to_owned)));
    FORMATS.take();
    name_order::reset();
}

/// Orders names as the reader's language does, and numbers in them by value.
pub(crate) fn sort_names(names: Vec<String>) -> Vec<String> {
    let options = Object::new();
    let _ = Reflect::set(&options, &"numeric".into(), &JsValue::TRUE);
    let compare = Intl::Collator::new(&chosen_locale(), &options).compare();
    let list: Array = names.iter().map(JsValue::from).collect();
    // The browser's own `sort` calls the browser's own `compare`: no name crosses over twice.
    let sorted = Reflect::get(&list, &"sort".into())
        .and_then(|sort| sort.dyn_into::<Function>())
        .and_then(|sort| sort.call1(&list, &compare));
    match sorted {
        Ok(sorted) => strings(&sorted),
        Err(_) => names,
    }
}

/// Returns the list of the chosen language; empty for the browser's own.
fn chosen_locale() -> Array {
    let (_, locale) = ZONE.with_borrow(Clone::clone);
    locale
        .map(|locale| Array::of1(&locale.into()))
        .unwrap_or_default()
}

fn create_formatter(style: TimeStyle) -> Function {
    let parts: &[(&str, &str)] = match style {
        TimeStyle::Time => &[
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
        ],
        TimeStyle::ShortTime => &[("hour", "2-digit"), ("minute", "2-digit")],
        TimeStyle::DayTime | TimeStyle::UtcDayTime => &[
            ("day", "numeric"),
            ("month", "short"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
        ],
        TimeStyle::DaySecond => &[
            ("day", "numeric"),
            ("month", "short"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
        ],
        TimeStyle::Day => &[("day", "numeric"), ("month", "short")],
        TimeStyle::LongDay => &[("weekday", "long"), ("day", "numeric"), ("month", "long")],
        TimeStyle::Exact => &[
            ("day", "numeric"),
            ("month", "short"),
            ("year", "numeric"),
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
            ("timeZoneName", "short"),
        ],
    };
    let options = Object::new();
    for (name, value) in parts {
        let _ = Reflect::set(
            &options,
            &JsValue::from_str(name),
            &JsValue::from_str(value),
        );
    }
    let (zone, _) = ZONE.with_borrow(Clone::clone);
    let zone = match style {
        TimeStyle::UtcDayTime => Some("UTC".to_owned()),
        _ => zone,
    };
    if let Some(zone) = zone {
        let _ = Reflect::set(&options, &"timeZone".into(), &zone.into());
    }
    Intl::DateTimeFormat::new(&chosen_locale(), &options).format()
}

/// The names of all time time_zones that the browser knows.
pub(crate) fn time_zones() -> Vec<String> {
    let function = Reflect::get(&js_sys::global(), &"Intl".into())
        .and_then(|intl| Ok((Reflect::get(&intl, &"supportedValuesOf".into())?, intl)));
    let Ok((function, intl)) = function else {
        return Vec::new();
    };
    let zones = function
        .dyn_into::<Function>()
        .and_then(|function| function.call1(&intl, &"timeZone".into()));
    zones.map(|zones| strings(&zones)).unwrap_or_default()
}

/// Returns the user's preferred languages.
pub(crate) fn locales() -> Vec<String> {
    strings(&window().navigator().languages())
}

fn strings(list: &JsValue) -> Vec<String> {
    Array::from(list)
        .iter()
        .filter_map(|text| text.as_string())
        .collect()
}
