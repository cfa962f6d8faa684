//! Finding a key: a directory over the first bits of the sorted keys, then a search among the few that share them.
//!
//! Hashes are spread evenly, so that a bucket of the directory holds about two keys, whatever the table's size.

/// How many bits the directory over so many keys takes: about two keys a bucket.
pub(crate) fn directory_bits(keys: usize) -> u32 {
    (keys.max(2) / 2).ilog2().min(28)
}

/// The first `bits` bits of a key.
pub(crate) fn prefix(key: &[u8; 16], bits: u32) -> usize {
    let [a, b, c, d, ..] = *key;
    let first = u32::from_be_bytes([a, b, c, d]);
    (u64::from(first) >> (32 - bits)) as usize
}

/// The place of a key among the sorted keys.
///
/// # Complexity
/// O(log n) at worst; two dependent reads for keys that are spread evenly.
pub(crate) fn find(
    keys: &[[u8; 16]],
    directory: &[u32],
    bits: u32,
    key: &[u8; 16],
) -> Option<usize> {
    let prefix = prefix(key, bits);
    let start = *directory.get(prefix)? as usize;
    let end = *directory.get(prefix + 1)? as usize;
    let bucket = keys.get(start..end)?;
    let place = if bucket.len() <= 8 {
        bucket.iter().position(|other| other == key)?
    } else {
        bucket.binary_search(key).ok()?
    };
    Some(start + place)
}
