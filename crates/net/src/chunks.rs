//! Brings the line ends between chunks to regular form: a line feed alone becomes a whole line end,
//! as browsers and curl read it. Everything else passes as it is, for the HTTP library to judge.

/// Maximum length of a line between chunks, in bytes. Longer ones are no business of this filter.
const MAX_LINE: usize = 16 << 10;

/// Follows a chunked body (RFC 9112, 7.1) as far as its lines.
#[derive(Debug, Default)]
pub(crate) struct ChunkFilter {
    state: State,
    /// The beginning of a line whose end has not arrived.
    line: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// In the line with the size of a chunk.
    #[default]
    Size,
    /// In a chunk, of which so many bytes are left.
    Data(u64),
    /// Behind a chunk, at the end of its line.
    DataEnd,
    /// In the trailers.
    Trailers,
    /// Behind the body, or where its form is unknown: everything passes.
    Over,
}

impl ChunkFilter {
    /// Takes bytes. Returns those to pass on.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        while !bytes.is_empty() {
            match self.state {
                State::Over => {
                    out.extend_from_slice(bytes);
                    break;
                }
                State::Data(left) => {
                    let length = usize::try_from(left).unwrap_or(usize::MAX);
                    let (data, rest) = bytes.split_at(length.min(bytes.len()));
                    out.extend_from_slice(data);
                    bytes = rest;
                    self.state = match left - data.len() as u64 {
                        0 => State::DataEnd,
                        left => State::Data(left),
                    };
                }
                State::Size | State::DataEnd | State::Trailers => {
                    let end = bytes.iter().position(|byte| *byte == b'\n');
                    let (piece, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                    bytes = rest;
                    self.line.extend_from_slice(piece);
                    if end.is_some() {
                        self.end_line(&mut out);
                    } else if self.line.len() > MAX_LINE {
                        self.state = State::Over;
                        out.append(&mut self.line);
                    }
                }
            }
        }
        out
    }

    /// Returns what is left of a line, because no more bytes come.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.state = State::Over;
        std::mem::take(&mut self.line)
    }

    /// Passes a whole line on and finds out what follows it.
    fn end_line(&mut self, out: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        self.state = match self.state {
            State::Size => match parse_size(text) {
                Some(0) => State::Trailers,
                Some(size) => State::Data(size),
                None => State::Over,
            },
            State::DataEnd if text.is_empty() => State::Size,
            State::Trailers if !text.is_empty() => State::Trailers,
            _ => State::Over,
        };
        out.extend_from_slice(text);
        out.extend_from_slice(b"\r\n");
    }
}

/// Returns the size in the line before a chunk, without its extensions.
fn parse_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let is_number = size.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(size).ok()?;
    is_number.then(|| u64::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the same however the bytes arrive.
    fn filtered(bytes: &str) -> String {
        let pass = |size: usize| {
            let mut filter = ChunkFilter::default();
            let pieces = bytes.as_bytes().chunks(size);
            let mut out: Vec<u8> = pieces.flat_map(|piece| filter.push(piece)).collect();
            out.append(&mut filter.finish());
            String::from_utf8(out).unwrap()
        };
        let whole = pass(usize::MAX);
        for size in [1, 2, 3, 5] {
            assert_eq!(pass(size), whole, "in pieces of {size}");
        }
        whole
    }

    #[test]
    fn regular_chunks_pass_unchanged() {
        for body in [
            "5\r\nhello\r\n0\r\n\r\n",
            "5;a=b\r\nhe\nlo\r\nA\r\n0123\r\n6789\r\n0\r\nx: y\r\nz: 1\r\n\r\nHTTP/1.1 200 OK\n\n",
            "5\r\nhel",
            "5\r\nhello\r\n1",
            "",
        ] {
            assert_eq!(filtered(body), body);
        }
    }

    #[test]
    fn line_feeds_alone_become_line_ends_outside_of_chunks() {
        assert_eq!(
            filtered("5\nhe\nlo\n0\nx: y\n\n"),
            "5\r\nhe\nlo\r\n0\r\nx: y\r\n\r\n"
        );
    }

    #[test]
    fn what_is_not_chunks_passes_for_the_library_to_judge() {
        for (body, expected) in [
            ("no size\r\nx\ny", "no size\r\nx\ny"),
            ("3\r\nhello\r\n0\n", "3\r\nhello\r\n0\n"),
            ("-5\r\nhello\n", "-5\r\nhello\n"),
            ("fffffffffffffffffff\r\nx\n", "fffffffffffffffffff\r\nx\n"),
        ] {
            assert_eq!(filtered(body), expected);
        }
        let endless = "0".repeat(3 * MAX_LINE);
        assert_eq!(filtered(&endless), endless);
    }
}
