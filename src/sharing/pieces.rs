//! A file in pieces that fit into messages, and the way back. Pure.

/// Largest piece, in bytes; below the wire contract's 64 KiB.
pub const PIECE_MAX: usize = 48 * 1024;
/// Most pieces of one file: a minute of speech has six.
const PIECES: u8 = 12;

/// A file cut into pieces.
pub fn cut(file: &[u8]) -> Vec<&[u8]> {
    file.chunks(PIECE_MAX).collect()
}

/// What has come of a file.
#[derive(Debug, Default)]
pub struct Pieces(Vec<Option<Vec<u8>>>);

impl Pieces {
    /// Takes piece `part` of `of`; the file when it is whole, and then nothing is left of it here. Pieces of another
    /// cut begin anew; what cannot be a piece is nothing.
    pub fn take(&mut self, part: u8, of: u8, bytes: Vec<u8>) -> Option<Vec<u8>> {
        if of == 0 || of > PIECES || part >= of || bytes.is_empty() || bytes.len() > PIECE_MAX {
            return None;
        }
        if self.0.len() != usize::from(of) {
            self.0 = vec![None; usize::from(of)];
        }
        self.0[usize::from(part)] = Some(bytes);
        if self.0.iter().any(Option::is_none) {
            return None;
        }
        Some(std::mem::take(&mut self.0).into_iter().flatten().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_minute_fits_and_what_is_no_piece_changes_nothing() {
        assert!(cut(&vec![0; 60 * 8 * 1024]).len() <= usize::from(PIECES), "at twice the usual rate");
        let mut pieces = Pieces::default();
        for (part, of, len) in [(0, 0, 1), (2, 2, 1), (0, PIECES + 1, 1), (0, 1, 0), (0, 1, PIECE_MAX + 1)] {
            assert_eq!(pieces.take(part, of, vec![7; len]), None);
        }
        assert!(pieces.0.is_empty());
        assert_eq!(pieces.take(0, 3, vec![1]), None);
        assert_eq!(pieces.take(0, 2, vec![2]), None, "another cut");
        assert_eq!(pieces.take(1, 2, vec![3]), Some(vec![2, 3]));
    }

    proptest! {
        #[test]
        fn pieces_in_any_order_and_again_make_the_file(
            length in 1..200_000_usize,
            order in prop::collection::vec(any::<prop::sample::Index>(), 40),
        ) {
            let file: Vec<u8> = (0..length).map(|n| ((n * n) >> 7) as u8).collect();
            let parts = cut(&file);
            let of = parts.len() as u8;
            let mut pieces = Pieces::default();
            let mut whole = None;
            let shuffled = order.iter().map(|index| index.index(parts.len()));
            for part in shuffled.chain(0..parts.len()) {
                whole = pieces.take(part as u8, of, parts[part].to_vec()).or(whole);
            }
            prop_assert_eq!(whole, Some(file));
        }
    }
}
