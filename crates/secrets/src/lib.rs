//! Seals secrets before they are stored, and opens them again.
//!
//! XChaCha20-Poly1305 with a random nonce. The key is derived by HKDF-SHA256 from the secret key of
//! the installation, for this purpose alone. A sealed secret is bound to its table, row and field:
//! copied to another place it does not open. Knows nothing of databases or of what is sealed.

#![warn(missing_docs)]

mod key;

use chacha20poly1305::aead::{Aead, AeadCore, OsRng, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use key::{KEY_ID_LEN, SealingKey};
use uuid::Uuid;
use zeroize::Zeroizing;

/// The first byte of a sealed secret: how the rest is to be read.
const FORMAT: u8 = 1;

/// The length of a nonce of XChaCha20.
const NONCE_LEN: usize = 24;

/// The length of the header before the ciphertext.
const HEADER_LEN: usize = 1 + KEY_ID_LEN + NONCE_LEN;

/// Where a secret is stored. Part of the seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretContext<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The row's id.
    pub row: Uuid,
    /// The column or field.
    pub field: &'a str,
}

impl SecretContext<'_> {
    /// The associated data. Lengths keep two places apart whose names run together.
    fn associated_data(&self) -> Vec<u8> {
        let mut data = Vec::new();
        for part in [
            self.table.as_bytes(),
            self.row.as_bytes(),
            self.field.as_bytes(),
        ] {
            data.extend_from_slice(&(part.len() as u64).to_be_bytes());
            data.extend_from_slice(part);
        }
        data
    }
}

/// Why a sealed secret cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// It was sealed with neither the present nor the previous key.
    #[error(
        "it was sealed with another secret key: set that one as PULSECHECK_PREVIOUS_SECRET_KEY, or enter the secret again"
    )]
    UnknownKey,
    /// It was changed, or belongs to another row.
    #[error("it was changed or belongs to another row: enter the secret again")]
    Corrupt,
}

/// Seals with the present key; opens with the present or the previous one.
pub struct Sealer {
    present: SealingKey,
    previous: Option<SealingKey>,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// A sealer whose keys are derived from the secret keys of the installation.
    #[must_use]
    pub fn new(secret_key: &str, previous_secret_key: Option<&str>) -> Self {
        Self {
            present: SealingKey::derive(secret_key),
            previous: previous_secret_key.map(SealingKey::derive),
        }
    }

    /// Seals `secret` for `place`.
    #[must_use]
    pub fn seal(&self, place: &SecretContext<'_>, secret: &[u8]) -> Vec<u8> {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let payload = Payload {
            msg: secret,
            aad: &place.associated_data(),
        };
        let ciphertext = self
            .present
            .cipher
            .encrypt(&nonce, payload)
            .expect("a secret is far shorter than the cipher's limit");
        let mut sealed = Vec::with_capacity(HEADER_LEN + ciphertext.len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.present.id);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&ciphertext);
        sealed
    }

    /// Opens what was sealed for `place`. The opened secret is wiped from memory when it is dropped.
    ///
    /// # Errors
    /// [`OpenError`] when the key is unknown, or the secret was changed or moved.
    pub fn open(
        &self,
        place: &SecretContext<'_>,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let sealed = parse(sealed)?;
        let key = [Some(&self.present), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|key| key.id == sealed.key_id)
            .ok_or(OpenError::UnknownKey)?;
        let payload = Payload {
            msg: sealed.ciphertext,
            aad: &place.associated_data(),
        };
        key.cipher
            .decrypt(&XNonce::from(sealed.nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| OpenError::Corrupt)
    }

    /// Whether it was sealed with the present key.
    #[must_use]
    pub fn is_present(&self, sealed: &[u8]) -> bool {
        parse(sealed).is_ok_and(|sealed| sealed.key_id == self.present.id)
    }

    /// Seals anew what the previous key sealed; `None` when the present key sealed it already.
    ///
    /// # Errors
    /// As [`Sealer::open`].
    pub fn reseal(
        &self,
        place: &SecretContext<'_>,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, OpenError> {
        if self.is_present(sealed) {
            return Ok(None);
        }
        Ok(Some(self.seal(place, &self.open(place, sealed)?)))
    }
}

/// The parts of a sealed secret.
struct Sealed<'a> {
    key_id: [u8; KEY_ID_LEN],
    nonce: [u8; NONCE_LEN],
    ciphertext: &'a [u8],
}

fn parse(sealed: &[u8]) -> Result<Sealed<'_>, OpenError> {
    let (&format, rest) = sealed.split_first().ok_or(OpenError::Corrupt)?;
    let (id, rest) = rest.split_first_chunk().ok_or(OpenError::Corrupt)?;
    let (nonce, ciphertext) = rest.split_first_chunk().ok_or(OpenError::Corrupt)?;
    if format != FORMAT {
        return Err(OpenError::Corrupt);
    }
    Ok(Sealed {
        key_id: *id,
        nonce: *nonce,
        ciphertext,
    })
}
