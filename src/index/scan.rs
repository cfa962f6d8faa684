//! Inner loops over codes: compare 64 of them at once, turn bits into row numbers. Each picks AVX-512, AVX2 or portable
//! code at run time; all give the same answers.

use std::ops::{Range, RangeInclusive};

#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

use crate::simd::widest;

/// How many codes one word of bits answers for.
pub(crate) const BLOCK: usize = 64;

/// Sets bit `i % 64` of `words[i / 64]` where `codes[i]` lies in the range, and clears it elsewhere.
///
/// # Complexity
/// O(n): about 20 codes a nanosecond with AVX-512.
pub(crate) fn mark(codes: &[u16], range: RangeInclusive<u16>, words: &mut [u64]) {
    let (low, span) = (*range.start(), range.end().saturating_sub(*range.start()));
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = V4::try_new() {
            return simd.vectorize(
                #[inline(always)]
                || {
                    mark_with(
                        codes,
                        words,
                        low,
                        span,
                        #[inline(always)]
                        |block| bits_v4(simd, block, low, span),
                    )
                },
            );
        }
        if let Some(simd) = V3::try_new() {
            return simd.vectorize(
                #[inline(always)]
                || {
                    mark_with(
                        codes,
                        words,
                        low,
                        span,
                        #[inline(always)]
                        |block| bits_v3(simd, block, low, span),
                    )
                },
            );
        }
    }
    mark_with(codes, words, low, span, |block| {
        bits_portable(block, low, span)
    });
}

/// The bits of at most 64 codes.
pub(crate) fn mark_block(codes: &[u16], range: RangeInclusive<u16>) -> u64 {
    let mut word = [0];
    mark(codes.get(..BLOCK).unwrap_or(codes), range, &mut word);
    let [word] = word;
    word
}

#[inline(always)]
fn mark_with(
    codes: &[u16],
    words: &mut [u64],
    low: u16,
    span: u16,
    bits: impl Fn(&[u16; BLOCK]) -> u64,
) {
    let (blocks, rest) = codes.as_chunks::<BLOCK>();
    let (full, last) = words
        .split_at_mut_checked(blocks.len())
        .unwrap_or((&mut [], &mut []));
    for (word, block) in full.iter_mut().zip(blocks) {
        *word = bits(block);
    }
    if let (Some(word), false) = (last.first_mut(), rest.is_empty()) {
        *word = bits_portable(rest, low, span);
    }
}

#[inline(always)]
fn bits_portable(codes: &[u16], low: u16, span: u16) -> u64 {
    codes.iter().enumerate().fold(0, |bits, (place, &code)| {
        bits | (u64::from(code.wrapping_sub(low) <= span) << place)
    })
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn bits_v4(simd: V4, block: &[u16; BLOCK], low: u16, span: u16) -> u64 {
    let [first, second]: [std::arch::x86_64::__m512i; 2] = pulp::cast(*block);
    let low = simd.avx512f._mm512_set1_epi16(low.cast_signed());
    let span = simd.avx512f._mm512_set1_epi16(span.cast_signed());
    let half = |codes| {
        let above = simd.avx512bw._mm512_sub_epi16(codes, low);
        u64::from(simd.avx512bw._mm512_cmple_epu16_mask(above, span))
    };
    half(first) | half(second) << 32
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn bits_v3(simd: V3, block: &[u16; BLOCK], low: u16, span: u16) -> u64 {
    let [a, b, c, d]: [std::arch::x86_64::__m256i; 4] = pulp::cast(*block);
    let low = simd.avx._mm256_set1_epi16(low.cast_signed());
    let span = simd.avx._mm256_set1_epi16(span.cast_signed());
    let inside = |codes| {
        let above = simd.avx2._mm256_sub_epi16(codes, low);
        simd.avx2
            ._mm256_cmpeq_epi16(simd.avx2._mm256_min_epu16(above, span), above)
    };
    let half = |first, second| {
        let packed = simd.avx2._mm256_packs_epi16(inside(first), inside(second));
        let in_order = simd.avx2._mm256_permute4x64_epi64::<0b11_01_10_00>(packed);
        u64::from(simd.avx2._mm256_movemask_epi8(in_order).cast_unsigned())
    };
    half(a, b) | half(c, d) << 32
}

/// How many codes lie in a range.
///
/// # Complexity
/// O(n): as [`mark`].
pub(crate) fn count(codes: &[u16], range: RangeInclusive<u16>) -> u32 {
    let (low, span) = (*range.start(), range.end().saturating_sub(*range.start()));
    if range.is_empty() {
        return 0;
    }
    widest(
        #[inline(always)]
        || {
            // As many rounds as a lane can count.
            let lanes = codes.chunks(BLOCK * usize::from(u16::MAX));
            let counts = lanes.map(|codes| {
                let (blocks, rest) = codes.as_chunks::<BLOCK>();
                let mut lanes = [0_u16; BLOCK];
                for block in blocks {
                    for (lane, &code) in lanes.iter_mut().zip(block) {
                        *lane += u16::from(code.wrapping_sub(low) <= span);
                    }
                }
                let rest = rest.iter().filter(|&&code| code.wrapping_sub(low) <= span);
                let lanes: u32 = lanes.into_iter().map(u32::from).sum();
                lanes + rest.count() as u32
            });
            counts.sum()
        },
    )
}

/// How many rows lie in a range.
///
/// # Complexity
/// O(n), 16 rows at once with AVX-512.
pub(crate) fn count_rows(rows: &[u32], range: Range<u32>) -> u32 {
    let len = range.end.saturating_sub(range.start);
    widest(
        #[inline(always)]
        || {
            let (blocks, rest) = rows.as_chunks::<BLOCK>();
            let mut lanes = [0_u32; BLOCK];
            for block in blocks {
                for (lane, &row) in lanes.iter_mut().zip(block) {
                    *lane += u32::from(row.wrapping_sub(range.start) < len);
                }
            }
            let rest = rest.iter().filter(|row| range.contains(row));
            lanes.into_iter().sum::<u32>() + rest.count() as u32
        },
    )
}

/// Appends `base` + the place of every set bit to `out`, ascending.
///
/// # Complexity
/// O(words + set bits).
pub(crate) fn ids(words: &[u64], base: u32, out: &mut Vec<u32>) {
    let count: usize = words.iter().map(|word| word.count_ones() as usize).sum();
    #[cfg(target_arch = "x86_64")]
    // Few set bits are found faster one by one.
    if count > words.len() * 4
        && let Some(simd) = V4::try_new()
    {
        return simd.vectorize(
            #[inline(always)]
            || ids_v4(simd, words, base, count, out),
        );
    }
    out.reserve(count);
    for (number, &word) in words.iter().enumerate() {
        let start = base.wrapping_add((number * BLOCK) as u32);
        let mut left = word;
        while left != 0 {
            out.push(start.wrapping_add(left.trailing_zeros()));
            left &= left - 1;
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn ids_v4(simd: V4, words: &[u64], base: u32, count: usize, out: &mut Vec<u32>) {
    const LANES: usize = 16;
    let end = out.len() + count;
    let mut at = out.len();
    // Whole vectors are written; what is beyond the last set bit is cut off in the end.
    out.resize(end + LANES, 0);
    let iota: [u32; LANES] = std::array::from_fn(|lane| lane as u32);
    let iota = pulp::cast::<_, std::arch::x86_64::__m512i>(iota);
    let mut start = base;
    for &word in words {
        let mut left = word;
        for _ in 0..BLOCK / LANES {
            let mask = left as u16;
            let places = simd
                .avx512f
                ._mm512_add_epi32(iota, simd.avx512f._mm512_set1_epi32(start.cast_signed()));
            let found = simd.avx512f._mm512_maskz_compress_epi32(mask, places);
            if let Some(slot) = out.get_mut(at..at + LANES) {
                slot.copy_from_slice(&pulp::cast::<_, [u32; LANES]>(found));
            }
            at += mask.count_ones() as usize;
            left >>= LANES;
            start = start.wrapping_add(LANES as u32);
        }
    }
    out.truncate(end);
}

/// Runs a closure that counts bits with the processor's own instruction where it has one.
#[inline(always)]
pub(crate) fn with_popcount<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = V3::try_new() {
        return simd.vectorize(work);
    }
    work()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_path_marks_what_lies_in_the_range(
            codes in prop::collection::vec(prop_oneof![0..6_u16, any::<u16>()], 0..300),
            range in prop_oneof![(0..6_u16, 0..6_u16), (any::<u16>(), any::<u16>())],
        ) {
            let (low, high) = (range.0.min(range.1), range.0.max(range.1));
            let expected: Vec<u32> = (0..codes.len() as u32)
                .filter(|&place| (low..=high).contains(&codes[place as usize]))
                .collect();
            let mut words = vec![!0; codes.len().div_ceil(BLOCK)];
            mark(&codes, low..=high, &mut words);
            let mut found = vec![7];
            ids(&words, 100, &mut found);
            let shifted: Vec<u32> = [7].into_iter().chain(expected.iter().map(|place| place + 100)).collect();
            prop_assert_eq!(&found, &shifted);
            prop_assert_eq!(count(&codes, low..=high) as usize, expected.len());
            let rows: Vec<u32> = codes.iter().map(|&code| u32::from(code)).collect();
            let after = u32::from(high) + 1;
            prop_assert_eq!(count_rows(&rows, low.into()..after) as usize, expected.len());
            let span = high - low;
            for (block, &word) in codes.chunks(BLOCK).zip(&words) {
                prop_assert_eq!(bits_portable(block, low, span), word);
                prop_assert_eq!(mark_block(block, low..=high), word);
                #[cfg(target_arch = "x86_64")]
                if let (Ok(whole), Some(simd)) = (block.try_into(), V3::try_new()) {
                    prop_assert_eq!(bits_v3(simd, whole, low, span), word);
                }
            }
        }
    }
}
