//! The text of a token: `moiso_<id>_<secret>`. The id finds the one hash to compare with; the secret has 200 bits.

use blake2::{Blake2s256, Digest as _};

/// Letters and digits that nobody mixes up when reading one aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const PREFIX: &str = "moiso";
/// Ids that the token file never gives away.
pub const ONCE: &str = "once";
pub const SESSION: &str = "session";
/// Longer texts are refused before anything is computed.
const LONGEST: usize = 128;

/// What memory keeps of a token: enough to know it again, not enough to use it.
pub type Digest = [u8; 32];

/// A token, cut into its parts.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Parts<'a> {
    pub id: &'a str,
    pub secret: &'a str,
}

/// Cuts a token; `None` when it has another form.
pub fn parts(token: &str) -> Option<Parts<'_>> {
    if token.len() > LONGEST {
        return None;
    }
    let mut pieces = token.split('_');
    let (prefix, id, secret) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let fits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let whole = prefix == PREFIX && pieces.next().is_none() && fits(id) && fits(secret);
    whole.then_some(Parts { id, secret })
}

/// Joins the parts.
pub fn join(id: &str, secret: &str) -> String {
    format!("{PREFIX}_{id}_{secret}")
}

/// A new id of 40 random bits.
pub fn new_id() -> String {
    base32(&rand::random::<[u8; 5]>())
}

/// A new secret of 200 random bits.
pub fn new_secret() -> String {
    base32(&rand::random::<[u8; 25]>())
}

/// What memory keeps of `token`.
pub fn digest(token: &str) -> Digest {
    Blake2s256::digest(token.as_bytes()).into()
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(held >> bits) as usize & 31]));
        }
        held &= (1 << bits) - 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_cut_where_it_was_joined() {
        let (id, secret) = (new_id(), new_secret());
        assert_eq!((id.len(), secret.len()), (8, 40));
        assert_eq!(parts(&join(&id, &secret)), Some(Parts { id: &id, secret: &secret }));
    }

    #[test]
    fn other_texts_are_no_tokens() {
        for text in [
            "",
            "moiso",
            "moiso_a",
            "moiso_a_",
            "moiso__b",
            "x_a_b",
            "moiso_a_b_c",
            "moiso_a_b b",
            "moiso_é_b",
        ] {
            assert_eq!(parts(text), None, "{text:?}");
        }
        assert_eq!(parts(&join("a", &"b".repeat(LONGEST))), None);
    }

    #[test]
    fn base32_writes_each_five_bits_as_one_letter() {
        assert_eq!(base32(&[0, 0, 0, 0, 0]), "00000000");
        assert_eq!(base32(&[0xff; 5]), "zzzzzzzz");
        assert_eq!(base32(&[0b0000_1000, 0b1000_0110, 0b0100_0010, 0b1001_1000, 0b1110_1000]), "12345678");
    }
}
