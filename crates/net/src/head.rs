//! Brings the head of an HTTP/1 response to the form that HTTP libraries read: the differences are
//! those that browsers accept. Drops interim responses (1xx), and bounds everything before the head.

mod rewrite;

use rewrite::{StatusLine, rewrite, status_line_start};

/// Maximum size of the head of a response, in bytes. Browsers read 256 KiB.
pub const MAX_HEAD_BYTES: usize = 512 << 10;

/// Maximum number of header lines of a response.
pub const MAX_HEADER_LINES: usize = 2_000;

/// Maximum size of all interim responses before the final one, in bytes.
pub const MAX_INTERIM_BYTES: usize = 256 << 10;

/// Maximum number of bytes that are read between two deliveries: a final head, or a piece of a body.
/// Must be more than a head and a flow control window together.
pub const MAX_UNDELIVERED_BYTES: usize = 1 << 20;

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

/// The bytes that a [`HeadFilter`] passes on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Released {
    /// The head.
    pub(crate) head: Vec<u8>,
    /// What arrived behind it.
    pub(crate) rest: Vec<u8>,
    /// Whether chunks follow the head.
    pub(crate) is_chunked: bool,
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
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Option<Released>, HeadError> {
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
            let (head, is_chunked) = match lines {
                Some(line) => rewrite(&line, &head[start..]),
                None => (head, false),
            };
            return Ok(Some(Released {
                head,
                rest: std::mem::take(&mut self.pending),
                is_chunked,
            }));
        }
    }

    /// Returns what has been collected, because no more bytes come.
    pub(crate) fn finish(&mut self) -> Released {
        Released {
            head: std::mem::take(&mut self.pending),
            ..Released::default()
        }
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

#[cfg(test)]
mod tests;
