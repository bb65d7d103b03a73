//! Reads a status line as browsers do, and rewrites a head to regular form.

/// Number of bytes before a status line that are skipped, as Chromium does.
const MAX_JUNK_BYTES: usize = 4;

/// Returns where the status line begins or may begin; `None` if this is not HTTP.
pub(super) fn status_line_start(bytes: &[u8]) -> Option<usize> {
    (0..=MAX_JUNK_BYTES).find(|start| {
        let found = bytes.get(*start..).unwrap_or_default();
        let length = found.len().min(4);
        // A letter in front would make it another word.
        found[..length].eq_ignore_ascii_case(&b"http"[..length])
    })
}

/// The status line of a response.
pub(super) struct StatusLine<'a> {
    minor_version: char,
    code: &'a str,
}

impl<'a> StatusLine<'a> {
    /// Parses the first line of `head` as Chromium does; `None` if it has no status code.
    pub(super) fn parse(head: &'a [u8]) -> Option<Self> {
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
    pub(super) fn is_interim(&self) -> bool {
        self.code.starts_with('1') && self.code != "101"
    }
}

/// Returns `head` with a regular status line and without header lines that browsers ignore, and
/// whether chunks follow it.
pub(super) fn rewrite(status: &StatusLine<'_>, head: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::with_capacity(head.len() + 16);
    // The reason is dropped: nothing reads it, and it may hold any bytes.
    out.extend_from_slice(
        format!("HTTP/1.{} {} \r\n", status.minor_version, status.code).as_bytes(),
    );
    let lines = head.split_inclusive(|byte| *byte == b'\n').skip(1);
    let mut is_dropping = false;
    let mut is_chunked = false;
    for line in lines {
        let is_continuation = matches!(line, [b' ' | b'\t', ..]);
        if !is_continuation {
            is_dropping = is_ignored(line, status.minor_version == '0');
        }
        if !is_dropping {
            out.extend_from_slice(line);
            is_chunked |= ends_with_chunks(line);
        }
    }
    (out, is_chunked)
}

/// Returns whether this header line says that the body is in chunks.
fn ends_with_chunks(line: &[u8]) -> bool {
    const NAME: &[u8] = b"transfer-encoding";
    let is_encoding = line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME);
    let last = line.split(|byte| matches!(byte, b',' | b':')).next_back();
    is_encoding && last.is_some_and(|last| last.trim_ascii().eq_ignore_ascii_case(b"chunked"))
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
