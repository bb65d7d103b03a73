//! The sealing key: derived from the secret key of the installation, with an id that may be public.

use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The length of a key's id in a sealed secret.
pub(crate) const KEY_ID_LEN: usize = 8;

/// Separates this use of the secret key from every other one.
const KEY_INFO: &[u8] = b"pulsecheck sealing key v1";

/// As [`KEY_INFO`], for the id, which must not give anything of the key away.
const ID_INFO: &[u8] = b"pulsecheck sealing key id v1";

/// A cipher with its key, and the id that tells which key sealed a secret.
pub(crate) struct SealingKey {
    pub(crate) id: [u8; KEY_ID_LEN],
    pub(crate) cipher: XChaCha20Poly1305,
}

impl SealingKey {
    /// Derives the key and its id from the secret key of the installation.
    pub(crate) fn derive(secret_key: &str) -> Self {
        let hkdf = Hkdf::<Sha256>::new(None, secret_key.as_bytes());
        let mut key = Zeroizing::new([0; 32]);
        let mut id = [0; KEY_ID_LEN];
        let fits = "HKDF-SHA256 gives up to 8,160 bytes";
        hkdf.expand(KEY_INFO, key.as_mut()).expect(fits);
        hkdf.expand(ID_INFO, &mut id).expect(fits);
        Self {
            id,
            cipher: XChaCha20Poly1305::new(key.as_ref().into()),
        }
    }
}
