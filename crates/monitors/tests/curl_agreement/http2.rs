//! Frames of HTTP/2, byte for byte (RFC 9113).

use tokio::io::{AsyncRead, AsyncReadExt};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;

/// Maximum size of a frame that a client reads unless it says otherwise, in bytes.
const MAX_FRAME: usize = 16 << 10;

/// Reads what follows the preface, up to the headers of the first request.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) {
    let mut head = [0; 9];
    // The rest of the preface.
    let mut rest = vec![0; 6];
    if stream.read_exact(&mut rest).await.is_err() {
        return;
    }
    while stream.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        rest.resize(length as usize, 0);
        if stream.read_exact(&mut rest).await.is_err() || head[3] == HEADERS {
            return;
        }
    }
}

/// Returns a frame.
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Returns the frames that every server begins with: its settings, and that it took the client's.
pub(crate) fn start() -> Vec<u8> {
    [frame(SETTINGS, 0, 0, &[]), frame(SETTINGS, 1, 0, &[])].concat()
}

/// Returns a header list without compression.
pub(crate) fn list(headers: &[(&str, &str)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in headers {
        out.push(0x10);
        text(&mut out, name);
        text(&mut out, value);
    }
    out
}

fn text(out: &mut Vec<u8>, text: &str) {
    // The length has a prefix of 7 bits (RFC 7541, 5.1).
    let mut length = text.len();
    if length < 127 {
        out.push(u8::try_from(length).unwrap());
    } else {
        out.push(127);
        length -= 127;
        while length >= 128 {
            out.push(u8::try_from(length % 128).unwrap() | 128);
            length /= 128;
        }
        out.push(u8::try_from(length).unwrap());
    }
    out.extend(text.as_bytes());
}

/// Returns the headers of stream 1, in as many frames as they need.
pub(crate) fn headers(headers: &[(&str, &str)], flags: u8) -> Vec<u8> {
    let list = list(headers);
    let pieces: Vec<_> = list.chunks(MAX_FRAME).collect();
    let last = pieces.len() - 1;
    let frames = pieces.iter().enumerate().map(|(index, piece)| {
        let (kind, own) = if index == 0 {
            (HEADERS, flags)
        } else {
            (CONTINUATION, 0)
        };
        let end = if index == last { END_HEADERS } else { 0 };
        frame(kind, own | end, 1, piece)
    });
    frames.collect::<Vec<_>>().concat()
}

/// Returns a piece of the body of stream 1.
pub(crate) fn data(body: &str, flags: u8) -> Vec<u8> {
    frame(DATA, flags, 1, body.as_bytes())
}
