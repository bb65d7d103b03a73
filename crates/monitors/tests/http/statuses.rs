//! Answers that come, and what they mean.

use crate::server::{Server, answering, flood, head, serve};
use crate::{expect_codes, found, look, names, prober, settings, target};
use domain::Status;
use monitors::{Monitor, Prober};
use net::ClientSettings;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn the_status_code_decides_between_up_and_down() {
    for (code, expected, status, sentence) in [
        (200, "200-299", Status::Up, ""),
        (204, "200-299", Status::Up, ""),
        (
            404,
            "200-299",
            Status::Down,
            "answered 404, expected 200-299",
        ),
        (
            503,
            "200-299",
            Status::Down,
            "answered 503, expected 200-299",
        ),
        (200, "401", Status::Down, "answered 200, expected 401"),
        (401, "200,401-403", Status::Up, ""),
        (
            300,
            "200-299",
            Status::Down,
            "answered 300, expected 200-299",
        ),
        (
            304,
            "200-299",
            Status::Down,
            "answered 304, expected 200-299",
        ),
    ] {
        let server = answering(head(code, "")).await;
        let mut target = target(&server.url("/"));
        expect_codes(&mut target, expected);
        let outcome = prober().check(&target).await;
        assert_eq!(found(&outcome), (status, sentence.to_owned()), "{code}");
        assert_eq!(outcome.status_code, Some(code));
        assert!(outcome.response_time_ms.is_some(), "{code}");
        assert_eq!(outcome.certificate_expires_at, None);
    }
}

#[tokio::test]
async fn a_good_answer_that_comes_slowly_is_degraded_and_a_bad_one_is_down() {
    let server = serve(|mut peer| async move {
        let code = if peer.head().await.contains("/bad") {
            500
        } else {
            200
        };
        tokio::time::sleep(Duration::from_millis(60)).await;
        peer.stream
            .write_all(head(code, "").as_bytes())
            .await
            .unwrap();
    })
    .await;
    for (path, status) in [("/", Status::Degraded), ("/bad", Status::Down)] {
        let mut target = target(&server.url(path));
        target.degraded_threshold = Duration::from_millis(50);
        let outcome = prober().check(&target).await;
        let took = outcome.response_time_ms.unwrap();
        assert!(took >= 60, "{took}");
        let sentence = match status {
            Status::Degraded => format!("answered in {took} ms, slower than 50 ms"),
            _ => "answered 500, expected 200-299".into(),
        };
        assert_eq!(found(&outcome), (status, sentence));
        assert!(outcome.phases.first_byte_ms.unwrap() >= 59);
    }
}

#[tokio::test]
async fn the_request_says_who_asks_and_nothing_that_could_be_followed() {
    let mut server = answering(head(200, "set-cookie: a=b\r\n")).await;
    let url = server
        .url("/path?query=1#fragment")
        .replace("http://", "http://user:secret@");
    let prober = prober();
    for _ in 0..2 {
        assert_eq!(prober.check(&target(&url)).await.status, Status::Up);
        let sent = server.head().await.to_lowercase();
        let mut lines: Vec<_> = sent.trim_end().split("\r\n").collect();
        lines[1..].sort_unstable();
        let agent = format!(
            "user-agent: pulsecheck/{} (+https://status.example)",
            env!("CARGO_PKG_VERSION")
        );
        let host = format!("host: {}", server.address);
        assert_eq!(
            lines,
            ["get /path?query=1 http/1.1", "accept: */*", &host, &agent]
        );
    }
}

#[tokio::test]
async fn every_check_has_a_connection_of_its_own_and_ends_it() {
    let mut server = answering(head(200, "")).await;
    let prober = prober();
    for check in 1..=3 {
        assert_eq!(
            prober.check(&target(&server.url("/"))).await.status,
            Status::Up
        );
        assert_eq!(server.connections(), check);
        server.end().await;
    }
}

#[tokio::test]
async fn phases_are_told_as_far_as_there_were_any() {
    let server = answering(head(200, "")).await;
    let literal = look(&server.url("/")).await;
    assert_eq!((literal.phases.dns_ms, literal.phases.tls_ms), (None, None));
    assert!(literal.phases.connect_ms.is_some() && literal.phases.first_byte_ms.is_some());
    let named = look(&format!("http://good.test:{}/", server.address.port())).await;
    assert_eq!(named.status, Status::Up);
    assert!(named.phases.dns_ms.is_some() && named.phases.tls_ms.is_none());
    let parts = [
        named.phases.dns_ms,
        named.phases.connect_ms,
        named.phases.first_byte_ms,
    ];
    assert!(parts.into_iter().flatten().sum::<u32>() <= named.response_time_ms.unwrap());
}

#[tokio::test]
async fn a_body_is_read_to_its_bound_and_no_further() {
    for headers in [
        "",
        "content-length: 99999999999\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        let mut server = serve(move |mut peer| async move {
            peer.head().await;
            peer.stream
                .write_all(format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes())
                .await
                .unwrap();
            // One chunk of 4,096 bytes; without chunking just some bytes.
            let piece = ["1000\r\n", &"x".repeat(4096), "\r\n"].concat();
            flood(&mut peer.stream, piece.as_bytes()).await;
        })
        .await;
        assert_eq!(
            found(&look(&server.url("/")).await),
            (Status::Up, String::new()),
            "{headers}"
        );
        server.end().await;
    }
}

/// Sends `head`, and then a line every now and then for ever.
async fn stream(head: &'static str) -> Server {
    serve(move |mut peer| async move {
        peer.head().await;
        let _ = peer.stream.write_all(head.as_bytes()).await;
        while peer.stream.write_all(b"data: x\n\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await
}

#[tokio::test]
async fn a_stream_without_end_is_up_when_its_head_is_good() {
    for (head, status) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n",
            Status::Up,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: multipart/x-mixed-replace; boundary=x\r\n\r\n",
            Status::Up,
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: audio/aac\r\n\r\n",
            Status::Up,
        ),
        (
            "HTTP/1.1 503 No\r\ncontent-type: text/event-stream\r\n\r\n",
            Status::Down,
        ),
    ] {
        let mut server = stream(head).await;
        let outcome = look(&server.url("/")).await;
        assert_eq!(outcome.status, status, "{head}: {outcome:?}");
        assert!(outcome.response_time_ms.is_some());
        server.end().await;
    }
}

#[tokio::test]
async fn how_much_of_a_body_is_read_can_be_chosen() {
    let html = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n";
    let events = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
    for (head, choice, status) in [
        (html, "auto", Status::Down),
        (html, "headOnly", Status::Up),
        (events, "auto", Status::Up),
        (events, "whole", Status::Down),
    ] {
        let server = stream(head).await;
        let mut target = target(&server.url("/"));
        target.timeout = Duration::from_millis(500);
        if let Monitor::Http(http) = &mut target.monitor {
            http.read_body = choice.into();
        }
        let outcome = prober().check(&target).await;
        assert_eq!(outcome.status, status, "{choice}: {outcome:?}");
    }
}

#[tokio::test]
async fn headers_as_large_as_browsers_take_them_are_read() {
    let cookies = format!("set-cookie: a={}\r\n", "b".repeat(290)).repeat(60);
    let lines: String = (0..900)
        .map(|n| format!("x-{n}: {}\r\n", "v".repeat(270)))
        .collect();
    for headers in [format!("x: {}\r\n", "y".repeat(20_000)), cookies, lines] {
        let server = answering(head(200, &headers)).await;
        let outcome = look(&server.url("/")).await;
        assert_eq!(
            found(&outcome),
            (Status::Up, String::new()),
            "{}",
            headers.len()
        );
    }
}

#[tokio::test]
async fn bodies_are_not_decompressed_so_no_bomb_goes_off_and_no_broken_one_matters() {
    for encoding in ["gzip", "br", "deflate", "gzip, gzip", "unheard-of"] {
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\ncontent-length: 7\r\n\r\nno code"
        );
        let server = answering(answer).await;
        assert_eq!(
            found(&look(&server.url("/")).await),
            (Status::Up, String::new()),
            "{encoding}"
        );
    }
}

#[tokio::test]
async fn what_browsers_put_up_with_is_an_answer() {
    for answer in [
        // No length, ended by closing; HTTP/1.0; only line feeds; no reason phrase; a broken header; a bare answer.
        "HTTP/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\n\nhello",
        "HTTP/1.1 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbro ken: yes\r\nx y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nserver : old\r\n\r\n",
        "HTTP/1.1 200 OK\r\nserver: very\r\n  old\r\n\r\n",
        // Lower case; an answer of old with chunks that are none; a length below zero.
        "http/1.1 200 OK\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nhello",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let server = serve(move |mut peer| async move {
            peer.head().await;
            peer.stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        assert_eq!(
            found(&look(&server.url("/")).await),
            (Status::Up, String::new()),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_with_a_sentence() {
    let prober = Prober::new(ClientSettings {
        user_agent_url: Some("https://x\n".into()),
        ..settings()
    });
    assert!(
        prober
            .unwrap_err()
            .to_string()
            .contains("check the public URL")
    );
    let prober = Prober::new(ClientSettings {
        names: names(),
        ..ClientSettings::default()
    });
    assert!(prober.is_ok());
}
