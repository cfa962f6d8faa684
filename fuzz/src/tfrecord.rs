//! TFRecord files: any bytes, as a record or as a whole file. A record that is read is written again, byte for byte.

use ecnas::import::ImportOptions;
use ecnas::import::tfrecord::{decode_record, encode_record};

use super::file::import;

/// Reads the bytes as a record; where the first is a multiple of 16, the rest as a file, with checksums made right.
pub fn run(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    if first % 16 == 0 {
        let mut bytes = rest.to_vec();
        correct(&mut bytes);
        let mut options = ImportOptions::default();
        options.max_record_bytes = 1 << 16;
        import(&bytes, &options);
    } else if let Ok(trial) = decode_record(rest) {
        let again = encode_record(&trial).expect("what was read can be written");
        assert_eq!(again, rest);
    }
}

/// Makes the checksums of a file's records right, as far as its lengths lead.
fn correct(mut bytes: &mut [u8]) {
    let masked = |bytes: &[u8]| {
        let crc = crc32c::crc32c(bytes);
        crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
    };
    while let Some((head, rest)) = bytes.split_first_chunk_mut::<12>() {
        let (length, crc) = head.split_at_mut(8);
        crc.copy_from_slice(&masked(length));
        let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
        let Some(end) = usize::try_from(length)
            .ok()
            .filter(|end| *end <= rest.len())
        else {
            return;
        };
        let (payload, rest) = rest.split_at_mut(end);
        let Some((crc, rest)) = rest.split_first_chunk_mut::<4>() else {
            return;
        };
        *crc = masked(payload);
        bytes = rest;
    }
}
