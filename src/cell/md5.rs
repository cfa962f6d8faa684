//! MD5 (RFC 1321) of several short texts at once.
//!
//! One MD5 is a chain of dependent steps that leaves most of a processor idle. The texts of a cell's vertices are
//! independent, so that eight of them run side by side, in vector registers where the compiler finds them.
// Fixed arrays are indexed by numbers below their lengths.
#![allow(clippy::indexing_slicing)]

use ::md5::{Digest, Md5};
use wide::u32x8;

/// Texts that are hashed together.
pub(super) const LANES: usize = 8;
/// Blocks of a text at most, padding included.
pub(super) const BLOCKS: usize = 5;
const BLOCK: usize = 64;

/// A text of at most 311 bytes.
#[derive(Clone, Copy)]
pub(super) struct Text {
    bytes: [u8; BLOCKS * BLOCK],
    length: usize,
}

impl Text {
    pub const fn new() -> Self {
        Self {
            bytes: [0; BLOCKS * BLOCK],
            length: 0,
        }
    }

    #[inline]
    pub fn push<const N: usize>(&mut self, part: &[u8; N]) {
        self.bytes[self.length..][..N].copy_from_slice(part);
        self.length += N;
    }

    /// The text's MD5. It runs alone: see [`md5`] for several.
    pub fn md5(&self) -> [u8; 16] {
        Md5::digest(&self.bytes[..self.length]).into()
    }

    /// Appends MD5's padding and says how many blocks there are.
    fn pad(&mut self) -> usize {
        let blocks = (self.length + 9).div_ceil(BLOCK);
        self.bytes[self.length] = 0x80;
        let bits = (self.length as u64 * 8).to_le_bytes();
        self.bytes[blocks * BLOCK - 8..][..8].copy_from_slice(&bits);
        blocks
    }
}

/// The MD5 of every text.
pub(super) fn md5(texts: &mut [Text; LANES]) -> [[u8; 16]; LANES] {
    let blocks = texts.each_mut().map(Text::pad);
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476].map(u32x8::splat);
    for block in 0..blocks.into_iter().max().unwrap_or(0) {
        let mut words = [[0; LANES]; 16];
        for (lane, text) in texts.iter().enumerate() {
            let block = text.bytes[block * BLOCK..][..BLOCK].chunks_exact(4);
            for (words, bytes) in words.iter_mut().zip(block) {
                words[lane] = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        }
        let next = compress(state, words.map(u32x8::new));
        // A text that is shorter is done: its state stays.
        let runs = blocks.map(|blocks| if block < blocks { u32::MAX } else { 0 });
        let runs = u32x8::new(runs);
        for (old, new) in state.iter_mut().zip(next) {
            *old = (new & runs) | (*old & !runs);
        }
    }
    let state = state.map(u32x8::to_array);
    std::array::from_fn(|lane| {
        let mut digest = [0; 16];
        for (bytes, words) in digest.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&words[lane].to_le_bytes());
        }
        digest
    })
}

/// Integer parts of 2^32 |sin(i + 1)|.
#[rustfmt::skip]
pub(super) const SINES: [u32; 64] = [
    0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
    0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
    0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
    0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
    0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
    0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
    0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
    0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
];

/// One block of every lane.
#[inline(always)]
fn compress(state: [u32x8; 4], words: [u32x8; 16]) -> [u32x8; 4] {
    let [mut a, mut b, mut c, mut d] = state;
    // Four steps bring the four words of the state back to their places.
    macro_rules! steps {
        ($range:expr, $word:expr, [$r0:literal, $r1:literal, $r2:literal, $r3:literal], $mix:expr) => {
            for i in $range.step_by(4) {
                let sum = |x: u32x8, mixed: u32x8, k: usize| {
                    x + mixed + words[$word(i + k) % 16] + u32x8::splat(SINES[i + k])
                };
                a = b + rotate::<$r0>(sum(a, $mix(b, c, d), 0));
                d = a + rotate::<$r1>(sum(d, $mix(a, b, c), 1));
                c = d + rotate::<$r2>(sum(c, $mix(d, a, b), 2));
                b = c + rotate::<$r3>(sum(b, $mix(c, d, a), 3));
            }
        };
    }
    type W = u32x8;
    steps!((0..16), |i| i, [7, 12, 17, 22], |b: W, c: W, d: W| d
        ^ (b & (c ^ d)));
    steps!(
        (16..32),
        |i| 5 * i + 1,
        [5, 9, 14, 20],
        |b: W, c: W, d: W| c ^ (d & (b ^ c))
    );
    steps!(
        (32..48),
        |i| 3 * i + 5,
        [4, 11, 16, 23],
        |b: W, c: W, d: W| b ^ c ^ d
    );
    steps!((48..64), |i| 7 * i, [6, 10, 15, 21], |b: W, c: W, d: W| c
        ^ (b | !d));
    [a + state[0], b + state[1], c + state[2], d + state[3]]
}

#[inline(always)]
fn rotate<const BITS: u32>(x: u32x8) -> u32x8 {
    (x << BITS) | (x >> (32 - BITS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_lane_is_an_md5(texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..312), LANES)) {
            let mut lanes = [Text::new(); LANES];
            for (lane, text) in lanes.iter_mut().zip(&texts) {
                for byte in text {
                    lane.push(&[*byte]);
                }
            }
            for (found, text) in md5(&mut lanes).iter().zip(&texts) {
                let expected: [u8; 16] = Md5::digest(text).into();
                prop_assert_eq!(*found, expected);
            }
        }
    }
}
