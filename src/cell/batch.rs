//! NAS-Bench-101's hash of many cells at once.
//!
//! Cells with the same edges hash texts of the same lengths: they differ in the digits alone. Sixteen of them run side by
//! side, one in each lane of a vector register where the processor has such wide ones (AVX-512; with AVX2 two registers, else
//! four), chosen when the program runs.
// Fixed arrays are indexed by lanes, vertices below 7, and words of texts whose lengths follow from those.
#![allow(clippy::indexing_slicing)]

use std::array::from_fn;

use super::graph::{Graph, MAX, bits};
use super::md5::{BLOCKS, SINES};
use super::{Cell, CellHash};
use crate::simd::widest;

/// Cells that are hashed together.
const LANES: usize = 16;
/// Words of a text at most.
const WORDS: usize = 16 * BLOCKS;

/// A word of each lane.
type Lanes = [u32; LANES];
/// The digits of a digest, as they are written: eight words.
type Digits = [Lanes; 8];
/// A digest as MD5 leaves it: four words, little-endian.
type Digest = [Lanes; 4];

/// The hashes of cells, in their order: as [`Cell::hash`], and faster where neighbours in the list share their edges, as they
/// do in the order of [`enumerate`](super::enumerate()).
///
/// # Complexity
/// For cells of 7 vertices in that order, on one core, some 3 microseconds each with AVX2 or AVX-512, 7 without.
#[must_use]
pub fn hash_all(cells: &[Cell]) -> Vec<CellHash> {
    let mut hashes = vec![CellHash::from_bytes([0; 16]); cells.len()];
    hash_into(cells, &mut hashes);
    hashes
}

/// As [`hash_all`], into hashes that are there already.
pub(super) fn hash_into(cells: &[Cell], hashes: &mut [CellHash]) {
    let edges = |cell: &Cell| {
        let graph = cell.graph();
        (graph.vertices(), graph.packed_edges())
    };
    let mut hashes = hashes;
    for alike in cells.chunk_by(|a, b| edges(a) == edges(b)) {
        for some in alike.chunks(LANES) {
            let (own, rest) = hashes.split_at_mut(some.len().min(hashes.len()));
            hashes = rest;
            match some {
                // Few lanes in use are slower than one cell by itself.
                [_] | [_, _] => {
                    for (hash, cell) in own.iter_mut().zip(some) {
                        *hash = cell.hash();
                    }
                }
                some => own.copy_from_slice(&lanes(some)[..own.len()]),
            }
        }
    }
}

/// Up to [`LANES`] cells with the same edges.
fn lanes(cells: &[Cell]) -> [CellHash; LANES] {
    let graphs: [Graph; LANES] = from_fn(|lane| cells[lane.min(cells.len() - 1)].graph());
    // An always inlined closure: its body is compiled anew for each width.
    widest(
        #[inline(always)]
        || hash(&graphs),
    )
}

#[inline(always)]
fn hash(graphs: &[Graph; LANES]) -> [CellHash; LANES] {
    let [first, ..] = graphs;
    let n = first.vertices();
    let (mut ins, mut outs) = ([0; MAX], [0; MAX]);
    let mut digests = [[[0; LANES]; 4]; MAX];
    let mut text = Text::new();
    for v in 0..n {
        (ins[v], outs[v]) = (first.ins(v), first.outs(v));
        // `(out_degree, in_degree, label)`, as Python writes it.
        let digit = |mask: u8| b'0' + mask.count_ones() as u8;
        text.push(&[b'(', digit(outs[v]), b',', b' ', digit(ins[v]), b',', b' ']);
        match first.label(v) {
            Some(-1) => text.push(b"-1"),
            None | Some(-2) => text.push(b"-2"),
            Some(_) => text.push_each(&from_fn(|lane| {
                b'0' + graphs[lane].label(v).unwrap_or_default() as u8
            })),
        }
        text.push(b")");
        text.md5(&mut digests[v]);
    }
    let all = ((1_u32 << n) - 1) as u8;
    let mut digits = [[[0; LANES]; 8]; MAX];
    let mut found = [[0; LANES]; 8];
    for _ in 0..n {
        write_digits(&digests, n, &mut digits);
        let order = Order::of(&digests, n);
        for v in 0..n {
            for neighbours in [ins[v], outs[v]] {
                for place in 0..neighbours.count_ones() {
                    order.find(place, neighbours, &digits, &mut found);
                    text.push_digits(&found);
                }
                text.push(b"|");
            }
            text.push_digits(&digits[v]);
            text.md5(&mut digests[v]);
        }
    }
    write_digits(&digests, n, &mut digits);
    let order = Order::of(&digests, n);
    for place in 0..n as u32 {
        text.push(if place == 0 { b"['" } else { b"', '" });
        order.find(place, all, &digits, &mut found);
        text.push_digits(&found);
    }
    text.push(b"']");
    let mut digest = [[0; LANES]; 4];
    text.md5(&mut digest);
    from_fn(|lane| {
        let mut bytes = [0; 16];
        for (bytes, words) in bytes.chunks_exact_mut(4).zip(&digest) {
            bytes.copy_from_slice(&words[lane].to_le_bytes());
        }
        CellHash::from_bytes(bytes)
    })
}

/// The order of the vertices' digests, in every lane.
struct Order {
    /// `before[u][v]` is 1 where u comes before v, else 0.
    before: [[Lanes; MAX]; MAX],
}

impl Order {
    #[inline(always)]
    fn of(digests: &[Digest; MAX], n: usize) -> Self {
        // Digests order as their bytes do.
        let mut keys = [[[0; LANES]; 4]; MAX];
        for (keys, digest) in keys.iter_mut().zip(digests).take(n) {
            for (key, words) in keys.iter_mut().zip(digest) {
                for lane in 0..LANES {
                    key[lane] = words[lane].swap_bytes();
                }
            }
        }
        let mut before = [[[0; LANES]; MAX]; MAX];
        for v in 1..n {
            for u in 0..v {
                let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (&keys[u], &keys[v]);
                let mut after = [0; LANES];
                for lane in 0..LANES {
                    // Equal ones keep the order of their vertices: either is right.
                    let greater = |a: u32, b: u32| u32::from(a > b);
                    let equal = |a: u32, b: u32| u32::from(a == b);
                    let last = greater(a3[lane], b3[lane]) & equal(a2[lane], b2[lane]);
                    let later = (greater(a2[lane], b2[lane]) | last) & equal(a1[lane], b1[lane]);
                    let all = (greater(a1[lane], b1[lane]) | later) & equal(a0[lane], b0[lane]);
                    after[lane] = greater(a0[lane], b0[lane]) | all;
                }
                before[v][u] = after;
                for lane in 0..LANES {
                    before[u][v][lane] = after[lane] ^ 1;
                }
            }
        }
        Self { before }
    }

    /// The digits of the vertex that is at a place among some, in order.
    #[inline(always)]
    fn find(&self, place: u32, among: u8, digits: &[Digits; MAX], found: &mut Digits) {
        found.fill([0; LANES]);
        for v in bits(among) {
            let mut rank = [0_u32; LANES];
            for u in bits(among) {
                for (rank, before) in rank.iter_mut().zip(&self.before[u][v]) {
                    *rank += before;
                }
            }
            for rank in &mut rank {
                *rank = u32::from(*rank == place).wrapping_neg();
            }
            for (found, own) in found.iter_mut().zip(&digits[v]) {
                for lane in 0..LANES {
                    found[lane] |= own[lane] & rank[lane];
                }
            }
        }
    }
}

/// The digits of digests in lower case: each nibble becomes a byte.
#[inline(always)]
fn write_digits(digests: &[Digest; MAX], n: usize, digits: &mut [Digits; MAX]) {
    for (digits, digest) in digits.iter_mut().zip(digests).take(n) {
        for (pair, bytes) in digits.chunks_exact_mut(2).zip(digest) {
            let [low, high] = pair else { continue };
            for lane in 0..LANES {
                low[lane] = four_digits(bytes[lane] & 0xffff);
                high[lane] = four_digits(bytes[lane] >> 16);
            }
        }
    }
}

/// The digits of two bytes.
#[inline(always)]
const fn four_digits(bytes: u32) -> u32 {
    let apart = (bytes & 0xff) | (bytes & 0xff00) << 8;
    let nibbles = (apart >> 4 & 0x000f_000f) | (apart & 0x000f_000f) << 8;
    let letters = ((nibbles + 0x0606_0606) >> 4) & 0x0101_0101;
    nibbles + 0x3030_3030 + letters * (b'a' - b'9' - 1) as u32
}

/// A text of the same length in every lane.
struct Text {
    words: [Lanes; WORDS],
    bytes: usize,
}

impl Text {
    const fn new() -> Self {
        Self {
            words: [[0; LANES]; WORDS],
            bytes: 0,
        }
    }

    /// Appends the same bytes everywhere.
    #[inline(always)]
    fn push(&mut self, part: &[u8]) {
        for &byte in part {
            self.push_each(&[byte; LANES]);
        }
    }

    /// Appends a byte of each lane's own.
    #[inline(always)]
    fn push_each(&mut self, bytes: &[u8; LANES]) {
        let shift = 8 * (self.bytes % 4) as u32;
        for (word, byte) in self.words[self.bytes / 4].iter_mut().zip(bytes) {
            *word |= u32::from(*byte) << shift;
        }
        self.bytes += 1;
    }

    #[inline(always)]
    fn push_digits(&mut self, digits: &Digits) {
        let first = self.bytes / 4;
        let shift = 8 * (self.bytes % 4) as u32;
        let (words, next) = (&mut self.words[first..first + 9], 32 - shift);
        let mut carried = words[0];
        for (slot, word) in words.iter_mut().zip(digits) {
            for lane in 0..LANES {
                slot[lane] = carried[lane] | word[lane] << shift;
                // In two steps: a shift by 32 is none.
                carried[lane] = word[lane] >> (next - 1) >> 1;
            }
        }
        words[8] = carried;
        self.bytes += 32;
    }

    /// The text's MD5; it begins anew.
    #[inline(always)]
    fn md5(&mut self, digest: &mut Digest) {
        let blocks = (self.bytes + 9).div_ceil(64);
        let bits = 8 * self.bytes as u32;
        self.push(&[0x80]);
        self.words[16 * blocks - 2] = [bits; LANES];
        let start = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
        for (words, start) in digest.iter_mut().zip(start) {
            *words = [start; LANES];
        }
        for block in self.words.chunks_exact(16).take(blocks) {
            compress(digest, block);
        }
        self.words[..16 * blocks].fill([0; LANES]);
        self.bytes = 0;
    }
}

/// One block of every lane. The loop over lanes is outside, so that compilers turn each step into one of vectors.
#[inline(always)]
fn compress(state: &mut Digest, block: &[Lanes]) {
    let Ok(block) = <&[Lanes; 16]>::try_from(block) else {
        return;
    };
    let [sa, sb, sc, sd] = state;
    for lane in 0..LANES {
        let (mut a, mut b, mut c, mut d) = (sa[lane], sb[lane], sc[lane], sd[lane]);
        macro_rules! one {
            ($mix:ident, $a:ident, $b:ident, $c:ident, $d:ident, $word:literal, $sine:expr, $turn:literal) => {
                $a = $a
                    .wrapping_add($mix($b, $c, $d))
                    .wrapping_add(block[$word][lane])
                    .wrapping_add(SINES[$sine])
                    .rotate_left($turn)
                    .wrapping_add($b);
            };
        }
        macro_rules! four {
            ($mix:ident, $i:literal, [$w0:literal, $w1:literal, $w2:literal, $w3:literal], [$r0:literal, $r1:literal, $r2:literal, $r3:literal]) => {
                one!($mix, a, b, c, d, $w0, $i, $r0);
                one!($mix, d, a, b, c, $w1, $i + 1, $r1);
                one!($mix, c, d, a, b, $w2, $i + 2, $r2);
                one!($mix, b, c, d, a, $w3, $i + 3, $r3);
            };
        }
        four!(choose, 0, [0, 1, 2, 3], [7, 12, 17, 22]);
        four!(choose, 4, [4, 5, 6, 7], [7, 12, 17, 22]);
        four!(choose, 8, [8, 9, 10, 11], [7, 12, 17, 22]);
        four!(choose, 12, [12, 13, 14, 15], [7, 12, 17, 22]);
        four!(choose_back, 16, [1, 6, 11, 0], [5, 9, 14, 20]);
        four!(choose_back, 20, [5, 10, 15, 4], [5, 9, 14, 20]);
        four!(choose_back, 24, [9, 14, 3, 8], [5, 9, 14, 20]);
        four!(choose_back, 28, [13, 2, 7, 12], [5, 9, 14, 20]);
        four!(parity, 32, [5, 8, 11, 14], [4, 11, 16, 23]);
        four!(parity, 36, [1, 4, 7, 10], [4, 11, 16, 23]);
        four!(parity, 40, [13, 0, 3, 6], [4, 11, 16, 23]);
        four!(parity, 44, [9, 12, 15, 2], [4, 11, 16, 23]);
        four!(twist, 48, [0, 7, 14, 5], [6, 10, 15, 21]);
        four!(twist, 52, [12, 3, 10, 1], [6, 10, 15, 21]);
        four!(twist, 56, [8, 15, 6, 13], [6, 10, 15, 21]);
        four!(twist, 60, [4, 11, 2, 9], [6, 10, 15, 21]);
        sa[lane] = sa[lane].wrapping_add(a);
        sb[lane] = sb[lane].wrapping_add(b);
        sc[lane] = sc[lane].wrapping_add(c);
        sd[lane] = sd[lane].wrapping_add(d);
    }
}

#[inline(always)]
const fn choose(b: u32, c: u32, d: u32) -> u32 {
    d ^ (b & (c ^ d))
}

#[inline(always)]
const fn choose_back(b: u32, c: u32, d: u32) -> u32 {
    c ^ (d & (b ^ c))
}

#[inline(always)]
const fn parity(b: u32, c: u32, d: u32) -> u32 {
    b ^ c ^ d
}

#[inline(always)]
const fn twist(b: u32, c: u32, d: u32) -> u32 {
    c ^ (b | !d)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::enumerate;
    use crate::cell::hash::graph_hash;
    use crate::random::SplitMix;

    #[test]
    fn many_hash_as_one_does() {
        let mut cells: Vec<Cell> = enumerate(6, 9).step_by(7).chain(enumerate(5, 9)).collect();
        cells.extend(enumerate(7, 9).skip(64_542).step_by(101));
        cells.extend(enumerate(7, 9).skip(200_000).take(1000));
        let check = |cells: &[Cell]| {
            for (cell, hash) in cells.iter().zip(hash_all(cells)) {
                assert_eq!(hash, cell.hash(), "{cell}");
            }
            for some in cells.chunks(LANES) {
                // Without vectors, and as the processor has them.
                let graphs: Vec<_> = some
                    .iter()
                    .filter(|cell| {
                        cell.graph().packed_edges() == some[0].graph().packed_edges()
                            && cell.graph().vertices() == some[0].graph().vertices()
                    })
                    .map(|cell| cell.graph())
                    .collect();
                let graphs: [Graph; LANES] = from_fn(|lane| graphs[lane % graphs.len()]);
                let expected: Vec<_> = graphs.iter().map(|graph| graph_hash(*graph)).collect();
                assert_eq!(hash(&graphs).to_vec(), expected);
            }
        };
        check(&cells);
        let mut random = SplitMix(7);
        for place in (1..cells.len()).rev() {
            cells.swap(place, random.below(place as u64 + 1) as usize);
        }
        check(&cells);
        assert!(hash_all(&[]).is_empty());
    }
}
