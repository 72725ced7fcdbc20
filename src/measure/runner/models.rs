//! The model files that programs are given.

use tempfile::TempDir;

use crate::{
    error::{Error, Result},
    io::write_atomically,
    measure::subject::Subject,
    onnx::{ExportOptions, export},
    tflite::{TfliteOptions, tflite_model},
};

/// The form of the model files that a program is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ModelFormat {
    /// ONNX, always in single precision.
    #[default]
    Onnx,
    /// TFLite, in the number format that the device computes in: int8 or fp32.
    Tflite,
}

impl ModelFormat {
    /// Names on the command line.
    pub const NAMES: [(&'static str, Self); 2] = [("onnx", Self::Onnx), ("tflite", Self::Tflite)];

    fn file(self) -> &'static str {
        match self {
            Self::Onnx => "model.onnx",
            Self::Tflite => "model.tflite",
        }
    }

    pub(super) fn bytes(self, subject: &Subject) -> Result<Vec<u8>> {
        match self {
            Self::Onnx => export(&subject.network, &ExportOptions::default()),
            Self::Tflite => tflite_model(&subject.network, &TfliteOptions::default()),
        }
    }
}

/// Models for a program to read, in a folder that goes away with this.
pub(super) struct Models {
    folder: TempDir,
    format: ModelFormat,
}

impl Models {
    pub(super) fn new(format: ModelFormat) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("nas-measure-").tempdir();
        let folder = folder.map_err(|error| Error::io("create", &std::env::temp_dir(), error))?;
        Ok(Self { folder, format })
    }

    /// Writes the subject as a model and gives its path; the one before is gone. The inner error is why the
    /// format cannot say this one subject.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, subject: &Subject) -> Result<Result<String, String>> {
        let path = self.folder.path().join(self.format.file());
        match self.format.bytes(subject) {
            Ok(bytes) => write_atomically(&path, &bytes)?,
            Err(said) => return Ok(Err(said.to_string())),
        }
        Ok(Ok(path.display().to_string()))
    }
}
