//! Redirects: how far, where to, and never past the guard.

use crate::server::{Server, answering, head, serve};
use crate::{expect_codes, found, look, prober, settings, target};
use domain::{Cause, Status};
use monitors::{Monitor, Prober, Target};
use net::{ClientSettings, Guard};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Redirects `/n` to `/n-1` with every code in turn, and answers `/0`.
async fn countdown() -> Server {
    serve(|mut peer| async move {
        let request = peer.head().await;
        let left: usize = request.split([' ', '/']).nth(2).unwrap().parse().unwrap();
        let answer = match left {
            0 => head(200, ""),
            left => head(
                [301, 302, 303, 307, 308][left % 5],
                &format!("location: /{}\r\n", left - 1),
            ),
        };
        peer.stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await
}

async fn redirecting(location: &str) -> Server {
    answering(head(302, &format!("location: {location}\r\n"))).await
}

fn set_max_redirects(target: &mut Target, limit: i32) {
    if let Monitor::Http(http) = &mut target.monitor {
        http.max_redirects = limit;
    }
}

#[tokio::test]
async fn ten_redirects_are_followed_and_an_eleventh_is_not() {
    let mut server = countdown().await;
    let outcome = look(&server.url("/10")).await;
    assert_eq!(
        (found(&outcome), outcome.status_code),
        ((Status::Up, String::new()), Some(200))
    );
    assert_eq!(server.connections(), 11);
    for _ in 0..11 {
        let sent = server.head().await.to_lowercase();
        assert!(!sent.contains("referer:"), "{sent}");
    }
    let outcome = look(&server.url("/11")).await;
    let sentence = format!(
        "more than 10 redirects, the last one to {}",
        server.url("/0")
    );
    assert_eq!(found(&outcome), (Status::Down, sentence));
    assert_eq!(
        (outcome.status_code, outcome.response_time_ms),
        (Some(302), None)
    );
    assert_eq!(server.connections(), 22);
}

#[tokio::test]
async fn the_number_of_redirects_can_be_chosen() {
    let server = countdown().await;
    for (limit, path, sentence) in [
        (20, "/20", String::new()),
        (1, "/1", String::new()),
        (
            1,
            "/2",
            format!("more than 1 redirect, the last one to {}", server.url("/0")),
        ),
        (0, "/1", "answered 302, expected 200-299".into()),
        (0, "/0", String::new()),
    ] {
        let mut target = target(&server.url(path));
        set_max_redirects(&mut target, limit);
        let outcome = prober().check(&target).await;
        assert_eq!(found(&outcome).1, sentence, "{limit} {path}");
    }
}

#[tokio::test]
async fn a_redirect_to_itself_ends() {
    let server = redirecting("/").await;
    let last = server.url("/");
    assert_eq!(
        look(&server.url("/")).await.cause,
        Some(Cause::TooManyRedirects { limit: 10, last })
    );
}

#[tokio::test]
async fn cookies_live_for_one_visit_and_no_longer() {
    let mut server = serve(|mut peer| async move {
        let answer = if peer.head().await.contains("cookie: sid=1\r\n") {
            head(200, "")
        } else {
            head(302, "set-cookie: sid=1; Path=/\r\nlocation: /\r\n")
        };
        peer.stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let prober = prober();
    for _ in 0..2 {
        let outcome = prober.check(&target(&server.url("/"))).await;
        assert_eq!(found(&outcome), (Status::Up, String::new()));
        assert!(!server.head().await.contains("cookie:"));
        assert!(server.head().await.contains("cookie: sid=1\r\n"));
    }
}

#[tokio::test]
async fn cookies_do_not_follow_to_another_host() {
    let mut end = answering(head(200, "")).await;
    let port = end.address.port();
    let server = serve(move |mut peer| async move {
        let location = format!("set-cookie: a=b\r\nlocation: http://other.test:{port}/\r\n");
        peer.answer(head(302, &location)).await;
    })
    .await;
    let url = format!("http://good.test:{}/", server.address.port());
    assert_eq!(found(&look(&url).await), (Status::Up, String::new()));
    assert!(!end.head().await.contains("cookie:"));
}

#[tokio::test]
async fn locations_of_any_bytes_are_escaped_as_browsers_do() {
    for (location, asked) in [
        (&b"/caf\xe9"[..], "GET /caf%E9 "),
        ("/caf\u{e9}".as_bytes(), "GET /caf%C3%A9 "),
        (b"/a b", "GET /a%20b "),
        (b"  /a\t", "GET /a "),
        (b"/a#b", "GET /a "),
        (b"?q=\xff", "GET /?q=%FF "),
        (b"/100%", "GET /100% "),
        (b"../../x", "GET /x "),
    ] {
        let line = [b"location: ", location, b"\r\n"].concat();
        let mut server = serve(move |mut peer| {
            let line = line.clone();
            async move {
                if peer.number == 0 {
                    let answer = [b"HTTP/1.1 302 x\r\n", &line[..], b"\r\n"].concat();
                    peer.head().await;
                    peer.stream.write_all(&answer).await.unwrap();
                } else {
                    peer.answer(head(200, "")).await;
                }
            }
        })
        .await;
        let outcome = look(&server.url("/")).await;
        assert_eq!(found(&outcome), (Status::Up, String::new()), "{asked}");
        server.head().await;
        assert!(server.head().await.starts_with(asked), "{asked}");
    }
}

#[tokio::test]
async fn different_locations_are_not_chosen_from() {
    let server = answering(head(302, "location: /a\r\nlocation: /b\r\n")).await;
    assert_eq!(
        found(&look(&server.url("/")).await).1,
        "redirect to an address that cannot be followed: \"/a and /b\""
    );
}

#[tokio::test]
async fn a_redirect_that_is_expected_is_the_answer() {
    let server = redirecting("http://nowhere.test/").await;
    let mut target = target(&server.url("/"));
    expect_codes(&mut target, "200-299,302");
    let outcome = prober().check(&target).await;
    assert_eq!(
        (outcome.status, outcome.status_code),
        (Status::Up, Some(302))
    );
    assert!(outcome.response_time_ms.is_some());
}

#[tokio::test]
async fn locations_are_read_as_browsers_read_them() {
    let end = answering(head(200, "")).await;
    let port = end.address.port();
    for location in [
        format!("http://{}/", end.address),
        format!("//{}/", end.address),
        format!("http://other.test:{port}/"),
        format!("HTTP://OTHER.test:{port}/#fragment"),
        format!("http:\\\\other.test:{port}\\"),
        format!("http://user:secret@other.test:{port}/"),
        format!("http://2130706433:{port}/"),
    ] {
        let server = redirecting(&location).await;
        assert_eq!(
            found(&look(&server.url("/")).await),
            (Status::Up, String::new()),
            "{location}"
        );
    }
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_a_fault_of_the_target() {
    for (headers, sentence) in [
        ("", "redirect without an address"),
        ("location: \r\n", "redirect without an address"),
        (
            "location: http://[::1\r\n",
            "redirect to an address that cannot be followed: \"http://[::1\"",
        ),
        (
            "location: ftp://other.test/\r\n",
            "redirect to an address that cannot be followed: \"ftp://other.test/\"",
        ),
        (
            "location: file:///etc/passwd\r\n",
            "redirect to an address that cannot be followed: \"file:///etc/passwd\"",
        ),
        (
            "location: javascript:alert(1)\r\n",
            "redirect to an address that cannot be followed: \"javascript:alert(1)\"",
        ),
        (
            "location: http://nowhere.test/\r\n",
            "name does not resolve: nowhere.test",
        ),
    ] {
        let server = answering(head(301, headers)).await;
        let outcome = look(&server.url("/")).await;
        assert_eq!(
            found(&outcome),
            (Status::Down, sentence.to_owned()),
            "{headers}"
        );
    }
    let endless = format!("http://other.test/{}", "x".repeat(10_000));
    let server = redirecting(&endless).await;
    let sentence = found(&look(&server.url("/")).await).1;
    assert_eq!(
        sentence,
        format!(
            "redirect to an address that cannot be followed: \"{}\"",
            &endless[..200]
        )
    );
}

#[tokio::test]
async fn each_hop_passes_the_guard_by_its_address_and_by_its_name() {
    for location in [
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9.254.0251.0xfe/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://0.0.0.0/",
        "http://good.test@169.254.169.254/",
    ] {
        let server = redirecting(location).await;
        let outcome = look(&server.url("/")).await;
        assert_eq!(outcome.status, Status::Unknown, "{location}");
        assert!(
            matches!(outcome.cause, Some(Cause::AddressRefused { .. })),
            "{location}: {outcome:?}"
        );
        assert_eq!(outcome.response_time_ms, None);
    }
    for host in ["metadata.test", "mixed.test"] {
        let server = redirecting(&format!("http://{host}/")).await;
        let outcome = look(&server.url("/")).await;
        assert_eq!(
            outcome.cause,
            Some(Cause::NameRefused { host: host.into() })
        );
        assert_eq!(outcome.status, Status::Unknown);
    }
}

#[tokio::test]
async fn what_the_guard_refuses_is_never_connected_to() {
    let server = answering(head(200, "")).await;
    let port = server.address.port();
    let prober = Prober::new(ClientSettings {
        guard: Guard::PublicOnly,
        ..settings()
    })
    .unwrap();
    for (host, sentence) in [
        (
            "127.0.0.1",
            "not checked: 127.0.0.1 is a private or reserved address, which this server does not allow",
        ),
        (
            "0x7f.1",
            "not checked: 127.0.0.1 is a private or reserved address, which this server does not allow",
        ),
        (
            "[::1]",
            "not checked: ::1 is a private or reserved address, which this server does not allow",
        ),
        (
            "LOCALHOST.",
            "not checked: localhost. resolves to a private or reserved address, which this server does not allow",
        ),
        (
            "good.test",
            "not checked: good.test resolves to a private or reserved address, which this server does not allow",
        ),
        (
            "mixed.test",
            "not checked: mixed.test resolves to a private or reserved address, which this server does not allow",
        ),
    ] {
        let outcome = prober
            .check(&target(&format!("http://{host}:{port}/")))
            .await;
        assert_eq!(found(&outcome), (Status::Unknown, sentence.to_owned()));
        assert_eq!(outcome.phases.connect_ms, None, "{host}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn one_time_limit_spans_all_hops() {
    let server = serve(|mut peer| async move {
        peer.head().await;
        tokio::time::sleep(Duration::from_millis(400)).await;
        peer.stream
            .write_all(head(302, "location: /again\r\n").as_bytes())
            .await
            .unwrap();
    })
    .await;
    let mut target = target(&server.url("/"));
    target.timeout = Duration::from_millis(1000);
    let outcome = prober().check(&target).await;
    assert_eq!(
        found(&outcome),
        (
            Status::Down,
            "no answer within 1,000 ms, while waiting for the answer".into()
        )
    );
    assert!(server.connections() >= 2);
}
