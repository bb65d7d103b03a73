#![allow(clippy::unwrap_used)]

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn check(guard: Guard, url: &str) -> Result<(), Refused> {
    guard.check_url(&Url::parse(url).unwrap())
}

const PUBLIC: [&str; 10] = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "172.15.255.255",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:831::200e",
    "2001:4860:4860::8888",
];

/// Private or reserved, but allowed with `AllowPrivate`.
const PRIVATE: [&str; 40] = [
    "0.0.0.1",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "240.0.0.1",
    "255.255.255.254",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:10.0.0.1",
    "::127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::a00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001:0:808:808::1",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
];

const NEVER: [&str; 25] = [
    "0.0.0.0",
    "169.254.0.1",
    "169.254.42.42",
    "169.254.169.254",
    "fd00:42::42",
    "169.254.170.2",
    "169.254.170.23",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "224.0.0.1",
    "239.255.255.255",
    "255.255.255.255",
    "::",
    "::ffff:0.0.0.0",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    // Teredo: by its server, and by its client.
    "2001:0:a9fe:a9fe::1",
    "2001:0:808:808:0:0:5601:5601",
    "fd00:ec2::254",
    "ff02::1",
];

#[test]
fn addresses_are_sorted_into_public_private_and_never() {
    for (addresses, public_only, allow_private) in [
        (&PUBLIC[..], true, true),
        (&PRIVATE[..], false, true),
        (&NEVER[..], false, false),
    ] {
        for address in addresses {
            assert_eq!(
                Guard::PublicOnly.check_ip(ip(address)).is_ok(),
                public_only,
                "{address}, public only"
            );
            assert_eq!(
                Guard::AllowPrivate.check_ip(ip(address)).is_ok(),
                allow_private,
                "{address}, private allowed"
            );
        }
    }
}

#[test]
fn an_address_is_known_however_it_is_written() {
    for (url, address) in [
        ("http://2130706433/", "127.0.0.1"),
        ("http://017700000001/", "127.0.0.1"),
        ("http://0x7f000001/", "127.0.0.1"),
        ("http://0177.0.0.1/", "127.0.0.1"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://0X7F.0.0.0x1/", "127.0.0.1"),
        ("http://127.1/", "127.0.0.1"),
        ("http://127.0.0.1./", "127.0.0.1"),
        ("http://127.0.1/", "127.0.0.1"),
        ("http://10.0x10/", "10.0.0.16"),
        ("http://0/", "0.0.0.0"),
        ("http://0.0.0.0:8080/", "0.0.0.0"),
        ("http://%31%32%37.0.0.1/", "127.0.0.1"),
        ("http://127%2e0%2e0%2e1/", "127.0.0.1"),
        // Full-width digits and stops, circled digits, an ideographic full stop.
        ("http://１２７．０．０．１/", "127.0.0.1"),
        ("http://①②⑦.⓪.⓪.①/", "127.0.0.1"),
        ("http://127。0。0。1/", "127.0.0.1"),
        ("http://public.example@127.0.0.1/", "127.0.0.1"),
        (
            "http://public.example:80@127.0.0.1:8080/@public.example",
            "127.0.0.1",
        ),
        ("http://127.0.0.1#@public.example/", "127.0.0.1"),
        ("http://127.0.0.1\\@public.example/", "127.0.0.1"),
        ("http:\\\\127.0.0.1/", "127.0.0.1"),
        ("http:127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.1\t.\n/", "127.0.0.1"),
        (
            "HTTP://169.254.169.254/latest/meta-data/",
            "169.254.169.254",
        ),
        ("http://2852039166/", "169.254.169.254"),
        ("http://[::]/", "::"),
        ("http://[::1]/", "::1"),
        ("http://[0:0:0:0:0:0:0:1]/", "::1"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:7f00:1"),
        ("http://[::ffff:7f00:1]/", "::ffff:7f00:1"),
        ("http://[::127.0.0.1]/", "::7f00:1"),
        ("http://[64:ff9b::127.0.0.1]/", "64:ff9b::7f00:1"),
        ("http://[64:ff9b:1::10.0.0.1]/", "64:ff9b:1::a00:1"),
        ("http://[2002:7f00:1::]/", "2002:7f00:1::"),
        ("http://[2001:0:7f00:1::]/", "2001:0:7f00:1::"),
        ("http://[fe80::1]/", "fe80::1"),
        ("http://[FD00::1]/", "fd00::1"),
    ] {
        assert_eq!(
            check(Guard::PublicOnly, url),
            Err(Refused::Address(ip(address))),
            "{url}"
        );
    }
}

#[test]
fn names_for_this_machine_are_refused_before_anybody_is_asked() {
    for (url, name) in [
        ("http://localhost/", "localhost"),
        ("http://localhost./", "localhost."),
        ("http://LOCALHOST:8080/", "localhost"),
        ("http://any.localhost/", "any.localhost"),
        ("http://any.localhost./", "any.localhost."),
        ("http://ｌocalhost/", "localhost"),
        ("http://loc%61lhost/", "localhost"),
        ("http://public.example@localhost/", "localhost"),
    ] {
        assert_eq!(
            check(Guard::PublicOnly, url),
            Err(Refused::Name(name.into())),
            "{url}"
        );
        assert_eq!(check(Guard::AllowPrivate, url), Ok(()), "{url}");
    }
}

#[test]
fn other_names_wait_for_their_addresses() {
    for url in [
        "https://example.org/",
        "https://example.org./",
        "https://bücher.example/",
        "https://notlocalhost/",
        "https://localhost.example.org/",
        "https://127.0.0.1.nip.io/",
        "https://127.0.0.1@example.org/",
    ] {
        assert_eq!(check(Guard::PublicOnly, url), Ok(()), "{url}");
    }
}

#[test]
fn only_http_and_https_are_requested() {
    for url in [
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://example.org/",
        "ws://example.org/",
        "data:,x",
    ] {
        for guard in [Guard::PublicOnly, Guard::AllowPrivate] {
            assert!(
                matches!(check(guard, url), Err(Refused::Scheme(_))),
                "{url}"
            );
        }
    }
}

/// Invalid URLs must be rejected by the parser, because they never reach the guard.
#[test]
fn what_is_no_url_stays_none() {
    for text in [
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[::1]evil.example/",
        "http://0x7f.0.0.256/",
        "http://1.2.3.4.5/",
        "http://0x100000000/",
        "http://127.0.0.1 .example/",
        "http:///",
        "http://exa\u{0}mple.org/",
    ] {
        assert!(Url::parse(text).is_err(), "{text}");
    }
}
