//! Targets that fail, and whether the cause is named right.

use crate::server::{flood, head, serve, until_closed};
use crate::{found, look, prober, settings, target};
use domain::{Cause, Status};
use monitors::Prober;
use net::{ClientSettings, LookupSource};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

#[tokio::test]
async fn a_port_where_nothing_listens_refuses() {
    let listener = TcpListener::bind((crate::LOCAL, 0)).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let outcome = look(&url).await;
    assert_eq!(found(&outcome), (Status::Down, "connection refused".into()));
    assert_eq!(
        (
            outcome.status_code,
            outcome.response_time_ms,
            outcome.phases.first_byte_ms
        ),
        (None, None, None)
    );
    assert!(outcome.phases.connect_ms.is_some());
}

#[tokio::test]
async fn names_fail_in_their_own_ways() {
    for (host, status, sentence) in [
        (
            "nowhere.test",
            Status::Down,
            "name does not resolve: nowhere.test",
        ),
        (
            "flaky.test",
            Status::Down,
            "looking up flaky.test failed: the name servers gave no answer",
        ),
        (
            "unlucky.test",
            Status::Unknown,
            "not checked: out of memory",
        ),
    ] {
        let outcome = look(&format!("http://{host}/")).await;
        assert_eq!(found(&outcome), (status, sentence.to_owned()));
        assert!(outcome.phases.dns_ms.is_some());
        assert_eq!(outcome.phases.connect_ms, None, "no connection was tried");
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_was_reset_or_closed() {
    let server = serve(|mut peer| async move {
        peer.head().await;
        peer.stream.set_zero_linger().unwrap();
    })
    .await;
    assert_eq!(
        found(&look(&server.url("/")).await),
        (Status::Down, "connection reset by the server".into())
    );

    for part in ["", "HTTP/1.1 20", "HTTP/1.1 200 OK\r\nserver: x\r\n"] {
        let server = serve(move |mut peer| async move {
            peer.head().await;
            peer.stream.write_all(part.as_bytes()).await.unwrap();
        })
        .await;
        let closed = "connection closed before an answer came".into();
        assert_eq!(
            found(&look(&server.url("/")).await),
            (Status::Down, closed),
            "{part:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_http_is_called_so() {
    for bytes in [
        "220 mail.example ESMTP\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "<html>hello</html>\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 99 Low\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnot a chunk\r\n",
    ] {
        let server = serve(move |mut peer| async move {
            peer.head().await;
            peer.stream.write_all(bytes.as_bytes()).await.unwrap();
            until_closed(&mut peer.stream).await;
        })
        .await;
        let outcome = look(&server.url("/")).await;
        assert_eq!(outcome.status, Status::Down);
        assert!(
            matches!(outcome.cause, Some(Cause::NotHttp { .. })),
            "{bytes:?}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_speaks_first_is_not_http_either() {
    let server = serve(|mut peer| async move {
        let _ = peer.stream.write_all(b"220 mail.example ESMTP\r\n").await;
        until_closed(&mut peer.stream).await;
    })
    .await;
    let outcome = look(&server.url("/")).await;
    assert!(
        matches!(outcome.cause, Some(Cause::NotHttp { .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn endless_headers_are_cut_off_and_the_connection_with_them() {
    let mut server = serve(|mut peer| async move {
        peer.head().await;
        peer.stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        flood(
            &mut peer.stream,
            b"x-filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
        )
        .await;
    })
    .await;
    let outcome = look(&server.url("/")).await;
    let sentence =
        "the headers of the answer are too large: at most 512 KiB in 2,000 lines are read";
    assert_eq!(found(&outcome), (Status::Down, sentence.into()));
    server.end().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_keeps_its_code_but_has_no_time() {
    for (reset, start) in [
        (
            false,
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",
        ),
        (
            false,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nonly ",
        ),
        (
            true,
            "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this",
        ),
    ] {
        let server = serve(move |mut peer| async move {
            peer.head().await;
            peer.stream.write_all(start.as_bytes()).await.unwrap();
            if reset {
                peer.stream.set_zero_linger().unwrap();
            }
        })
        .await;
        let outcome = look(&server.url("/")).await;
        // A reset may overtake what was sent before it.
        let allowed = match outcome.cause {
            Some(Cause::AnswerCutOff) => outcome.status_code == Some(200),
            Some(Cause::ConnectionReset) => reset,
            _ => false,
        };
        assert!(allowed, "{start:?}: {outcome:?}");
        assert_eq!(
            (outcome.status, outcome.response_time_ms),
            (Status::Down, None)
        );
    }
}

#[tokio::test]
async fn a_code_that_was_not_expected_weighs_more_than_the_body_behind_it() {
    let server = serve(|mut peer| async move {
        peer.head().await;
        peer.stream
            .write_all(b"HTTP/1.1 500 Oh\r\ncontent-length: 9\r\n\r\nx")
            .await
            .unwrap();
    })
    .await;
    let outcome = look(&server.url("/")).await;
    assert_eq!(
        found(&outcome),
        (Status::Down, "answered 500, expected 200-299".into())
    );
    assert_eq!(
        (outcome.status_code, outcome.response_time_ms),
        (Some(500), None)
    );
}

#[tokio::test]
async fn the_time_limit_names_the_phase_that_it_struck_in_and_closes_the_connection() {
    let cases = [
        ("", "http", "while waiting for the answer"),
        (
            "HTTP/1.1 200 OK\r\nserver: ",
            "http",
            "while waiting for the answer",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx",
            "http",
            "while reading the answer",
        ),
        ("", "https", "during the TLS handshake"),
    ];
    let checks = cases.map(|(start, scheme, words)| async move {
        let mut server = serve(move |mut peer| async move {
            if !start.is_empty() {
                peer.head().await;
                peer.stream.write_all(start.as_bytes()).await.unwrap();
            }
            until_closed(&mut peer.stream).await;
        })
        .await;
        let mut target = target(&format!("{scheme}://{}/", server.address));
        target.timeout = Duration::from_millis(1000);
        let outcome = prober().check(&target).await;
        assert_eq!(
            found(&outcome),
            (Status::Down, format!("no answer within 1,000 ms, {words}")),
            "{start:?}"
        );
        assert_eq!(outcome.response_time_ms, None);
        server.end().await;
    });
    futures::future::join_all(checks).await;
}

#[tokio::test]
async fn a_host_that_ignores_connections_runs_into_the_time_limit_while_connecting() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts, so the system stops answering when the queue is full.
    let mut queue = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
    {
        queue.push(stream.unwrap());
    }
    let mut target = target(&format!("http://{address}/"));
    target.timeout = Duration::from_millis(300);
    let outcome = prober().check(&target).await;
    assert_eq!(
        found(&outcome),
        (
            Status::Down,
            "no answer within 300 ms, while connecting".into()
        )
    );
    assert_eq!(outcome.phases.first_byte_ms, None);
}

#[tokio::test]
async fn a_silent_name_server_runs_into_the_time_limit_while_looking_up() {
    let prober = Prober::new(ClientSettings {
        names: LookupSource::Never,
        ..settings()
    })
    .unwrap();
    let mut target = target("http://good.test/");
    target.timeout = Duration::from_millis(50);
    let outcome = prober.check(&target).await;
    assert_eq!(
        found(&outcome),
        (
            Status::Down,
            "no answer within 50 ms, while looking up the name".into()
        )
    );
    assert!(outcome.phases.dns_ms.unwrap() >= 49);
    assert_eq!(outcome.phases.connect_ms, None);
}

#[tokio::test]
async fn endless_interim_answers_are_cut_off_and_the_connection_with_them() {
    for interim in [
        "HTTP/1.1 102 Processing\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        let mut server = serve(move |mut peer| async move {
            peer.head().await;
            flood(&mut peer.stream, interim.as_bytes()).await;
        })
        .await;
        let outcome = look(&server.url("/")).await;
        let sentence = "no answer came, only 256 KiB of what may precede one";
        assert_eq!(
            found(&outcome),
            (Status::Down, sentence.into()),
            "{interim}"
        );
        server.end().await;
    }
}

#[tokio::test]
async fn endless_chunk_framing_is_cut_off_and_the_connection_with_it() {
    let extensions = format!("1;{}\r\nx\r\n", "y".repeat(4000));
    for (start, piece) in [
        ("5;", "x".repeat(4096)),
        ("", extensions),
        ("", "0".repeat(4096)),
        ("5\r\nhello\r\n0\r\n", "x-trailer: yes\r\n".repeat(100)),
    ] {
        let mut server = serve(move |mut peer| {
            let piece = piece.clone();
            async move {
                peer.head().await;
                let head = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{start}");
                peer.stream.write_all(head.as_bytes()).await.unwrap();
                flood(&mut peer.stream, piece.as_bytes()).await;
            }
        })
        .await;
        let outcome = look(&server.url("/")).await;
        assert_eq!(
            (outcome.status, outcome.status_code),
            (Status::Down, Some(200)),
            "{start}"
        );
        assert!(
            matches!(outcome.cause, Some(Cause::NotHttp { .. })),
            "{outcome:?}"
        );
        server.end().await;
    }
}

#[tokio::test]
async fn checks_that_run_at_once_do_not_mix_their_notes() {
    let good = serve(|mut peer| async move { peer.answer(head(200, "")).await }).await;
    let bad = serve(|mut peer| async move { peer.answer(head(500, "")).await }).await;
    let prober = prober();
    let checks = (0..200).map(|n| {
        let url = match n % 3 {
            0 => good.url("/"),
            1 => bad.url("/"),
            _ => "http://nowhere.test/".into(),
        };
        let prober = prober.clone();
        async move { (n % 3, prober.check(&target(&url)).await) }
    });
    // All in one task, so that every record is swapped in and out many times.
    for (kind, outcome) in futures::future::join_all(checks).await {
        match kind {
            0 => assert_eq!(
                (outcome.status, outcome.phases.dns_ms),
                (Status::Up, None),
                "{outcome:?}"
            ),
            1 => assert_eq!(
                (outcome.status_code, outcome.phases.dns_ms),
                (Some(500), None),
                "{outcome:?}"
            ),
            _ => assert_eq!(
                (outcome.status_code, outcome.phases.connect_ms),
                (None, None),
                "{outcome:?}"
            ),
        }
    }
}
