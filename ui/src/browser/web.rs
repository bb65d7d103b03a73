//! The real browser.

use super::{Key, NoAnswer, Sent, TimeStyle};
use crate::{api::Moment, list::Sight};
use futures_channel::mpsc;
use futures_util::StreamExt;
use js_sys::{Array, Date, Function, Intl, JsString, Object, Reflect};
use std::{cell::RefCell, collections::HashMap, future::Future};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Document, Element, Event, EventTarget, HtmlDialogElement, HtmlElement,
    KeyboardEvent, MessageEvent, MouseEvent, Notification, NotificationOptions,
    NotificationPermission, RequestInit, Response, Storage, WebSocket, Window,
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
        headers.set(
            "accept",
            "application/graphql-response+json, application/json",
        )?;
        init.set_headers(&headers);
    }
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(path, &init))
        .await?
        .unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    drop(timeout);
    // The service worker says so: it answers in place of a server that does not.
    let kept = response
        .headers()
        .get("x-kept-at")
        .ok()
        .flatten()
        .and_then(|at| Moment::parse(&at));
    Ok(Sent {
        status: response.status(),
        body: text.as_string().unwrap_or_default(),
        kept,
    })
}

/// Posts `body` as JSON to `path` even though the page is about to go away.
pub(crate) fn post_at_the_end(path: &str, body: &str) {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&JsValue::from_str(body));
    let Ok(headers) = web_sys::Headers::new() else {
        return;
    };
    let _ = headers.set("content-type", "application/json");
    init.set_headers(&headers);
    let _ = Reflect::set(&init, &"keepalive".into(), &JsValue::TRUE);
    let _ = window().fetch_with_str_and_init(path, &init);
}

/// The same in small letters. The browser has the tables of all alphabets; in Rust they would have to be loaded.
pub(crate) fn lowercase(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        JsString::from(text).to_lower_case().into()
    }
}

/// The same in capital letters.
pub(crate) fn uppercase(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_uppercase()
    } else {
        JsString::from(text).to_upper_case().into()
    }
}

/// Reads a number as JSON writes it. The browser does, because Rust's reader carries a table of 10 KB.
pub(crate) fn number(text: &str) -> Option<f64> {
    let number = JsValue::from_str(text).unchecked_into_f64();
    (number.is_finite() && !text.is_empty()).then_some(number)
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
    #[allow(
        clippy::cast_possible_truncation,
        reason = "milliseconds since 1970 fit for some 285,000 years"
    )]
    Moment(Date::now() as i64)
}

/// A number from 0 up to 1.
pub(crate) fn random() -> f64 {
    js_sys::Math::random()
}

thread_local! {
    /// Making a formatter costs a hundred times as much as using one.
    static FORMATS: RefCell<HashMap<TimeStyle, Function>> = RefCell::default();
    /// Time zone and language where they are not the browser's.
    static ZONE: RefCell<(Option<String>, Option<String>)> = RefCell::default();
}

/// `at` as `style` says, in the person's language and time zone.
pub(crate) fn local_time(at: Moment, style: TimeStyle) -> String {
    let format = FORMATS.with_borrow_mut(|formats| {
        formats
            .entry(style)
            .or_insert_with(|| formatter(style))
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

/// Writes times in this zone and language from now on; `None` stands for the browser's own.
pub(crate) fn set_zone(zone: Option<&str>, locale: Option<&str>) {
    ZONE.set((zone.map(str::to_owned), locale.map(str::to_owned)));
    FORMATS.take();
}

fn formatter(style: TimeStyle) -> Function {
    let parts: &[(&str, &str)] = match style {
        TimeStyle::Time => &[
            ("hour", "2-digit"),
            ("minute", "2-digit"),
            ("second", "2-digit"),
        ],
        TimeStyle::ShortTime => &[("hour", "2-digit"), ("minute", "2-digit")],
        TimeStyle::DayTime => &[
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
    let (zone, locale) = ZONE.with_borrow(Clone::clone);
    if let Some(zone) = zone {
        let _ = Reflect::set(&options, &"timeZone".into(), &zone.into());
    }
    let locales = locale
        .map(|locale| Array::of1(&locale.into()))
        .unwrap_or_default();
    Intl::DateTimeFormat::new(&locales, &options).format()
}

/// The names of all time zones that the browser knows.
pub(crate) fn zones() -> Vec<String> {
    let ask = Reflect::get(&js_sys::global(), &"Intl".into())
        .and_then(|intl| Ok((Reflect::get(&intl, &"supportedValuesOf".into())?, intl)));
    let Ok((ask, intl)) = ask else {
        return Vec::new();
    };
    let known = ask
        .dyn_into::<Function>()
        .and_then(|ask| ask.call1(&intl, &"timeZone".into()));
    known.map(|known| texts(&known)).unwrap_or_default()
}

/// The languages that the person prefers, as the browser says.
pub(crate) fn locales() -> Vec<String> {
    texts(&window().navigator().languages())
}

fn texts(list: &JsValue) -> Vec<String> {
    Array::from(list)
        .iter()
        .filter_map(|text| text.as_string())
        .collect()
}

fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// What was remembered in this browser under `name`.
pub(crate) fn remembered(name: &str) -> Option<String> {
    storage()?
        .get_item(&format!("pulsecheck.{name}"))
        .ok()
        .flatten()
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
    let Some(root) = document().document_element() else {
        return;
    };
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
    if Reflect::get(&navigator, &JsValue::from_str("clipboard"))
        .is_ok_and(|clipboard| clipboard.is_undefined())
    {
        return false;
    }
    JsFuture::from(navigator.clipboard().write_text(text))
        .await
        .is_ok()
}

/// The host of an address with its port, if that is special; `None` when it is none.
pub(crate) fn host_of(address: &str) -> Option<String> {
    let url = web_sys::Url::new(address).ok()?;
    Some(url.host()).filter(|host| !host.is_empty())
}

fn by_id(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

/// The address of the page, from its path on.
pub(crate) fn address() -> String {
    let location = window().location();
    [location.pathname(), location.search(), location.hash()]
        .map(Result::unwrap_or_default)
        .concat()
}

/// Goes to another address, which begins at its top.
pub(crate) fn push_address(to: &str) {
    if to == address() {
        return;
    }
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(to));
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }
}

/// Puts another address in the place of the present one, and leaves the page where it is.
pub(crate) fn replace_address(to: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(to));
    }
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

/// Tells the element `id` of every movement of a pointer until its button is let go, wherever it goes.
pub(crate) fn hold_pointer(id: &str, pointer: i32) {
    if let Some(element) = document().get_element_by_id(id) {
        let _ = element.set_pointer_capture(pointer);
    }
}

/// Opens the dialog `id`, with the rest of the page out of reach.
pub(crate) fn open_dialog(id: &str) {
    if let Some(dialog) = by_id(id).and_then(|element| element.dyn_into::<HtmlDialogElement>().ok())
    {
        let _ = dialog.show_modal();
    }
}

/// Closes the dialog `id`; the focus returns to where it was.
pub(crate) fn close_dialog(id: &str) {
    if let Some(dialog) = by_id(id).and_then(|element| element.dyn_into::<HtmlDialogElement>().ok())
    {
        dialog.close();
    }
}

/// Closes the popover `id`, if it is open.
pub(crate) fn close_popover(id: &str) {
    if let Some(element) = by_id(id) {
        let _ = element.hide_popover();
    }
}

/// Whether keys go into a text field now.
pub(crate) fn is_typing() -> bool {
    document().active_element().is_some_and(|element| {
        let kind = element.get_attribute("type");
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            && !matches!(kind.as_deref(), Some("checkbox" | "radio"))
            || element.has_attribute("contenteditable")
    })
}

/// Whether a dialog is open.
pub(crate) fn in_dialog() -> bool {
    document()
        .query_selector("dialog[open]")
        .is_ok_and(|dialog| dialog.is_some())
}

/// Brings the element `id` into sight within what scrolls around it.
pub(crate) fn show(id: &str) {
    if let Some(element) = by_id(id) {
        let nearest = web_sys::ScrollIntoViewOptions::new();
        nearest.set_block(web_sys::ScrollLogicalPosition::Nearest);
        element.scroll_into_view_with_scroll_into_view_options(&nearest);
    }
}

/// Whether the focus is in a row of the list.
pub(crate) fn in_rows() -> bool {
    document()
        .active_element()
        .is_some_and(|active| active.closest("[data-row]").is_ok_and(|row| row.is_some()))
}

/// Puts the focus on the element `id`, if it exists; whether it does.
pub(crate) fn focus_if_there(id: &str) -> bool {
    by_id(id).is_some_and(|element| element.focus().is_ok())
}

/// Puts the focus on the element `id` if nothing has it that can be seen. Whether it was needed and done.
pub(crate) fn focus_if_lost(id: &str) -> bool {
    let seen =
        |element: &Element| element.tag_name() != "BODY" && element.get_client_rects().length() > 0;
    if document()
        .active_element()
        .is_some_and(|active| seen(&active))
    {
        return false;
    }
    by_id(id)
        .filter(|element| seen(element))
        .is_some_and(|element| element.focus().is_ok())
}

/// How the list `id` lies in the window; `None` while it is not shown.
pub(crate) fn sight(id: &str) -> Option<Sight> {
    let list = by_id(id)?.get_bounding_client_rect();
    let window = window().inner_height().ok()?.as_f64()?;
    (list.height() > 0.0).then(|| Sight {
        above: -list.top(),
        window,
        total: list.height(),
    })
}

/// Scrolls until line number `line` of the `count` lines of the list `id` is in the middle. Whether the list is shown.
pub(crate) fn bring_into_sight(id: &str, line: usize, count: usize) -> bool {
    let (Some(list), Some(sight)) = (by_id(id), sight(id)) else {
        return false;
    };
    #[allow(clippy::cast_precision_loss, reason = "lines on a page")]
    let top = sight.total * line as f64 / count.max(1) as f64 - sight.above;
    let by = top - sight.window / 2.0;
    match list.closest(".pane") {
        Ok(Some(pane)) if pane.scroll_height() > pane.client_height() => {
            pane.scroll_by_with_x_and_y(0.0, by)
        }
        _ => window().scroll_by_with_x_and_y(0.0, by),
    }
    true
}

/// Shows `text` on the desktop, unless the page is looked at; `worst` is the status that the picture shows.
pub(crate) fn notify(worst: &str, text: &str) {
    if document().has_focus().unwrap_or_default()
        || Notification::permission() != NotificationPermission::Granted
    {
        return;
    }
    let options = NotificationOptions::new();
    options.set_body(text);
    options.set_icon(&icon(worst));
    options.set_tag("status");
    // Refused where notifications need a service worker to show them.
    let Ok(shown) = Notification::new_with_options("PulseCheck", &options) else {
        return;
    };
    let clicked = Closure::once_into_js(move || {
        let _ = window().focus();
    });
    shown.set_onclick(Some(clicked.unchecked_ref()));
}

/// Asks for leave to show notifications, if it was not given before; whether it is given.
pub(crate) async fn may_notify() -> bool {
    // Absent where the page was not loaded securely.
    if Reflect::get(&window(), &"Notification".into()).is_ok_and(|api| api.is_undefined()) {
        return false;
    }
    let Ok(asked) = Notification::request_permission() else {
        return false;
    };
    JsFuture::from(asked)
        .await
        .is_ok_and(|answer| answer.as_string().as_deref() == Some("granted"))
}

/// Loads the page again.
pub(crate) fn reload() {
    let _ = window().location().reload();
}

/// The address of the icon for a status: shape and colour, as in the list.
fn icon(worst: &str) -> String {
    format!("/favicon-{worst}.svg")
}

/// Shows the worst status in the icon of the window.
pub(crate) fn set_icon(worst: &str) {
    if let Ok(Some(link)) = document().query_selector("link[rel=icon]") {
        let _ = link.set_attribute("href", &icon(worst));
    }
}

/// Gives the list so much of the width, in percent.
pub(crate) fn set_list_width(percent: i32) {
    let root = document()
        .document_element()
        .and_then(|root| root.dyn_into::<HtmlElement>().ok());
    if let Some(root) = root {
        let _ = root.style().set_property("--list", &format!("{percent}%"));
    }
}

/// Calls `moved` with the pointer's place, in percent of the window's width, until the button is let go, then `done`.
pub(crate) fn drag(mut moved: impl FnMut(i32) + 'static, done: impl FnOnce() + 'static) {
    let moves = listen_to(window().into(), "pointermove", move |event| {
        let (Ok(event), Some(width)) =
            (event.dyn_into::<MouseEvent>(), window().inner_width().ok())
        else {
            return;
        };
        #[allow(clippy::cast_possible_truncation, reason = "between 0 and 100")]
        moved(
            (f64::from(event.client_x()) * 100.0 / width.as_f64().unwrap_or(1.0).max(1.0)) as i32,
        );
    });
    let mut held = Some((moves, done));
    let end = Closure::once_into_js(move |_: Event| {
        if let Some((moves, done)) = held.take() {
            drop(moves);
            done();
        }
    });
    let once = web_sys::AddEventListenerOptions::new();
    once.set_once(true);
    let end: &Function = end.unchecked_ref();
    let _ = window().add_event_listener_with_callback_and_add_event_listener_options(
        "pointerup",
        end,
        &once,
    );
}

/// Listens to an event of the window or the document until it is dropped.
pub(crate) struct Listener {
    target: EventTarget,
    event: &'static str,
    closure: Closure<dyn FnMut(Event)>,
    capture: bool,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let function = self.closure.as_ref().unchecked_ref();
        let _ = self.target.remove_event_listener_with_callback_and_bool(
            self.event,
            function,
            self.capture,
        );
    }
}

pub(super) fn listen_to(
    target: EventTarget,
    event: &'static str,
    handle: impl FnMut(Event) + 'static,
) -> Listener {
    let closure = Closure::<dyn FnMut(Event)>::new(handle);
    let _ = target.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    Listener {
        target,
        event,
        closure,
        capture: false,
    }
}

/// Calls `handle` at each `event` of the window.
pub(crate) fn listen(event: &'static str, mut handle: impl FnMut() + 'static) -> Listener {
    listen_to(window().into(), event, move |_| handle())
}

/// Calls `handle` whenever another part of the page comes into sight.
pub(crate) fn listen_sight(handle: impl FnMut() + 'static) -> [Listener; 2] {
    let handle = std::rc::Rc::new(RefCell::new(handle));
    let again = handle.clone();
    // Scrolling does not bubble: the document is told of it on the way down.
    let scrolls = Closure::<dyn FnMut(Event)>::new(move |_| handle.borrow_mut()());
    let target: EventTarget = document().into();
    let passive = web_sys::AddEventListenerOptions::new();
    passive.set_capture(true);
    passive.set_passive(true);
    let function = scrolls.as_ref().unchecked_ref();
    let _ = target.add_event_listener_with_callback_and_add_event_listener_options(
        "scroll", function, &passive,
    );
    let scrolls = Listener {
        target,
        event: "scroll",
        closure: scrolls,
        capture: true,
    };
    [
        scrolls,
        listen_to(window().into(), "resize", move |_| again.borrow_mut()()),
    ]
}

/// Calls `handle` with each key; it returns whether the key is used up.
pub(crate) fn listen_keys(mut handle: impl FnMut(Key) -> bool + 'static) -> Listener {
    listen_to(document().into(), "keydown", move |event| {
        // Browsers that fill in a form send key events that have no key.
        let Ok(pressed) = event.dyn_into::<KeyboardEvent>() else {
            return;
        };
        let modified = pressed.ctrl_key() || pressed.alt_key() || pressed.meta_key();
        let command = (pressed.ctrl_key() || pressed.meta_key())
            && !pressed.alt_key()
            && !pressed.shift_key();
        if handle(Key {
            name: pressed.key(),
            modified,
            command,
        }) {
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
            on("message", |event| {
                Some(Arrival::Text(
                    event.dyn_into::<MessageEvent>().ok()?.data().as_string()?,
                ))
            }),
            on("close", |_| Some(Arrival::Closed)),
            on("error", |_| Some(Arrival::Closed)),
        ];
        Some(Self {
            socket,
            arrivals,
            _listeners: listeners,
        })
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
