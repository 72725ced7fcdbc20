//! Writing a file so that nobody ever sees half of it.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

use crate::error::{Error, Result};

/// Writes `content` beside `path`, syncs it and renames it into place.
///
/// A crash or a full disk leaves the old file, if there was one, untouched.
///
/// # Errors
/// The folder cannot be written, or the file cannot be replaced.
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    write_atomically_with(path, |file| file.write_all(content))
}

/// The same for content that is not to be held in memory as a whole.
///
/// # Errors
/// As [`write_atomically`].
pub fn write_atomically_with(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>,
) -> Result<()> {
    let fail = |source| Error::io("write", path, source);
    let file = beside(path)?;
    let mut buffer = BufWriter::new(file.as_file());
    write(&mut buffer).and_then(|()| buffer.flush()).map_err(fail)?;
    drop(buffer);
    file.as_file().sync_all().map_err(fail)?;
    make_readable(file.as_file()).map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// Makes sure that `path` can be written before the work that is to be written there.
///
/// # Errors
/// `path` is a folder, its own folder does not exist, or nothing can be created there.
pub fn check_writable(path: &Path) -> Result<()> {
    if path.is_dir() {
        let said = format!("{} is a folder; name a file in it", path.display());
        return Err(Error::unusable(said));
    }
    beside(path).map(drop)
}

/// A temporary file in the folder of `path`; its own name is nobody's concern.
fn beside(path: &Path) -> Result<tempfile::NamedTempFile> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(Error::unusable(format!(
            "cannot write {}: there is no folder {}; create it with mkdir -p {1}",
            path.display(),
            folder.display()
        )));
    }
    let file = tempfile::Builder::new().prefix(".nas-").tempfile_in(folder);
    file.map_err(|error| Error::io("write", path, error.kind().into()))
}

/// Temporary files are private; a result is for whoever may read the folder.
#[cfg(unix)]
fn make_readable(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &fs::File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_content_replaces_the_old() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write_atomically(&path, b"old").unwrap();
        write_atomically(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_missing_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_atomically(&folder.path().join("no/a.json"), b"x").unwrap_err();
        assert!(error.to_string().contains("a.json"), "{error}");
    }
}
