//! Sealing and opening: what comes back, and what is refused.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use secrets::{OpenError, Sealer, SecretContext};
use uuid::Uuid;

const OLD_KEY: &str = "0123456789abcdef0123456789abcdef";
const NEW_KEY: &str = "fedcba9876543210fedcba9876543210";

const PLACE: SecretContext<'static> = SecretContext {
    table: "services",
    row: Uuid::from_u128(7),
    field: "secrets",
};

#[test]
fn a_sealed_secret_opens_at_its_place_only() {
    let sealer = Sealer::new(OLD_KEY, None);
    let sealed = sealer.seal(&PLACE, b"hunter2");
    assert_eq!(&**sealer.open(&PLACE, &sealed).unwrap(), b"hunter2");
    let elsewhere = [
        SecretContext {
            table: "channels",
            ..PLACE
        },
        SecretContext {
            row: Uuid::from_u128(8),
            ..PLACE
        },
        SecretContext {
            field: "settings",
            ..PLACE
        },
    ];
    for place in elsewhere {
        assert_eq!(
            sealer.open(&place, &sealed).unwrap_err(),
            OpenError::Corrupt,
            "{place:?}"
        );
    }
}

#[test]
fn names_that_run_together_are_different_places() {
    let sealer = Sealer::new(OLD_KEY, None);
    let place = |table, field| SecretContext {
        table,
        field,
        ..PLACE
    };
    let sealed = sealer.seal(&place("ab", "c"), b"x");
    assert_eq!(
        sealer.open(&place("a", "bc"), &sealed).unwrap_err(),
        OpenError::Corrupt
    );
}

#[test]
fn every_changed_bit_is_noticed() {
    let sealer = Sealer::new(OLD_KEY, None);
    let sealed = sealer.seal(&PLACE, b"hunter2");
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(sealer.open(&PLACE, &changed).is_err(), "bit {bit}");
    }
    for length in 0..sealed.len() {
        assert!(
            sealer.open(&PLACE, &sealed[..length]).is_err(),
            "cut to {length} bytes"
        );
    }
}

#[test]
fn the_same_secret_is_sealed_differently_each_time() {
    let sealer = Sealer::new(OLD_KEY, None);
    assert_ne!(
        sealer.seal(&PLACE, b"hunter2"),
        sealer.seal(&PLACE, b"hunter2")
    );
}

#[test]
fn the_previous_key_opens_and_the_present_one_seals_anew() {
    let sealed = Sealer::new(OLD_KEY, None).seal(&PLACE, b"hunter2");
    let rotated = Sealer::new(NEW_KEY, Some(OLD_KEY));
    assert_eq!(&**rotated.open(&PLACE, &sealed).unwrap(), b"hunter2");
    assert!(!rotated.is_present(&sealed));

    let resealed = rotated.reseal(&PLACE, &sealed).unwrap().unwrap();
    assert!(rotated.is_present(&resealed));
    assert_eq!(rotated.reseal(&PLACE, &resealed).unwrap(), None);

    let new_key_only = Sealer::new(NEW_KEY, None);
    assert_eq!(&**new_key_only.open(&PLACE, &resealed).unwrap(), b"hunter2");
    assert_eq!(
        new_key_only.open(&PLACE, &sealed).unwrap_err(),
        OpenError::UnknownKey
    );
    assert_eq!(
        new_key_only.reseal(&PLACE, &sealed).unwrap_err(),
        OpenError::UnknownKey
    );
}

#[test]
fn nothing_of_keys_or_secrets_is_printed() {
    let sealer = Sealer::new(OLD_KEY, Some(NEW_KEY));
    assert_eq!(format!("{sealer:?}"), "Sealer");
    let sealed = sealer.seal(&PLACE, b"hunter2");
    let text = String::from_utf8_lossy(&sealed);
    assert!(!text.contains("hunter2") && !text.contains(OLD_KEY));
}

proptest! {
    #[test]
    fn whatever_is_sealed_comes_back(secret: Vec<u8>, row: u128, table in "[a-z]{0,9}") {
        let (sealer, row) = (Sealer::new(OLD_KEY, None), Uuid::from_u128(row));
        let place = SecretContext { table: &table, row, field: "secrets" };
        prop_assert_eq!(sealer.open(&place, &sealer.seal(&place, &secret)).unwrap().to_vec(), secret);
    }

    #[test]
    fn no_bytes_make_it_panic(sealed: Vec<u8>) {
        prop_assert!(Sealer::new(OLD_KEY, None).open(&PLACE, &sealed).is_err());
    }
}
