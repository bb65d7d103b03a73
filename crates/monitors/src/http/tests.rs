use super::*;
use std::time::Duration;

#[test]
fn a_full_lookup_queue_says_nothing_about_the_target() {
    let settings = Http {
        url: "http://target.test/".into(),
        ..Http::default()
    };
    let target = HttpTarget::parse(&settings).unwrap();
    let deadline = Deadline {
        at: tokio::time::Instant::now(),
        timeout: Duration::from_secs(5),
    };
    let mut seen = Exchange::start().into_inner();
    seen.waits_for_lookup = true;
    let ended = Err(timed_out(deadline, &seen).into());
    assert_eq!(judge(&target, ended, 5000, &seen).status, Status::Unknown);
    seen.waits_for_lookup = false;
    let ended = Err(timed_out(deadline, &seen).into());
    assert_eq!(judge(&target, ended, 5000, &seen).status, Status::Down);
}

/// What is wrong with settings after `change`, or the normal form.
fn validate(change: impl FnOnce(&mut Http)) -> Result<Http, Vec<FieldError>> {
    let mut settings = Http {
        url: "https://example.com".into(),
        ..Http::default()
    };
    change(&mut settings);
    let errors = settings.normalize();
    if errors.is_empty() {
        Ok(settings)
    } else {
        Err(errors)
    }
}

#[test]
fn settings_that_nobody_chose_are_not_stored() {
    let chosen = |max_redirects: i32, read_body: &str| {
        let settings = Http {
            max_redirects,
            read_body: read_body.into(),
            ..Http::default()
        };
        let json = serde_json::to_value(&settings).unwrap();
        assert_eq!(
            serde_json::from_value::<Http>(json.clone()).unwrap(),
            settings
        );
        json
    };
    let default = chosen(10, "auto");
    assert_eq!(default.as_object().unwrap().len(), 2, "{default}");
    let other = chosen(0, "headOnly");
    assert_eq!((&other["maxRedirects"], &other["readBody"]), (&0.into(), &"headOnly".into()));
}

#[test]
fn good_settings_are_brought_to_their_normal_form() {
    let valid = validate(|settings| {
        settings.url = " EXAMPLE.com/x?q=1 ".into();
        settings.expected_status = "200-299, 301".into();
    })
    .unwrap();
    assert_eq!(valid.url, "https://example.com/x?q=1");
    assert_eq!(valid.expected_status, "200-299,301");
    assert_eq!(valid.host(), "example.com");
}

#[test]
fn an_address_without_a_scheme_may_be_read_in_two_ways_unless_it_is_local() {
    let candidates = |url: &str| -> Vec<String> {
        let settings = Http {
            url: url.into(),
            ..Http::default()
        };
        let candidates = settings.candidates().into_iter();
        candidates.map(|candidate| candidate.url).collect()
    };
    assert_eq!(
        candidates(" example.com:8080/x "),
        ["https://example.com:8080/x", "http://example.com:8080/x"]
    );
    for one_way in [
        "http://example.com",
        "https://example.com",
        "localhost:3000",
        "192.168.1.7",
        "not an address",
        "",
    ] {
        assert!(candidates(one_way).is_empty(), "{one_way}");
    }
}

#[test]
fn each_wrong_field_is_named_with_what_was_found() {
    type Change = fn(&mut Http);
    let cases: [(Change, &str, &str); 7] = [
        (|s| s.url = " ".into(), "url", "give the address to check"),
        (
            |s| s.url = "https://".into(),
            "url",
            "is not an address (empty host): write it as https://example.com/health",
        ),
        (
            |s| s.url = "ftp://x.org".into(),
            "url",
            "has the scheme ftp: only http and https can be checked",
        ),
        (
            |s| s.expected_status = "ok".into(),
            "expectedStatus",
            "\"ok\" is not a status code between 100 and 599, or a range such as 200-299",
        ),
        (
            |s| s.max_redirects = 21,
            "maxRedirects",
            "must be between 0 and 20, got 21",
        ),
        (
            |s| s.max_redirects = -1,
            "maxRedirects",
            "must be between 0 and 20, got -1",
        ),
        (
            |s| s.read_body = "half".into(),
            "readBody",
            "must be auto, whole or headOnly, got \"half\"",
        ),
    ];
    for (change, field, message) in cases {
        assert_eq!(
            validate(change).unwrap_err(),
            [FieldError::new(field, message)]
        );
    }
}
