//! Short texts that tell one thing from another.

use sha2::{Digest, Sha256};

/// Twelve hexadecimal digits that tell one text from another.
pub fn short_digest(text: &[u8]) -> String {
    let digest = Sha256::digest(text);
    digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// A name within `room` bytes: itself where it fits, else its beginning and the digest that tells it from others.
///
/// ```
/// assert_eq!(pg_config::fitted("shop", 9, "1a2b"), "shop");
/// assert_eq!(pg_config::fitted("warehouse_of_art", 9, "1a2b"), "ware_1a2b");
/// ```
pub fn fitted(name: &str, room: usize, digest: &str) -> String {
    if name.len() <= room {
        return name.to_owned();
    }
    let end = name.floor_char_boundary(room - digest.len() - 1);
    format!("{}_{digest}", &name[..end])
}

/// Thirty-two hexadecimal digits of chance, for names that nothing else has.
///
/// ```
/// assert_ne!(pg_config::random_id(), pg_config::random_id());
/// ```
pub fn random_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
