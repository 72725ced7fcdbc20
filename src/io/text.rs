//! Reading text, plain or gzipped.

use std::{fs, io::Read, path::Path};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Problem, Result};

/// The bytes of a file; one that is gzipped (by content, not by name) is inflated.
///
/// # Errors
/// The file cannot be read or its gzip stream is damaged.
pub fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    let raw = fs::read(path).map_err(|source| Error::io("read", path, source))?;
    if !raw.starts_with(&[0x1f, 0x8b]) {
        return Ok(raw);
    }
    let mut inflated = Vec::new();
    MultiGzDecoder::new(raw.as_slice())
        .read_to_end(&mut inflated)
        .map_err(|source| Error::io("inflate", path, source))?;
    Ok(inflated)
}

/// The UTF-8 text of a file, plain or gzipped, without a byte-order mark.
///
/// # Errors
/// As [`read_bytes`], or the content is not UTF-8.
pub fn read_text(path: &Path) -> Result<String> {
    let text = String::from_utf8(read_bytes(path)?).map_err(|error| Problem {
        file: path.display().to_string(),
        position: None,
        path: String::new(),
        found: format!("a byte that is not UTF-8 at offset {}", error.utf8_error().valid_up_to()),
        expected: "a UTF-8 text file".into(),
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_gzipped_file_reads_like_a_plain_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"op\n").unwrap();
        fs::write(&path, gz.finish().unwrap()).unwrap();
        assert_eq!(read_text(&path).unwrap(), "op\n");
    }
}
