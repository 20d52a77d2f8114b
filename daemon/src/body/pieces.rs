//! The bytes of a body that is being read, in pieces: none is moved, and none grows, while more
//! come. A buffer that doubles would take up to three times what has come.

use bytes::Bytes;

/// The size of all pieces but the first.
const PIECE_BYTES: usize = 16 << 10;

/// Bytes in pieces.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    /// All but the last one are full.
    pieces: Vec<Vec<u8>>,
    pub(super) length: usize,
}

impl Pieces {
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        self.length += bytes.len();
        if let Some(last) = self.pieces.last_mut() {
            let (here, rest) = bytes.split_at(bytes.len().min(last.capacity() - last.len()));
            last.extend_from_slice(here);
            bytes = rest;
        } else {
            // Most bodies come at once.
            self.pieces.push(bytes.to_vec());
            return;
        }
        for piece in bytes.chunks(PIECE_BYTES) {
            let mut next = Vec::with_capacity(PIECE_BYTES);
            next.extend_from_slice(piece);
            self.pieces.push(next);
        }
    }

    pub(super) fn join(mut self) -> Bytes {
        match self.pieces.len() {
            0 | 1 => self.pieces.pop().unwrap_or_default().into(),
            _ => self.pieces.concat().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_any_size_are_joined_in_order() {
        for size in [1, 7, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES] {
            let whole: Vec<_> = (0..4 * PIECE_BYTES + 5).map(|byte| (byte % 251) as u8).collect();
            let mut pieces = Pieces::default();
            whole.chunks(size).for_each(|chunk| pieces.add(chunk));
            assert_eq!(pieces.length, whole.len());
            assert_eq!(pieces.join(), whole, "{size}");
        }
        assert!(Pieces::default().join().is_empty());
    }
}
