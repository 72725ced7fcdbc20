//! A reader of TFLite files that knows nothing of the writer: offsets, tables and vectors from the bytes alone.

use std::{fmt::Debug, mem::size_of};

/// A table in a file.
#[derive(Clone, Copy)]
pub(super) struct Table<'f> {
    file: &'f [u8],
    place: usize,
}

fn number<const N: usize>(file: &[u8], place: usize) -> [u8; N] {
    assert_eq!(place % N, 0, "a number of {N} bytes at {place}");
    file[place..place + N].try_into().unwrap()
}

fn offset(file: &[u8], place: usize) -> usize {
    place + u32::from_le_bytes(number(file, place)) as usize
}

/// The table that a file begins with.
pub(super) fn root<'f>(file: &'f [u8], identifier: &str) -> Table<'f> {
    assert_eq!(&file[4..8], identifier.as_bytes());
    Table { file, place: offset(file, 0) }
}

impl<'f> Table<'f> {
    /// Where the field in `slot` stands, if the table has it.
    fn field(&self, slot: usize) -> Option<usize> {
        let back = i32::from_le_bytes(number(self.file, self.place));
        let vtable = (self.place as i64 - i64::from(back)) as usize;
        let length = u16::from_le_bytes(number(self.file, vtable)) as usize;
        let entry = 4 + 2 * slot;
        let at = (entry < length).then(|| u16::from_le_bytes(number(self.file, vtable + entry)))?;
        (at > 0).then(|| self.place + at as usize)
    }

    pub(super) fn byte(&self, slot: usize) -> i8 {
        self.field(slot).map_or(0, |place| self.file[place] as i8)
    }

    pub(super) fn int(&self, slot: usize, default: i32) -> i32 {
        self.field(slot).map_or(default, |place| i32::from_le_bytes(number(self.file, place)))
    }

    pub(super) fn table(&self, slot: usize) -> Option<Table<'f>> {
        self.field(slot).map(|place| Table { file: self.file, place: offset(self.file, place) })
    }

    pub(super) fn tables(&self, slot: usize) -> Vec<Table<'f>> {
        let (file, length, start) = (self.file, self.length(slot), self.start(slot));
        (0..length).map(|n| Table { file, place: offset(file, start + 4 * n) }).collect()
    }

    /// Where the elements of a vector begin.
    pub(super) fn start(&self, slot: usize) -> usize {
        self.field(slot).map_or(0, |place| offset(self.file, place) + 4)
    }

    pub(super) fn length(&self, slot: usize) -> usize {
        let of = |place| u32::from_le_bytes(number(self.file, offset(self.file, place))) as usize;
        self.field(slot).map_or(0, of)
    }

    fn elements<const N: usize, T: Debug>(&self, slot: usize, read: fn([u8; N]) -> T) -> Vec<T> {
        assert_eq!(size_of::<T>(), N);
        let start = self.start(slot);
        (0..self.length(slot)).map(|n| read(number(self.file, start + N * n))).collect()
    }

    pub(super) fn ints(&self, slot: usize) -> Vec<i32> {
        self.elements(slot, i32::from_le_bytes)
    }

    pub(super) fn longs(&self, slot: usize) -> Vec<i64> {
        self.elements(slot, i64::from_le_bytes)
    }

    pub(super) fn floats(&self, slot: usize) -> Vec<f32> {
        self.elements(slot, f32::from_le_bytes)
    }

    pub(super) fn bytes(&self, slot: usize) -> Vec<u8> {
        self.elements(slot, u8::from_le_bytes)
    }

    pub(super) fn text(&self, slot: usize) -> String {
        String::from_utf8(self.bytes(slot)).unwrap()
    }
}
