//! Brings the head of an HTTP/1 response to the form that HTTP libraries read: the differences are
//! those that browsers accept. Drops interim responses (1xx), and bounds everything before the head.

/// Maximum size of the head of a response, in bytes. Browsers read 256 KiB.
pub const MAX_HEAD_BYTES: usize = 512 << 10;

/// Maximum number of header lines of a response.
pub const MAX_HEADER_LINES: usize = 2_000;

/// Maximum size of all interim responses before the final one, in bytes.
pub const MAX_INTERIM_BYTES: usize = 256 << 10;

/// Maximum number of bytes that are read between two deliveries: a final head, or a piece of a body.
/// Must be more than a head and a flow control window together.
pub const MAX_UNDELIVERED_BYTES: usize = 1 << 20;

/// Number of bytes before a status line that are skipped, as Chromium does.
const MAX_JUNK_BYTES: usize = 4;

/// Why the head of a response was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// It is larger than [`MAX_HEAD_BYTES`] or has more than [`MAX_HEADER_LINES`] lines.
    #[error("the headers are too large")]
    TooLarge,
    /// The interim responses are larger than [`MAX_INTERIM_BYTES`].
    #[error("only interim responses came")]
    OnlyInterim,
    /// More than [`MAX_UNDELIVERED_BYTES`] came without an answer or a piece of its body.
    #[error("nothing was delivered")]
    NothingDelivered,
}

/// Collects the bytes of an HTTP/1 stream up to the end of its first final head.
#[derive(Debug, Default)]
pub(crate) struct HeadFilter {
    pending: Vec<u8>,
    /// The number of bytes of `pending` in which no end of a head begins.
    scanned: usize,
    interim_bytes: usize,
}

impl HeadFilter {
    /// Takes more bytes. Returns those to pass on when the final head is complete, and then takes
    /// no more.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, HeadError> {
        self.pending.extend_from_slice(bytes);
        loop {
            self.skip_empty_lines()?;
            let Some(start) = status_line_start(&self.pending) else {
                // Not HTTP, and the library says what is wrong.
                return Ok(Some(self.finish()));
            };
            let Some(end) = self.find_end() else {
                return if self.pending.len() > MAX_HEAD_BYTES {
                    Err(HeadError::TooLarge)
                } else {
                    Ok(None)
                };
            };
            if end > MAX_HEAD_BYTES {
                return Err(HeadError::TooLarge);
            }
            let rest = self.pending.split_off(end);
            let head = std::mem::replace(&mut self.pending, rest);
            self.scanned = 0;
            let lines = StatusLine::parse(&head[start..]);
            if lines.as_ref().is_some_and(StatusLine::is_interim) {
                self.count_interim(end)?;
                continue;
            }
            let mut released = match lines {
                Some(line) => rewrite(&line, &head[start..]),
                None => head,
            };
            released.append(&mut self.pending);
            return Ok(Some(released));
        }
    }

    /// Returns what has been collected, because no more bytes come.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.pending)
    }

    fn skip_empty_lines(&mut self) -> Result<(), HeadError> {
        let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let empty = self.pending.iter().take_while(|b| is_line_end(b)).count();
        if empty > 0 {
            self.pending.drain(..empty);
            self.scanned = 0;
            self.count_interim(empty)?;
        }
        Ok(())
    }

    fn count_interim(&mut self, bytes: usize) -> Result<(), HeadError> {
        self.interim_bytes += bytes;
        if self.interim_bytes > MAX_INTERIM_BYTES {
            return Err(HeadError::OnlyInterim);
        }
        Ok(())
    }

    /// Returns the length of the first head, with its empty line.
    fn find_end(&mut self) -> Option<usize> {
        let bytes = &self.pending;
        let mut from = self.scanned;
        while let Some(found) = bytes[from..].iter().position(|byte| *byte == b'\n') {
            let next = from + found + 1;
            match bytes[next..] {
                [b'\n', ..] => return Some(next + 1),
                [b'\r', b'\n', ..] => return Some(next + 2),
                // Perhaps the empty line has not arrived completely.
                [] | [b'\r'] => {
                    self.scanned = next - 1;
                    return None;
                }
                _ => from = next,
            }
        }
        self.scanned = bytes.len();
        None
    }
}

/// Returns where the status line begins or may begin; `None` if this is not HTTP.
fn status_line_start(bytes: &[u8]) -> Option<usize> {
    (0..=MAX_JUNK_BYTES).find(|start| {
        let found = bytes.get(*start..).unwrap_or_default();
        let length = found.len().min(4);
        // A letter in front would make it another word.
        found[..length].eq_ignore_ascii_case(&b"http"[..length])
    })
}

/// The status line of a response.
struct StatusLine<'a> {
    minor_version: char,
    code: &'a str,
}

impl<'a> StatusLine<'a> {
    /// Parses the first line of `head` as Chromium does; `None` if it has no status code.
    fn parse(head: &'a [u8]) -> Option<Self> {
        let line = head.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
        let line = line.get(4..)?;
        let end = line.iter().position(|byte| matches!(byte, b' ' | b'\t'))?;
        let (version, rest) = line.split_at(end);
        let rest = rest.trim_ascii_start();
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let code = std::str::from_utf8(&rest[..digits]).ok()?;
        if code.len() != 3 {
            return None;
        }
        let minor_version = match version {
            // Without a version it is an old server; HTTP/2 over HTTP/1 and the like read as 1.1.
            b"/0.9" | b"/1.0" => '0',
            [b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => '1',
            [b'/', major] if major.is_ascii_digit() => '1',
            _ => '0',
        };
        Some(Self {
            minor_version,
            code,
        })
    }

    /// Whether it is an interim response. 101 is final: it ends HTTP.
    fn is_interim(&self) -> bool {
        self.code.starts_with('1') && self.code != "101"
    }
}

/// Returns `head` with a regular status line and without header lines that browsers ignore.
fn rewrite(status: &StatusLine<'_>, head: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len() + 16);
    // The reason is dropped: nothing reads it, and it may hold any bytes.
    out.extend_from_slice(
        format!("HTTP/1.{} {} \r\n", status.minor_version, status.code).as_bytes(),
    );
    let lines = head.split_inclusive(|byte| *byte == b'\n').skip(1);
    let mut is_dropping = false;
    for line in lines {
        let is_continuation = matches!(line, [b' ' | b'\t', ..]);
        if !is_continuation {
            is_dropping = is_ignored(line, status.minor_version == '0');
        }
        if !is_dropping {
            out.extend_from_slice(line);
        }
    }
    out
}

/// Returns whether browsers ignore this header line.
fn is_ignored(line: &[u8], is_http_1_0: bool) -> bool {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
    if name.eq_ignore_ascii_case(b"transfer-encoding") {
        // HTTP/1.0 has no chunks (RFC 9112, 6.1): the body ends with the connection.
        return is_http_1_0;
    }
    name.eq_ignore_ascii_case(b"content-length") && is_no_length(value)
}

/// Returns whether browsers read this `Content-Length` as none at all, so that the body ends with
/// the connection: numbers below zero, beyond all bounds, or with more than digits. Words are left
/// to the HTTP library, which refuses them, and so are lists, whose values must be equal.
fn is_no_length(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").or(value.strip_prefix(b"+"));
    if !digits
        .unwrap_or(value)
        .first()
        .is_some_and(u8::is_ascii_digit)
    {
        return false;
    }
    if value.contains(&b',') {
        return false;
    }
    let number = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    // The library keeps the two largest numbers to itself.
    digits.is_some() || number.is_none_or(|length| length > u64::MAX - 2)
}

#[cfg(test)]
mod tests;
