//! Finding a key: a perfect hash by displacement, with the keys inline.
//!
//! Keys fall into buckets of four. Each bucket has a *pilot*, a number of 16 bits chosen at sealing so that all keys go to
//! slots of their own (hash and displace; Belazzougui, Botelho, Dietzfelbinger 2009; Pibiri, Trani 2021). A look-up reads a
//! pilot, of which there is half a byte a key, and one slot, which is half a cache line and holds the key itself.

use super::SnapshotError;
use crate::cell::{Cell, CellHash};

/// Keys to a bucket.
const BUCKET: usize = 4;
/// Of so many slots, one is left empty, so that a pilot for the last keys is found soon.
const SLACK: usize = 32;
/// How many seeds are tried. A seed fails where two keys hash alike: once in 10^8 tables of 400,000 keys.
const SEEDS: u64 = 64;
/// Odd numbers without a pattern (from wyhash).
const ODD: [u64; 2] = [0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB];

/// The place of a key: 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub(crate) struct Slot {
    pub key: [u8; 16],
    /// The packed drawing of the row's cell; 0 where unknown.
    pub drawing: u64,
    /// The key's row; [`EMPTY`](Self::EMPTY) where there is no key.
    pub row: u32,
    spare: u32,
}

impl Slot {
    /// The row of a slot without a key.
    pub const EMPTY: u32 = u32::MAX;

    /// The cell's hash.
    pub const fn hash(&self) -> CellHash {
        CellHash::from_bytes(self.key)
    }

    /// The cell as its source drew it, where that is known.
    pub fn cell(&self) -> Option<Cell> {
        let cell = Cell::from_code(self.drawing).ok();
        cell.filter(|_| self.drawing != 0)
    }

    const NONE: Self = Self {
        key: [0; 16],
        drawing: 0,
        row: Self::EMPTY,
        spare: 0,
    };
}

/// The keys of a table, read in place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys<'s> {
    pub seed: u64,
    pub pilots: &'s [u16],
    pub slots: &'s [Slot],
}

impl<'s> Keys<'s> {
    /// The slot of a key.
    ///
    /// # Complexity
    /// O(1): a read of a pilot, and one of a slot that depends on it.
    pub fn find(self, key: &[u8; 16]) -> Option<&'s Slot> {
        let slot = self.slots.get(self.place(hash(key, self.seed))?)?;
        (slot.key == *key && slot.row != Slot::EMPTY).then_some(slot)
    }

    /// As [`find`](Self::find), for several keys, whose reads overlap.
    pub fn find_all<'k>(
        self,
        keys: impl Iterator<Item = &'k [u8; 16]>,
        mut found: impl FnMut(Option<&'s Slot>),
    ) {
        const GROUP: usize = 32;
        let mut keys = keys.peekable();
        let mut group = [(&[0; 16], 0, 0_usize); GROUP];
        while keys.peek().is_some() {
            let mut len = 0;
            for (own, key) in group.iter_mut().zip(keys.by_ref().take(GROUP)) {
                *own = (key, hash(key, self.seed), 0);
                len += 1;
            }
            let group = group.get_mut(..len).unwrap_or_default();
            // Two passes: the processor has many reads of either kind under way at once.
            for own in group.iter_mut() {
                own.2 = self.place(own.1).unwrap_or(usize::MAX);
            }
            for (key, _, place) in group.iter() {
                let slot = self.slots.get(*place);
                found(slot.filter(|slot| slot.key == **key && slot.row != Slot::EMPTY));
            }
        }
    }

    fn place(self, hash: u64) -> Option<usize> {
        let pilot = *self.pilots.get(reduce(hash, self.pilots.len()))?;
        Some(displace(hash, pilot, self.slots.len()))
    }
}

/// A number below `bound`, by the high half of another.
fn reduce(hash: u64, bound: usize) -> usize {
    (((hash >> 32) * bound as u64) >> 32) as usize
}

/// Where a pilot sends a key.
fn displace(hash: u64, pilot: u16, slots: usize) -> usize {
    // Spread over all bits, so that two keys never stay as far apart as they are.
    let mixed = hash ^ (u64::from(pilot) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    reduce(mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93), slots)
}

/// Every bit of the key reaches every bit of the hash: keys may be counted, padded or alike in all but one byte.
fn hash(key: &[u8; 16], seed: u64) -> u64 {
    let [low, high] = halves(key);
    let once = fold(low ^ seed, high ^ seed.rotate_left(32) ^ ODD[0]);
    fold(once ^ seed, ODD[1])
}

fn halves(key: &[u8; 16]) -> [u64; 2] {
    bytemuck::cast::<[u8; 16], [u64; 2]>(*key).map(u64::from_le)
}

/// Both halves of a product of 128 bits.
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    product as u64 ^ (product >> 64) as u64
}

/// The seeds to try. They follow from all the keys: whoever wants keys that hash alike cannot know the seed before the keys.
fn seeds(keys: &[([u8; 16], u64)]) -> impl Iterator<Item = u64> {
    let all = keys.iter().fold(ODD[0], |all, (key, _)| {
        let [low, high] = halves(key);
        fold(fold(all ^ low, ODD[1]).wrapping_add(high), ODD[0])
    });
    (0..SEEDS).map(move |number| fold(all ^ number, ODD[1]))
}

/// What a table's keys become.
#[derive(Debug)]
pub(crate) struct BuiltKeys {
    pub seed: u64,
    pub pilots: Vec<u16>,
    pub slots: Vec<Slot>,
    /// The slot of each row.
    pub row_slots: Vec<u32>,
}

/// How many slots so many keys take.
pub(crate) const fn slots_of(keys: usize) -> usize {
    keys + keys / SLACK + 1
}

/// How many pilots so many keys take.
pub(crate) const fn pilots_of(keys: usize) -> usize {
    keys / BUCKET + 1
}

/// Gives every key a slot: distinct keys, and the drawing of each, by row.
///
/// # Errors
/// Two keys are equal.
///
/// # Complexity
/// O(n) expected: about 0.1 us a key.
pub(crate) fn build(keys: &[([u8; 16], u64)]) -> Result<BuiltKeys, SnapshotError> {
    seeds(keys)
        .find_map(|seed| build_with(keys, seed))
        .ok_or_else(|| SnapshotError::Malformed {
            what: "expected distinct keys".to_owned(),
            found: "two that are equal".to_owned(),
        })
}

fn build_with(keys: &[([u8; 16], u64)], seed: u64) -> Option<BuiltKeys> {
    let hashes: Vec<u64> = keys.iter().map(|(key, _)| hash(key, seed)).collect();
    let mut pilots = vec![0_u16; pilots_of(keys.len())];
    let mut slots = vec![Slot::NONE; slots_of(keys.len())];
    let mut row_slots = vec![0_u32; keys.len()];
    // Rows by bucket, the fullest buckets first.
    let mut rows: Vec<(usize, u32)> = hashes
        .iter()
        .zip(0..)
        .map(|(&hash, row)| (reduce(hash, pilots.len()), row))
        .collect();
    rows.sort_unstable();
    let mut buckets: Vec<&[(usize, u32)]> = rows.chunk_by(|a, b| a.0 == b.0).collect();
    buckets.sort_by_key(|bucket| std::cmp::Reverse(bucket.len()));
    let hash_of = |row: u32| hashes.get(row as usize).copied().unwrap_or_default();
    let mut places: Vec<usize> = Vec::new();
    for bucket in buckets {
        let pilot = (0..=u16::MAX).find(|&pilot| {
            places.clear();
            bucket.iter().all(|&(_, row)| {
                let place = displace(hash_of(row), pilot, slots.len());
                let free = slots.get(place).is_some_and(|slot| slot.row == Slot::EMPTY);
                let free = free && !places.contains(&place);
                places.push(place);
                free
            })
        })?;
        for (&(number, row), &place) in bucket.iter().zip(&places) {
            *pilots.get_mut(number)? = pilot;
            *row_slots.get_mut(row as usize)? = place as u32;
            let &(key, drawing) = keys.get(row as usize)?;
            *slots.get_mut(place)? = Slot {
                key,
                drawing,
                row,
                spare: 0,
            };
        }
    }
    Some(BuiltKeys {
        seed,
        pilots,
        slots,
        row_slots,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    fn check(keys: &[[u8; 16]], absent: &[[u8; 16]]) {
        let keyed: Vec<([u8; 16], u64)> = keys.iter().copied().zip(100..).collect();
        let expected: BTreeMap<[u8; 16], u32> = keys.iter().copied().zip(0..).collect();
        assert_eq!(expected.len(), keys.len());
        let built = build(&keyed).unwrap();
        let found = Keys {
            seed: built.seed,
            pilots: &built.pilots,
            slots: &built.slots,
        };
        let asked: Vec<[u8; 16]> = keys.iter().chain(absent).copied().collect();
        let mut batch = Vec::new();
        found.find_all(asked.iter(), |slot| batch.push(slot.map(|slot| slot.row)));
        for (key, in_batch) in asked.iter().zip(batch) {
            let slot = found.find(key);
            assert_eq!(slot.map(|slot| slot.row), expected.get(key).copied());
            assert_eq!(slot.map(|slot| slot.row), in_batch);
            if let Some(slot) = slot {
                assert_eq!(slot.drawing, 100 + u64::from(slot.row));
                assert_eq!(
                    built.slots[built.row_slots[slot.row as usize] as usize],
                    *slot
                );
            }
        }
        let filled = built.slots.iter().filter(|slot| **slot != Slot::NONE);
        assert_eq!(filled.count(), keys.len());
    }

    /// Keys that share their beginnings, their ends or nearly everything, as no digests do.
    fn alike() -> impl Strategy<Value = [u8; 16]> {
        prop_oneof![
            any::<[u8; 16]>(),
            prop::array::uniform16(prop::sample::select(vec![0, 1, 255])),
            any::<[u8; 2]>().prop_map(|end| {
                let mut key = [7; 16];
                key[14..].copy_from_slice(&end);
                key
            }),
            any::<[u8; 2]>().prop_map(|start| {
                let mut key = [7; 16];
                key[..2].copy_from_slice(&start);
                key
            }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn finds_what_a_tree_finds(
            keys in prop::collection::btree_set(alike(), 0..200),
            absent in prop::collection::vec(alike(), 0..20),
        ) {
            let keys: Vec<[u8; 16]> = keys.into_iter().collect();
            check(&keys, &absent);
        }
    }

    /// So many keys of every kind that is not spread as digests are, by the kind's name.
    fn unlike_digests(count: u128) -> Vec<(String, Vec<[u8; 16]>)> {
        type Key = Box<dyn Fn(u128) -> [u8; 16]>;
        let mut kinds: Vec<(String, Key)> = Vec::new();
        for byte in 0..14 {
            let shifted = move |number: u128| number << (8 * byte);
            let little: Key = Box::new(move |number| shifted(number).to_le_bytes());
            let big: Key = Box::new(move |number| shifted(number).to_be_bytes());
            kinds.push((format!("counted from byte {byte}"), little));
            kinds.push((format!("counted backwards from byte {byte}"), big));
        }
        for power in [1, 5, 31, 47, 63, 75, 100] {
            let multiple: Key = Box::new(move |number| (number << power).to_le_bytes());
            kinds.push((format!("multiples of 2^{power}"), multiple));
        }
        let text = |number: u128, text: String| {
            let mut key = [0; 16];
            key[..text.len()].copy_from_slice(text.as_bytes());
            assert!(number < 1 << 20);
            key
        };
        kinds.push((
            "text padded with zeros".to_owned(),
            Box::new(move |number| text(number, format!("cell-{number}"))),
        ));
        kinds.push((
            "digits of 25 in the first bytes".to_owned(),
            Box::new(|number| {
                let digit = |place: u32| (number / 25_u128.pow(place) % 25) as u8;
                std::array::from_fn(|place| if place < 8 { digit(place as u32) } else { 0 })
            }),
        ));
        // Pairs whose halves have equal sums and, where products wrap at 64 bits, equal sums of odd multiples.
        kinds.push((
            "pairs that differ in the highest bits".to_owned(),
            Box::new(|number| {
                let half = number / 2;
                let flipped = if number % 2 == 0 {
                    0
                } else {
                    1 << 63 | 1 << 95
                };
                (half ^ flipped).to_le_bytes()
            }),
        ));
        let keys = |key: Key| (1..=count).map(key).collect();
        kinds
            .into_iter()
            .map(|(kind, key)| (kind, keys(key)))
            .collect()
    }

    /// How many pilots were tried, where the first seed will do.
    fn tried(keys: &[[u8; 16]], kind: &str) -> u64 {
        let keyed: Vec<([u8; 16], u64)> = keys.iter().map(|key| (*key, 0)).collect();
        let built = build(&keyed).unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert_eq!(Some(built.seed), seeds(&keyed).next(), "{kind}");
        built.pilots.iter().map(|pilot| u64::from(*pilot) + 1).sum()
    }

    #[test]
    fn keys_of_any_kind_are_placed_as_fast_as_random_ones() {
        const COUNT: u128 = 50_000;
        let mut random = crate::random::SplitMix(1);
        let mut next = || u128::from(random.next()) << 64 | u128::from(random.next());
        let random: Vec<[u8; 16]> = (0..COUNT).map(|_| next().to_le_bytes()).collect();
        let expected = tried(&random, "random");
        for (kind, keys) in unlike_digests(COUNT) {
            let found = tried(&keys, &kind);
            assert!(
                found < expected * 5 / 4,
                "{kind}: {found}, random: {expected}"
            );
        }
    }

    #[test]
    fn finds_keys_that_are_no_digests() {
        let absent = [[0; 16], [255; 16], *b"0123456789abcdef"];
        for (_, keys) in unlike_digests(5_000) {
            check(&keys, &absent);
        }
        check(&[[0; 16]], &absent[1..]);
    }

    #[test]
    fn equal_keys_are_refused() {
        let error = build(&[([1; 16], 0), ([2; 16], 0), ([1; 16], 0)]).unwrap_err();
        assert!(
            error.to_string().contains("expected distinct keys"),
            "{error}"
        );
    }
}
