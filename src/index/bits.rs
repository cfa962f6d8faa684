use super::{RowSet, scan};

/// Rows as plain bits, the working form of an answer: a window of words, outside of which no row is.
#[derive(Debug, Clone, Default)]
pub(crate) struct RowBits {
    /// The row of the first bit; a multiple of 64.
    base: u32,
    words: Vec<u64>,
}

impl RowBits {
    /// No row, with room for those of a range.
    pub fn window(rows: std::ops::Range<u32>) -> Self {
        let base = rows.start - rows.start % 64;
        let words = rows.end.saturating_sub(base).div_ceil(64);
        Self {
            base,
            words: vec![0; words as usize],
        }
    }

    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    pub const fn base(&self) -> u32 {
        self.base
    }

    /// Takes the rows before this one out: a window begins at a multiple of 64, its rows perhaps behind it.
    pub fn begin_at(&mut self, row: u32) {
        if let Some(word) = self.words.first_mut() {
            *word &= u64::MAX << (row - self.base);
        }
    }

    /// Adds a row that lies in the window.
    pub fn set(&mut self, row: u32) {
        let place = row.wrapping_sub(self.base);
        if let Some(word) = self.words.get_mut(place as usize / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Adds a range of rows that lies in the window.
    pub fn set_range(&mut self, rows: std::ops::Range<u32>) {
        if rows.is_empty() {
            return;
        }
        let (start, last) = (rows.start - self.base, rows.end - 1 - self.base);
        let (first_word, last_word) = (start as usize / 64, last as usize / 64);
        let touched = self.words.iter_mut().enumerate();
        for (number, word) in touched.take(last_word + 1).skip(first_word) {
            let mut bits = u64::MAX;
            if number == first_word {
                bits &= u64::MAX << (start % 64);
            }
            if number == last_word {
                bits &= u64::MAX >> (63 - last % 64);
            }
            *word |= bits;
        }
    }

    /// Keeps the rows that are in the other set too, which has the same window.
    pub fn intersect(&mut self, other: &Self) {
        debug_assert_eq!(self.base, other.base);
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// Calls for each row, ascending.
    pub fn for_each(&self, mut each: impl FnMut(u32)) {
        for (number, &word) in self.words.iter().enumerate() {
            let start = self.base + number as u32 * 64;
            let mut left = word;
            while left != 0 {
                each(start + left.trailing_zeros());
                left &= left - 1;
            }
        }
    }

    /// Keeps the rows for which a test holds.
    pub fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        for (number, word) in self.words.iter_mut().enumerate() {
            let start = self.base + number as u32 * 64;
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros();
                // Without a branch: whether a row is kept cannot be foreseen.
                *word &= !(u64::from(!keep(start + bit)) << bit);
                left &= left - 1;
            }
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        scan::with_popcount(
            #[inline(always)]
            || {
                self.words
                    .iter()
                    .map(|word| word.count_ones() as usize)
                    .sum()
            },
        )
    }

    /// Appends the rows' numbers, ascending.
    pub fn append_ids(&self, out: &mut Vec<u32>) {
        scan::ids(&self.words, self.base, out);
    }

    pub fn to_set(&self) -> RowSet {
        RowSet::from_words(self.base, &self.words)
    }
}
