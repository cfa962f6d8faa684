//! What a file is, by its first bytes and never by its name.

use std::io::{self, Read, Seek};
use std::path::Path;

use super::{ImportError, NotASource};

/// A way to read a file.
pub(super) enum Kind {
    TfRecord,
    Csv,
}

/// Bytes that are looked at.
const LOOK: u64 = 4096;

/// Bytes of a TFRecord's length, and fewer than any header of CSV has.
const SHORTEST: usize = 8;

const SNAPSHOT: &[u8] = b"\x89ECNAS\r\n";
const STORE: &[u8] = b"redb\x1A\x0A\xA9\x0D\x0A";
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";
const COMPRESSED: [(&[u8], &str); 4] = [
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "zip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xfd7zXZ\0", "xz"),
];

/// Looks at the file's beginning, and goes back there.
pub(super) fn detect(path: &Path, file: &mut (impl Read + Seek)) -> Result<Kind, ImportError> {
    let start = beginning(file).map_err(|error| ImportError::io(path, error))?;
    kind(&start).map_err(|reason| ImportError::not_a_source(path, reason))
}

fn beginning(file: &mut (impl Read + Seek)) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    file.take(LOOK).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start)
}

fn kind(start: &[u8]) -> Result<Kind, NotASource> {
    if start.is_empty() {
        return Err(NotASource::Empty);
    }
    if start.starts_with(LFS_POINTER) {
        return Err(NotASource::LfsPointer {
            size: lfs_size(start),
        });
    }
    if start.starts_with(SNAPSHOT) {
        return Err(NotASource::Snapshot);
    }
    if start.starts_with(STORE) {
        return Err(NotASource::Store);
    }
    if let Some(&(_, how)) = COMPRESSED
        .iter()
        .find(|(magic, _)| start.starts_with(magic))
    {
        return Err(NotASource::Compressed { how });
    }
    match text(start).map(str::trim_start) {
        Some(text) if text.starts_with(['{', '[']) => Err(json(text)),
        Some(text) if text.trim().is_empty() => Err(NotASource::Empty),
        // No header is so short.
        Some(_) if start.len() < SHORTEST => Err(NotASource::TooShort { bytes: start.len() }),
        Some(_) => Ok(Kind::Csv),
        None if is_utf16(start) => Err(NotASource::Utf16),
        None if looks_framed(start) => Ok(Kind::TfRecord),
        None => Err(almost_text(start).unwrap_or_else(|| NotASource::Unknown {
            found: first_bytes(start),
        })),
    }
}

/// The beginning as text, unless it has bytes that no text has. A character may be cut off where the look ends.
fn text(start: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && start.len() as u64 == LOOK => {
            std::str::from_utf8(start.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let printable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(printable).then_some(text)
}

/// Whether it is text of two bytes a character: by its mark, or by every other byte being zero.
fn is_utf16(start: &[u8]) -> bool {
    let zeros = |first: usize| {
        let mut own = start.iter().skip(first).step_by(2).take(8);
        let mut others = start.iter().skip(1 - first).step_by(2).take(8);
        start.len() >= 16 && own.all(|&byte| byte == 0) && others.all(|&byte| byte != 0)
    };
    start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") || zeros(0) || zeros(1)
}

/// Text but for some bytes of another encoding: what is wrong with the first of them.
fn almost_text(start: &[u8]) -> Option<NotASource> {
    let usual = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    let strange = start.len() - start.iter().filter(usual).count();
    let (at, byte) = first_stray(start)?;
    let at = at as u64;
    (strange * 8 <= start.len()).then_some(NotASource::NotUtf8 { byte, at })
}

/// The first byte that no text in UTF-8 has at its place, and the byte itself.
pub(super) fn first_stray(bytes: &[u8]) -> Option<(usize, u8)> {
    let invalid = std::str::from_utf8(bytes).err();
    let valid = invalid.map_or(bytes.len(), |error| error.valid_up_to());
    let zero = bytes.iter().take(valid).position(|&byte| byte == 0);
    let at = zero.unwrap_or(valid);
    Some((at, *bytes.get(at)?))
}

/// Whether a TFRecord may begin so, even a damaged one: a length below 2^40, or JSON where the first payload starts.
fn looks_framed(start: &[u8]) -> bool {
    let small = matches!(start.get(5..8), Some([0, 0, 0]));
    let json = matches!(start.get(12..14), Some(b"[\""));
    // A cut in the very first bytes leaves a length at most.
    let cut = start.len() < SHORTEST;
    small || json || cut || super::tfrecord::is_header(start)
}

/// Generated graphs map hashes to lists; anything else in JSON is of the training harness or foreign.
fn json(text: &str) -> NotASource {
    let mut compact = text.chars().filter(|c| !c.is_whitespace()).skip(2);
    let hash = compact.by_ref().take(32).all(|c| c.is_ascii_hexdigit());
    let list = compact.take(3).eq("\":[".chars());
    if text.starts_with('{') && hash && list {
        NotASource::Graphs
    } else {
        NotASource::Json
    }
}

fn lfs_size(pointer: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(pointer).ok()?;
    let size = text.lines().find_map(|line| line.strip_prefix("size "))?;
    size.trim().parse().ok()
}

fn first_bytes(start: &[u8]) -> String {
    let bytes = start.get(..16).unwrap_or(start);
    format!("\"{}\"", bytes.escape_ascii())
}
