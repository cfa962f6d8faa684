//! Counting in two dimensions: a wavelet matrix with sixteen children to a node.
//!
//! A sequence of 16-bit codes is cut into four digits of four bits. Each level holds one digit of every code; the next level
//! holds the codes sorted, stably, by the digits before. How many codes below `c` stand in a stretch is then found by
//! following two positions down at most four levels, whatever the length (Claude, Navarro, Ordóñez 2015, with a larger arity).
//!
//! A block of 128 digits takes two cache lines: 16 counts of what stands before it, and its digits as four planes of bits.

use std::ops::Range;

use super::scan::with_popcount;

/// Digits to a block.
const BLOCK: usize = 128;
/// Bits of a digit.
const DIGIT: u32 = 4;
/// Words of a block: 16 counts of 32 bits, 4 planes of 128 bits.
const WORDS: usize = 16;

/// A block: for each digit `d`, how many digits below `d` stand before the block; then the planes, highest bit first.
type Block = [u64; WORDS];

/// A wavelet matrix that is read in place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wavelet<'a> {
    /// Level by level, the highest digit first.
    blocks: &'a [Block],
    len: usize,
    levels: u32,
}

/// How many blocks a level over `len` digits takes: the end has one too, so that every position has a block.
const fn blocks_of(len: usize) -> usize {
    len / BLOCK + 1
}

impl<'a> Wavelet<'a> {
    /// Over the words that [`build`] made of so many codes; `None` where their number does not fit.
    pub fn new(words: &'a [u64], len: usize) -> Option<Self> {
        let (blocks, rest) = words.as_chunks::<WORDS>();
        let levels = blocks.len() / blocks_of(len);
        let fits = rest.is_empty() && levels * blocks_of(len) == blocks.len() && levels <= 4;
        fits.then_some(Self {
            blocks,
            len,
            levels: levels as u32,
        })
    }

    /// How many codes of a stretch lie in `codes`.
    ///
    /// # Complexity
    /// O(1): at most four levels, four reads of two cache lines each.
    pub fn count(&self, places: Range<u32>, codes: Range<u32>) -> u32 {
        if places.is_empty() || codes.is_empty() {
            return 0;
        }
        let (below_end, below_start) = with_popcount(
            #[inline(always)]
            || self.below(places, [codes.end, codes.start]),
        );
        below_end.wrapping_sub(below_start)
    }

    /// How many codes of a stretch lie below each of two bounds.
    #[inline(always)]
    fn below(&self, places: Range<u32>, bounds: [u32; 2]) -> (u32, u32) {
        let width = DIGIT * self.levels;
        // A bound beyond the greatest code that the levels can tell: all lie below it.
        let beyond = bounds.map(|bound| u64::from(bound) >> width != 0);
        let all = places.end - places.start;
        let mut ranges = [(places.start, places.end); 2];
        let mut counts = [0_u32; 2];
        let per_level = blocks_of(self.len);
        for level in 0..self.levels {
            let shift = width - DIGIT * (level + 1);
            let blocks = self
                .blocks
                .get(level as usize * per_level..)
                .unwrap_or_default();
            for side in 0..2 {
                let (Some(range), Some(count), Some(bound)) =
                    (ranges.get_mut(side), counts.get_mut(side), bounds.get(side))
                else {
                    continue;
                };
                let digit = (bound >> shift) & 15;
                let start = rank(blocks, range.0, digit);
                let end = rank(blocks, range.1, digit);
                *count = count.wrapping_add(end.less.wrapping_sub(start.less));
                // Where the digit's codes begin on the next level: behind all lesser digits of the whole level.
                let before = blocks.get(per_level - 1).map_or(0, |last| {
                    rank_in(last, self.len as u32 % BLOCK as u32, digit).less
                });
                *range = (
                    before.wrapping_add(start.equal),
                    before.wrapping_add(end.equal),
                );
            }
        }
        let [end, start] = counts;
        let [end_beyond, start_beyond] = beyond;
        (
            if end_beyond { all } else { end },
            if start_beyond { all } else { start },
        )
    }
}

/// Of the digits before a position: how many are less than a digit, how many equal it.
struct Rank {
    less: u32,
    equal: u32,
}

#[inline(always)]
fn rank(blocks: &[Block], position: u32, digit: u32) -> Rank {
    match blocks.get(position as usize / BLOCK) {
        Some(block) => rank_in(block, position % BLOCK as u32, digit),
        None => Rank { less: 0, equal: 0 },
    }
}

#[inline(always)]
fn rank_in(block: &Block, offset: u32, digit: u32) -> Rank {
    let counts: &[u32; 32] = bytemuck::cast_ref(block);
    let digit_at = (digit & 15) as usize;
    let less_before = counts.get(digit_at).copied().unwrap_or_default();
    // The slot of digit 0, which nothing is below, holds the position of the block: all digits before it.
    let up_to = counts.get((digit_at + 1) & 15).copied().unwrap_or_default();
    let less_before = if digit_at == 0 { 0 } else { less_before };
    let equal_before = up_to.wrapping_sub(less_before);
    let [_, _, _, _, _, _, _, _, a0, a1, b0, b1, c0, c1, d0, d1] = *block;
    let planes = |mask: u64, planes: [u64; 4]| {
        let (mut less, mut equal) = (0, mask);
        for (plane, bit) in planes.into_iter().zip([8, 4, 2, 1]) {
            let wanted = if digit & bit != 0 { u64::MAX } else { 0 };
            less |= equal & !plane & wanted;
            equal &= !(plane ^ wanted);
        }
        (less.count_ones(), equal.count_ones())
    };
    let mask = (1_u128 << offset) - 1;
    let first = planes(mask as u64, [a0, b0, c0, d0]);
    let second = planes((mask >> 64) as u64, [a1, b1, c1, d1]);
    Rank {
        less: less_before.wrapping_add(first.0 + second.0),
        equal: equal_before.wrapping_add(first.1 + second.1),
    }
}

/// Builds the words of a wavelet matrix.
///
/// # Complexity
/// O(n) for each of at most four levels.
pub(super) fn build(codes: &[u16]) -> Vec<u64> {
    let greatest = codes.iter().copied().max().unwrap_or_default();
    let levels = (u16::BITS - greatest.leading_zeros()).div_ceil(DIGIT);
    let mut words = Vec::with_capacity(levels as usize * blocks_of(codes.len()) * WORDS);
    let mut codes = codes.to_vec();
    let mut sorted = vec![0; codes.len()];
    for level in (0..levels).rev() {
        let digit = |code: u16| usize::from(code >> (DIGIT * level)) & 15;
        let mut seen = [0_u32; 16];
        for number in 0..blocks_of(codes.len()) {
            let block = codes.get(number * BLOCK..).unwrap_or_default();
            let block = block.get(..BLOCK).unwrap_or(block);
            words.extend_from_slice(&block_of(&seen, block.iter().map(|&code| digit(code))));
            for &code in block {
                if let Some(slot) = seen.get_mut(digit(code)) {
                    *slot += 1;
                }
            }
        }
        // Stable counting sort by this digit, over all codes: the order of the next level.
        let mut next = 0;
        let mut starts = seen.map(|count| {
            let start = next;
            next += count;
            start
        });
        for &code in &codes {
            if let Some(start) = starts.get_mut(digit(code)) {
                if let Some(slot) = sorted.get_mut(*start as usize) {
                    *slot = code;
                }
                *start += 1;
            }
        }
        std::mem::swap(&mut codes, &mut sorted);
    }
    words
}

fn block_of(seen: &[u32; 16], digits: impl Iterator<Item = usize>) -> Block {
    let mut counts = [0_u32; 32];
    let mut below = 0_u32;
    for (slot, count) in counts.iter_mut().zip(seen) {
        *slot = below;
        below += count;
    }
    if let Some(first) = counts.first_mut() {
        *first = below;
    }
    let mut block: Block = bytemuck::cast(counts);
    for (place, digit) in digits.enumerate() {
        for (plane, bit) in [8, 4, 2, 1].into_iter().enumerate() {
            if digit & bit != 0
                && let Some(word) = block.get_mut(8 + 2 * plane + place / 64)
            {
                *word |= 1 << (place % 64);
            }
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_as_a_scan_does(
            codes in prop_oneof![
                prop::collection::vec(0..20_u16, 0..600),
                prop::collection::vec(any::<u16>(), 0..600),
            ],
            places in (0..600_u32, 0..600_u32),
            bounds in prop_oneof![(0..22_u32, 0..22_u32), (0..65_537_u32, 0..65_537_u32)],
        ) {
            let words = build(&codes);
            let wavelet = Wavelet::new(&words, codes.len()).unwrap();
            let len = codes.len() as u32;
            let places = places.0.min(len)..places.1.min(len);
            let expected = codes
                .get(places.start as usize..places.end as usize)
                .unwrap_or_default()
                .iter()
                .filter(|&&code| (bounds.0..bounds.1).contains(&code.into()))
                .count();
            prop_assert_eq!(wavelet.count(places, bounds.0..bounds.1) as usize, expected);
        }
    }
}
