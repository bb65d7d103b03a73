use super::*;

/// Pushes `bytes` in pieces of `size`. Returns what is passed on.
fn pass(bytes: &[u8], size: usize) -> Result<Vec<u8>, HeadError> {
    let mut filter = HeadFilter::default();
    let mut out: Option<Vec<u8>> = None;
    for piece in bytes.chunks(size) {
        match &mut out {
            Some(out) => out.extend_from_slice(piece),
            None => out = filter.push(piece)?.map(joined),
        }
    }
    Ok(out.unwrap_or_else(|| joined(filter.finish())))
}

fn joined(released: Released) -> Vec<u8> {
    [released.head, released.rest].concat()
}

#[test]
fn chunks_behind_a_head_are_announced() {
    for (lines, is_chunked) in [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", true),
        ("HTTP/1.1 200 OK\ntransfer-encoding:chunked\n", true),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n",
            false,
        ),
        ("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n", false),
        ("HTTP/1.1 200 OK\r\nx-transfer-encoding: chunked\r\n", false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n", false),
    ] {
        let head = format!("{lines}\r\n");
        let released = HeadFilter::default().push(head.as_bytes()).unwrap();
        assert_eq!(released.unwrap().is_chunked, is_chunked, "{lines:?}");
    }
}

/// Returns the same however the bytes arrive.
fn filtered(bytes: impl AsRef<[u8]>) -> Result<String, HeadError> {
    let bytes = bytes.as_ref();
    let whole = pass(bytes, usize::MAX);
    for size in [1, 2, 3, 7] {
        assert_eq!(pass(bytes, size), whole, "in pieces of {size}");
    }
    whole.map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn a_regular_head_and_its_body_pass_unchanged_but_for_the_reason() {
    assert_eq!(
        filtered("HTTP/1.1 200 OK\r\nserver: x\r\n\r\nhello\r\n\r\nHTTP/1.1 404 x\r\n\r\n")
            .unwrap(),
        "HTTP/1.1 200 \r\nserver: x\r\n\r\nhello\r\n\r\nHTTP/1.1 404 x\r\n\r\n"
    );
}

#[test]
fn status_lines_are_read_as_browsers_read_them() {
    for (line, expected) in [
        ("HTTP/1.0 200 OK", "HTTP/1.0 200 "),
        ("HTTP/1.1 200", "HTTP/1.1 200 "),
        ("http/1.1 200 OK", "HTTP/1.1 200 "),
        ("HTTP/2 503 No", "HTTP/1.1 503 "),
        ("HTTP/2.0 200 OK", "HTTP/1.1 200 "),
        ("HTTP/0.9 200 OK", "HTTP/1.0 200 "),
        ("HTTP 200 OK", "HTTP/1.0 200 "),
        ("HTTP/x.y 200 OK", "HTTP/1.0 200 "),
        ("HTTP/1.1 \t 200 OK", "HTTP/1.1 200 "),
        ("\r\n\r\nHTTP/1.1 200 OK", "HTTP/1.1 200 "),
        ("xxHTTP/1.1 200 OK", "HTTP/1.1 200 "),
        // What is left as it is, so that the HTTP library says what is wrong.
        ("HTTP/1.1 20 OK", "HTTP/1.1 20 OK"),
        ("HTTP/1.1 2000 OK", "HTTP/1.1 2000 OK"),
        ("SSH-2.0-OpenSSH", "SSH-2.0-OpenSSH"),
        ("xxxxxHTTP/1.1 200 OK", "xxxxxHTTP/1.1 200 OK"),
    ] {
        assert_eq!(
            filtered(format!("{line}\r\n\r\n")).unwrap(),
            format!("{expected}\r\n\r\n"),
            "{line:?}"
        );
    }
}

#[test]
fn interim_responses_are_dropped() {
    assert_eq!(
        filtered("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\nlink: y\n\nHTTP/1.1 204 x\n\n")
            .unwrap(),
        "HTTP/1.1 204 \r\n\n"
    );
    // After 101 another protocol is spoken.
    let switching = "HTTP/1.1 101 \r\n\r\nHTTP/1.1 200 \r\n\r\n";
    assert_eq!(filtered(switching).unwrap(), switching);
}

#[test]
fn header_lines_that_browsers_ignore_are_dropped() {
    for (lines, kept) in [
        (
            "HTTP/1.0 200 \r\nTransfer-Encoding: chunked\r\na: b\r\n",
            "HTTP/1.0 200 \r\na: b\r\n",
        ),
        (
            "HTTP/1.0 200 \r\ntransfer-encoding:\r\n chunked\r\na: b\r\n",
            "HTTP/1.0 200 \r\na: b\r\n",
        ),
        (
            "HTTP/1.1 200 \r\ncontent-length: -7\r\n",
            "HTTP/1.1 200 \r\n",
        ),
        (
            "HTTP/1.1 200 \r\ncontent-length: +7\r\n",
            "HTTP/1.1 200 \r\n",
        ),
        (
            "HTTP/1.1 200 \r\ncontent-length: 7 bytes\r\n",
            "HTTP/1.1 200 \r\n",
        ),
        (
            "HTTP/1.1 200 \r\ncontent-length: 18446744073709551616\r\n",
            "HTTP/1.1 200 \r\n",
        ),
    ] {
        assert_eq!(
            filtered(format!("{lines}\r\n")).unwrap(),
            format!("{kept}\r\n")
        );
    }
    for kept in [
        "HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 \r\ncontent-length: 7\r\n\r\n",
        "HTTP/1.1 200 \r\ncontent-length: seven\r\n\r\n",
        "HTTP/1.1 200 \r\ncontent-length: 7, 8\r\n\r\n",
    ] {
        assert_eq!(filtered(kept).unwrap(), kept);
    }
}

#[test]
fn everything_before_the_end_of_the_head_is_bounded() {
    let forever = |start: &str, piece: &str| {
        let mut filter = HeadFilter::default();
        filter.push(start.as_bytes())?;
        for _ in 0..(2 * MAX_HEAD_BYTES / piece.len()) {
            filter.push(piece.as_bytes())?;
            assert!(filter.pending.len() <= MAX_HEAD_BYTES + piece.len());
        }
        Ok(())
    };
    let line = "x: ".to_owned() + &"y".repeat(2000);
    for (start, piece, error) in [
        (
            "HTTP/1.1 200 OK\r\n",
            format!("{line}\r\n").as_str(),
            HeadError::TooLarge,
        ),
        ("HTTP/1.1 200 OK\r\n", line.as_str(), HeadError::TooLarge),
        ("HTTP/1.1 200 ", line.as_str(), HeadError::TooLarge),
        (
            "",
            "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n",
            HeadError::OnlyInterim,
        ),
        ("", "\r\n\r\n", HeadError::OnlyInterim),
    ] {
        assert_eq!(forever(start, piece), Err(error), "{start:?}");
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\nx: {}\r\n\r\n",
        "y".repeat(MAX_HEAD_BYTES)
    );
    assert_eq!(pass(head.as_bytes(), usize::MAX), Err(HeadError::TooLarge));
}
