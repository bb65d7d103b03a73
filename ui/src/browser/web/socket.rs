//! WebSockets.

use super::events::{Listener, listen_to};
use super::global::window;
use futures_channel::mpsc;
use futures_util::StreamExt;
use wasm_bindgen::JsCast;
use web_sys::{Event, MessageEvent, WebSocket};

/// An event of a socket.
pub(crate) enum SocketEvent {
    Opened,
    Text(String),
    /// The connection has ended or could not be established. No event follows.
    Closed,
}

/// A WebSocket; closed when dropped.
pub(crate) struct Socket {
    socket: WebSocket,
    events: mpsc::UnboundedReceiver<SocketEvent>,
    _listeners: [Listener; 5],
}

impl Socket {
    /// Starts to connect to `url`; `None` when the browser refuses to try.
    pub(crate) fn open(url: &str, protocol: &str) -> Option<Self> {
        let socket = WebSocket::new_with_str(url, protocol).ok()?;
        let (sender, events) = mpsc::unbounded();
        let closed = sender.clone();
        let on = |event: &'static str, convert: fn(Event) -> Option<SocketEvent>| {
            let sender = sender.clone();
            listen_to(socket.clone().into(), event, move |event| {
                if let Some(event) = convert(event) {
                    let _ = sender.unbounded_send(event);
                }
            })
        };
        let listeners = [
            on("open", |_| Some(SocketEvent::Opened)),
            on("message", |event| {
                Some(SocketEvent::Text(
                    event.dyn_into::<MessageEvent>().ok()?.data().as_string()?,
                ))
            }),
            on("close", |_| Some(SocketEvent::Closed)),
            on("error", |_| Some(SocketEvent::Closed)),
            // Without a network the socket itself would notice only at the next ping.
            listen_to(window().into(), "offline", move |_| {
                let _ = closed.unbounded_send(SocketEvent::Closed);
            }),
        ];
        Some(Self {
            socket,
            events,
            _listeners: listeners,
        })
    }

    /// Sends a message. A failure shows as the end of the connection.
    pub(crate) fn send(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Returns the next event.
    pub(crate) async fn next(&mut self) -> SocketEvent {
        self.events.next().await.unwrap_or(SocketEvent::Closed)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}
