//! The real browser.

use super::{Key, NoAnswer, Sent, TimeStyle};
use crate::api::Moment;
use futures_channel::mpsc;
use futures_util::StreamExt;
use js_sys::{Array, Date, Function, Intl, Object, Reflect};
use std::{cell::RefCell, collections::HashMap, future::Future};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Document, Element, Event, EventTarget, HtmlDialogElement, HtmlElement, KeyboardEvent,
    MessageEvent, RequestInit, Response, Storage, WebSocket, Window,
};

/// How long a request may take: longer than the slowest thing that the server does, a test of a slow target.
const REQUEST_MS: u32 = 45_000;

pub(super) fn window() -> Window {
    web_sys::window().expect("the program runs in a page")
}

fn document() -> Document {
    window().document().expect("a page has a document")
}

/// Ends a request when nobody waits for it any more.
struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Posts `body` as JSON to `path` on this origin, with the session's cookies.
pub(crate) async fn post(path: &str, body: Option<&str>) -> Result<Sent, NoAnswer> {
    fetch(path, body).await.map_err(|_| NoAnswer)
}

async fn fetch(path: &str, body: Option<&str>) -> Result<Sent, JsValue> {
    let abort = AbortOnDrop(AbortController::new()?);
    let controller = abort.0.clone();
    let timeout = gloo_timers::callback::Timeout::new(REQUEST_MS, move || controller.abort());
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_signal(Some(&abort.0.signal()));
    if let Some(body) = body {
        init.set_body(&JsValue::from_str(body));
        let headers = web_sys::Headers::new()?;
        headers.set("content-type", "application/json")?;
        headers.set("accept", "application/graphql-response+json, application/json")?;
        init.set_headers(&headers);
    }
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(path, &init)).await?.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    drop(timeout);
    Ok(Sent { status: response.status(), body: text.as_string().unwrap_or_default() })
}

/// Runs `task` beside everything else, whatever happens to the component that started it.
pub(crate) fn spawn(task: impl Future<Output = ()> + 'static) {
    wasm_bindgen_futures::spawn_local(task);
}

/// Waits.
pub(crate) async fn sleep(millis: u32) {
    gloo_timers::future::TimeoutFuture::new(millis).await;
}

/// The browser's clock.
pub(crate) fn now() -> Moment {
    #[allow(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit for some 285,000 years")]
    Moment(Date::now() as i64)
}

/// A number from 0 up to 1.
pub(crate) fn random() -> f64 {
    js_sys::Math::random()
}

thread_local! {
    /// Making a formatter costs a hundred times as much as using one.
    static FORMATS: RefCell<HashMap<TimeStyle, Function>> = RefCell::default();
}

/// `at` as `style` says, in the person's language and time zone.
pub(crate) fn local_time(at: Moment, style: TimeStyle) -> String {
    let format = FORMATS.with_borrow_mut(|formats| formats.entry(style).or_insert_with(|| formatter(style)).clone());
    #[allow(clippy::cast_precision_loss, reason = "exact up to the year 287396")]
    let date = Date::new(&JsValue::from_f64(at.0 as f64));
    format.call1(&JsValue::UNDEFINED, &date).ok().and_then(|text| text.as_string()).unwrap_or_default()
}

fn formatter(style: TimeStyle) -> Function {
    let parts: &[(&str, &str)] = match style {
        TimeStyle::Time => &[("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")],
        TimeStyle::ShortTime => &[("hour", "2-digit"), ("minute", "2-digit")],
        TimeStyle::DayTime => &[("day", "numeric"), ("month", "short"), ("hour", "2-digit"), ("minute", "2-digit")],
        TimeStyle::DaySecond => {
            &[("day", "numeric"), ("month", "short"), ("hour", "2-digit"), ("minute", "2-digit"), ("second", "2-digit")]
        }
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
        let _ = Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    Intl::DateTimeFormat::new(&Array::new(), &options).format()
}

/// The name of the person's time zone, such as `Europe/Berlin`.
pub(crate) fn zone_name() -> String {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    Reflect::get(&options, &JsValue::from_str("timeZone")).ok().and_then(|zone| zone.as_string()).unwrap_or_default()
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// What was remembered in this browser under `name`.
pub(crate) fn remembered(name: &str) -> Option<String> {
    storage()?.get_item(&format!("pulsecheck.{name}")).ok().flatten()
}

/// Remembers `value` under `name` in this browser, or forgets it. Where storage is switched off it holds until reload.
pub(crate) fn remember(name: &str, value: Option<&str>) {
    let Some(storage) = storage() else { return };
    let name = format!("pulsecheck.{name}");
    let _ = match value {
        Some(value) => storage.set_item(&name, value),
        None => storage.remove_item(&name),
    };
}

/// Sets `dark`, `light`, or the system's choice.
pub(crate) fn set_theme(theme: Option<&str>) {
    let Some(root) = document().document_element() else { return };
    let _ = match theme {
        Some(theme) => root.set_attribute("data-theme", theme),
        None => root.remove_attribute("data-theme"),
    };
}

/// Sets the title of the window.
pub(crate) fn set_title(title: &str) {
    document().set_title(title);
}

/// Where the page came from, such as `https://status.example.com`.
pub(crate) fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Copies `text`; whether that was possible.
pub(crate) async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    // Absent where the page was not loaded securely.
    if Reflect::get(&navigator, &JsValue::from_str("clipboard")).is_ok_and(|clipboard| clipboard.is_undefined()) {
        return false;
    }
    JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// The host of an address with its port, if that is special; `None` when it is none.
pub(crate) fn host_of(address: &str) -> Option<String> {
    let url = web_sys::Url::new(address).ok()?;
    Some(url.host()).filter(|host| !host.is_empty())
}

fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// Tells that the program has stopped: in the console why, on the page that it did.
pub(crate) fn crash(cause: &str) {
    web_sys::console::error_1(&JsValue::from_str(cause));
    if let Some(message) = by_id("load-failed") {
        let _ = message.remove_attribute("hidden");
    }
}

/// Lets the router use the browser's own history.
pub(crate) fn provide_history() {
    dioxus_history::provide_history_context(std::rc::Rc::new(super::history::PageHistory));
}

/// Empties the element `id`.
pub(crate) fn clear(id: &str) {
    if let Some(element) = by_id(id) {
        element.set_text_content(None);
    }
}

/// Puts the focus on the element `id`.
pub(crate) fn focus(id: &str) {
    if let Some(element) = by_id(id) {
        let _ = element.focus();
    }
}

/// Opens the dialog `id`, with the rest of the page out of reach.
pub(crate) fn open_dialog(id: &str) {
    if let Some(dialog) = by_id(id).and_then(|element| element.dyn_into::<HtmlDialogElement>().ok()) {
        let _ = dialog.show_modal();
    }
}

/// Closes the dialog `id`; the focus returns to where it was.
pub(crate) fn close_dialog(id: &str) {
    if let Some(dialog) = by_id(id).and_then(|element| element.dyn_into::<HtmlDialogElement>().ok()) {
        dialog.close();
    }
}

/// Whether keys go into a text field now.
pub(crate) fn is_typing() -> bool {
    document().active_element().is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || element.has_attribute("contenteditable")
    })
}

fn rows() -> Vec<Element> {
    let Ok(list) = document().query_selector_all("[data-row]") else { return Vec::new() };
    (0..list.length()).filter_map(|index| list.item(index)?.dyn_into().ok()).collect()
}

/// The position among the rows of the one that has the focus.
pub(crate) fn focused_row() -> Option<usize> {
    let active = document().active_element()?;
    rows().iter().position(|row| *row == active)
}

/// Puts the focus on the row at `position`, or on the last one.
pub(crate) fn focus_row(position: usize) {
    let rows = rows();
    if let Some(row) = rows.get(position).or(rows.last()).and_then(|row| row.dyn_ref::<HtmlElement>()) {
        let _ = row.focus();
    }
}

/// Listens to an event of the window or the document until it is dropped.
pub(crate) struct Listener {
    target: EventTarget,
    event: &'static str,
    closure: Closure<dyn FnMut(Event)>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.event, self.closure.as_ref().unchecked_ref());
    }
}

pub(super) fn listen_to(target: EventTarget, event: &'static str, handle: impl FnMut(Event) + 'static) -> Listener {
    let closure = Closure::<dyn FnMut(Event)>::new(handle);
    let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    Listener { target, event, closure }
}

/// Calls `handle` at each `event` of the window.
pub(crate) fn listen(event: &'static str, mut handle: impl FnMut() + 'static) -> Listener {
    listen_to(window().into(), event, move |_| handle())
}

/// Calls `handle` with each key; it returns whether the key is used up.
pub(crate) fn listen_keys(mut handle: impl FnMut(Key) -> bool + 'static) -> Listener {
    listen_to(document().into(), "keydown", move |event| {
        // Browsers that fill in a form send key events that have no key.
        let Ok(pressed) = event.dyn_into::<KeyboardEvent>() else { return };
        let modified = pressed.ctrl_key() || pressed.alt_key() || pressed.meta_key();
        if handle(Key { name: pressed.key(), modified }) {
            pressed.prevent_default();
        }
    })
}

/// What arrives over a socket.
pub(crate) enum Arrival {
    /// The connection stands.
    Opened,
    /// A message.
    Text(String),
    /// The connection has ended, or never stood; nothing comes after this.
    Closed,
}

/// A WebSocket; closed when dropped.
pub(crate) struct Socket {
    socket: WebSocket,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
    _listeners: [Listener; 4],
}

impl Socket {
    /// Begins to connect to `address` by `protocol`; `None` when the browser refuses to even try.
    pub(crate) fn open(address: &str, protocol: &str) -> Option<Self> {
        let socket = WebSocket::new_with_str(address, protocol).ok()?;
        let (sender, arrivals) = mpsc::unbounded();
        let on = |event: &'static str, arrival: fn(Event) -> Option<Arrival>| {
            let sender = sender.clone();
            listen_to(socket.clone().into(), event, move |event| {
                if let Some(arrival) = arrival(event) {
                    let _ = sender.unbounded_send(arrival);
                }
            })
        };
        let listeners = [
            on("open", |_| Some(Arrival::Opened)),
            on("message", |event| Some(Arrival::Text(event.dyn_into::<MessageEvent>().ok()?.data().as_string()?))),
            on("close", |_| Some(Arrival::Closed)),
            on("error", |_| Some(Arrival::Closed)),
        ];
        Some(Self { socket, arrivals, _listeners: listeners })
    }

    /// Sends a message; what cannot be sent is noticed as the end of the connection.
    pub(crate) fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// The next thing that arrives.
    pub(crate) async fn next(&mut self) -> Arrival {
        self.arrivals.next().await.unwrap_or(Arrival::Closed)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}
