//! Tensors whose elements lie in a file beside the model.

use std::{
    collections::HashMap,
    fs,
    io::{Read, Seek, SeekFrom},
    path::{Component, Path, PathBuf},
};

use super::proto::StringStringEntry;

/// Found and expected.
type Wrong = (String, String);

/// The files beside the model, each of whose length is asked for once.
pub(super) struct External {
    folder: Option<PathBuf>,
    lengths: HashMap<PathBuf, Option<u64>>,
    absent: Vec<String>,
}

/// A part of a file.
struct Range {
    location: String,
    path: PathBuf,
    offset: u64,
    length: Option<u64>,
}

impl External {
    /// Files are looked for in `folder`, that of the model.
    pub(super) fn beside(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), lengths: HashMap::new(), absent: Vec::new() }
    }

    /// For bytes that came from no folder: every external file is absent.
    pub(super) fn nowhere() -> Self {
        Self { folder: None, lengths: HashMap::new(), absent: Vec::new() }
    }

    /// The files that were named but are not there, in order.
    pub(super) fn absent(&self) -> &[String] {
        &self.absent
    }

    /// The elements that `entries` point to, `bytes` of them, if `wanted`; or why they are not known.
    ///
    /// A file that is absent is no error: sides are all that most tensors are needed for.
    ///
    /// # Errors
    /// The place is outside the model's folder, or the range is not in the file; found and expected.
    pub(super) fn read(
        &mut self,
        entries: &[StringStringEntry],
        bytes: u64,
        wanted: bool,
    ) -> Result<Result<Vec<u8>, String>, Wrong> {
        let range = self.range(entries)?;
        if let Some(length) = range.length.filter(|length| *length != bytes) {
            return Err((
                format!("{length} bytes in {}", range.location),
                format!("{bytes}, as the tensor's sides and type say"),
            ));
        }
        let Some(available) = self.length(&range) else {
            return Ok(Err(format!("elements in {}, which is not there", range.location)));
        };
        let end = range.offset.checked_add(bytes).filter(|end| *end <= available);
        if end.is_none() {
            return Err((
                format!(
                    "bytes from {} on, {bytes} of them, in {} of {available} bytes",
                    range.offset, range.location
                ),
                "a range within the file".into(),
            ));
        }
        if !wanted {
            return Ok(Err("more elements than are looked into".into()));
        }
        let read = read_range(&range.path, range.offset, bytes);
        read.map(Ok)
            .map_err(|error| (format!("{}: {error}", range.location), "a file that can be read".into()))
    }

    fn range(&self, entries: &[StringStringEntry]) -> Result<Range, Wrong> {
        let get = |key: &str| entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str());
        let location = get("location").unwrap_or_default().to_owned();
        let below = Path::new(&location);
        let inside = below.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if location.is_empty() || !inside {
            let expected = "the name of a file in the model's folder";
            return Err((format!("external data in `{location}`"), expected.into()));
        }
        let number = |key: &str| {
            let read = |text: &str| {
                text.parse::<u64>().map_err(|_| (format!("{key} `{text}`"), "a number of bytes".into()))
            };
            get(key).map(read).transpose()
        };
        let folder = self.folder.clone().unwrap_or_default();
        let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
        Ok(Range { path: folder.join(below), location, offset, length })
    }

    /// The length of the range's file, unless it is absent or leads out of the folder by a link.
    fn length(&mut self, range: &Range) -> Option<u64> {
        let folder = self.folder.as_ref()?;
        if let Some(known) = self.lengths.get(&range.path) {
            return *known;
        }
        let root = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let within = fs::canonicalize(root)
            .and_then(|root| Ok(fs::canonicalize(&range.path)?.starts_with(root)))
            .unwrap_or(false);
        let length =
            fs::metadata(&range.path).ok().filter(|data| within && data.is_file()).map(|data| data.len());
        if length.is_none() {
            self.absent.push(range.location.clone());
        }
        self.lengths.insert(range.path.clone(), length);
        length
    }
}

fn read_range(path: &Path, offset: u64, bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut read = Vec::new();
    file.take(bytes).read_to_end(&mut read)?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(pairs: &[(&str, &str)]) -> Vec<StringStringEntry> {
        let entry =
            |(key, value): &(&str, &str)| StringStringEntry { key: (*key).into(), value: (*value).into() };
        pairs.iter().map(entry).collect()
    }

    #[test]
    fn ranges_may_overlap_but_not_leave_the_file_or_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("w.bin"), [1, 2, 3, 4, 5, 6]).unwrap();
        let mut external = External::beside(folder.path());
        let mut read = |pairs: &[(&str, &str)]| external.read(&entries(pairs), 4, true);
        assert_eq!(read(&[("location", "w.bin")]), Ok(Ok(vec![1, 2, 3, 4])));
        assert_eq!(read(&[("location", "./w.bin"), ("offset", "2")]), Ok(Ok(vec![3, 4, 5, 6])));
        assert!(read(&[("location", "w.bin"), ("offset", "3")]).unwrap_err().0.contains("6 bytes"));
        assert!(read(&[("location", "w.bin"), ("offset", "18446744073709551615")]).is_err());
        assert!(read(&[("location", "w.bin"), ("length", "5")]).is_err());
        for outside in ["../w.bin", "/etc/passwd", "a/../../w.bin", ""] {
            assert!(read(&[("location", outside)]).is_err(), "{outside}");
        }
        assert!(read(&[("location", "gone.bin")]).unwrap().is_err());
        assert_eq!(external.absent(), ["gone.bin"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_as_good_as_absent() {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(other.path().join("secret"), [0; 4]).unwrap();
        std::os::unix::fs::symlink(other.path().join("secret"), folder.path().join("w.bin")).unwrap();
        let mut external = External::beside(folder.path());
        assert!(external.read(&entries(&[("location", "w.bin")]), 4, true).unwrap().is_err());
    }
}
