//! Constants: sides, and the elements where they are few enough to matter.
//!
//! A network's costs follow from the sides of its weights; only small tensors,
//! such as shapes, axes and bounds, are ever looked into.

use super::{
    external::External,
    proto::{Tensor, data_type},
};

/// Tensors of more elements are weights; nothing of them but their sides is needed.
pub(super) const MOST_ELEMENTS: u64 = 4096;

/// A tensor that does not depend on the network's input.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) dims: Vec<u64>,
    /// `TensorProto.DataType` as stored; it outlives casts and dequantisation.
    pub(super) stored: i32,
    /// The elements, or why they are not known.
    pub(super) data: Result<Data, String>,
}

/// The elements of a constant in row-major order; booleans are integers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Data {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
}

impl Data {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Ints(values) => values.len(),
            Self::Floats(values) => values.len(),
        }
    }

    pub(super) fn floats(&self) -> Vec<f64> {
        match self {
            Self::Ints(values) => values.iter().map(|value| *value as f64).collect(),
            Self::Floats(values) => values.clone(),
        }
    }

    /// As integers; floats are truncated, as a cast does.
    pub(super) fn ints(&self) -> Vec<i64> {
        match self {
            Self::Ints(values) => values.clone(),
            Self::Floats(values) => values.iter().map(|value| *value as i64).collect(),
        }
    }
}

impl Constant {
    pub(super) fn ints(dims: Vec<u64>, values: Vec<i64>) -> Self {
        Self { dims, stored: data_type::INT64, data: Ok(Data::Ints(values)) }
    }

    pub(super) fn floats(dims: Vec<u64>, values: Vec<f64>) -> Self {
        Self { dims, stored: data_type::FLOAT, data: Ok(Data::Floats(values)) }
    }

    pub(super) fn elements(&self) -> u64 {
        elements(&self.dims)
    }

    pub(super) fn known(&self) -> Result<&Data, String> {
        self.data.as_ref().map_err(Clone::clone)
    }

    /// The only element of a scalar or of a tensor of one element.
    pub(super) fn scalar(&self) -> Option<f64> {
        match self.data.as_ref() {
            Ok(data) if data.len() == 1 => data.floats().first().copied(),
            _ => None,
        }
    }

    /// Reads a tensor of a file; what it says of itself has to hold together.
    ///
    /// # Errors
    /// Its sides, its type and its data do not fit each other; found and expected.
    pub(super) fn read(tensor: &Tensor, external: &mut External) -> Result<Self, (String, String)> {
        let dims: Option<Vec<u64>> = tensor.dims.iter().map(|side| u64::try_from(*side).ok()).collect();
        let dims =
            dims.ok_or_else(|| (format!("sides {:?}", tensor.dims), "sides of zero or more".into()))?;
        let count = elements(&dims);
        let constant = |data| Self { dims: dims.clone(), stored: tensor.data_type, data };
        let Some(size) = element_size(tensor.data_type) else {
            return Ok(constant(Err(format!("elements of type {}", tensor.data_type))));
        };
        if tensor.data_location == 1 {
            let wanted = (count <= MOST_ELEMENTS).then_some(());
            let bytes = external.read(&tensor.external_data, count.saturating_mul(size), wanted.is_some())?;
            return Ok(constant(bytes.map(|bytes| from_raw(tensor.data_type, &bytes))));
        }
        if !tensor.raw_data.is_empty() {
            expect_len("bytes", tensor.raw_data.len() as u64, count.saturating_mul(size))?;
            if count > MOST_ELEMENTS {
                return Ok(constant(Err(too_many(count))));
            }
            return Ok(constant(Ok(from_raw(tensor.data_type, &tensor.raw_data))));
        }
        let (found, data) = from_fields(tensor, count <= MOST_ELEMENTS);
        expect_len("elements", found, count)?;
        Ok(constant(data.ok_or_else(|| too_many(count))))
    }
}

pub(super) fn elements(dims: &[u64]) -> u64 {
    dims.iter().fold(1, |product: u64, side| product.saturating_mul(*side))
}

fn too_many(count: u64) -> String {
    format!("{count} elements, more than are looked into")
}

fn expect_len(unit: &str, found: u64, expected: u64) -> Result<(), (String, String)> {
    if found == expected {
        return Ok(());
    }
    Err((format!("{found} {unit} of data"), format!("{expected}, as its sides and type say")))
}

fn element_size(kind: i32) -> Option<u64> {
    Some(match kind {
        data_type::UINT8 | data_type::INT8 | data_type::BOOL => 1,
        data_type::UINT16 | data_type::INT16 | data_type::FLOAT16 | data_type::BFLOAT16 => 2,
        data_type::FLOAT | data_type::INT32 | data_type::UINT32 => 4,
        data_type::DOUBLE | data_type::INT64 | data_type::UINT64 => 8,
        _ => return None,
    })
}

/// Little-endian elements of a type that [`element_size`] knows.
fn from_raw(kind: i32, raw: &[u8]) -> Data {
    fn each<const N: usize, T>(raw: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
        raw.chunks_exact(N).filter_map(|bytes| <[u8; N]>::try_from(bytes).ok()).map(read).collect()
    }
    match kind {
        data_type::UINT8 | data_type::BOOL => Data::Ints(each(raw, |b| i64::from(u8::from_le_bytes(b)))),
        data_type::INT8 => Data::Ints(each(raw, |b| i64::from(i8::from_le_bytes(b)))),
        data_type::UINT16 => Data::Ints(each(raw, |b| i64::from(u16::from_le_bytes(b)))),
        data_type::INT16 => Data::Ints(each(raw, |b| i64::from(i16::from_le_bytes(b)))),
        data_type::INT32 => Data::Ints(each(raw, |b| i64::from(i32::from_le_bytes(b)))),
        data_type::UINT32 => Data::Ints(each(raw, |b| i64::from(u32::from_le_bytes(b)))),
        data_type::INT64 => Data::Ints(each(raw, i64::from_le_bytes)),
        data_type::UINT64 => {
            Data::Ints(each(raw, |b| i64::try_from(u64::from_le_bytes(b)).unwrap_or(i64::MAX)))
        }
        data_type::FLOAT16 => Data::Floats(each(raw, |b| half(u16::from_le_bytes(b)))),
        data_type::BFLOAT16 => Data::Floats(each(raw, |b| brain(u16::from_le_bytes(b)))),
        data_type::DOUBLE => Data::Floats(each(raw, f64::from_le_bytes)),
        _ => Data::Floats(each(raw, |b| f64::from(f32::from_le_bytes(b)))),
    }
}

/// How many elements the typed fields hold, and the elements if they are `wanted`.
fn from_fields(tensor: &Tensor, wanted: bool) -> (u64, Option<Data>) {
    let ints = |len: usize, read: &dyn Fn() -> Vec<i64>| (len as u64, wanted.then(|| Data::Ints(read())));
    let floats = |len: usize, read: &dyn Fn() -> Vec<f64>| (len as u64, wanted.then(|| Data::Floats(read())));
    let (int32, int64) = (&tensor.int32_data, &tensor.int64_data);
    match tensor.data_type {
        data_type::FLOAT => floats(tensor.float_data.len(), &|| {
            tensor.float_data.iter().map(|value| f64::from(*value)).collect()
        }),
        data_type::DOUBLE => floats(tensor.double_data.len(), &|| tensor.double_data.clone()),
        data_type::FLOAT16 => floats(int32.len(), &|| int32.iter().map(|bits| half(*bits as u16)).collect()),
        data_type::BFLOAT16 => {
            floats(int32.len(), &|| int32.iter().map(|bits| brain(*bits as u16)).collect())
        }
        data_type::INT64 => ints(int64.len(), &|| int64.clone()),
        data_type::UINT32 | data_type::UINT64 => ints(tensor.uint64_data.len(), &|| {
            tensor.uint64_data.iter().map(|value| i64::try_from(*value).unwrap_or(i64::MAX)).collect()
        }),
        _ => ints(int32.len(), &|| int32.iter().map(|value| i64::from(*value)).collect()),
    }
}

/// IEEE 754 half precision.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

/// The upper half of single precision.
fn brain(bits: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(bits) << 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tensor: &Tensor) -> Result<Constant, (String, String)> {
        Constant::read(tensor, &mut External::nowhere())
    }

    #[test]
    fn elements_are_read_from_raw_bytes_and_from_typed_fields() {
        let raw = Tensor {
            dims: vec![2],
            data_type: data_type::INT64,
            raw_data: [3i64.to_le_bytes(), (-1i64).to_le_bytes()].concat(),
            ..Tensor::default()
        };
        let typed = Tensor { raw_data: Vec::new(), int64_data: vec![3, -1], ..raw.clone() };
        for tensor in [raw, typed] {
            assert_eq!(read(&tensor).unwrap().data, Ok(Data::Ints(vec![3, -1])));
        }
        let halves = Tensor {
            dims: vec![2],
            data_type: data_type::FLOAT16,
            int32_data: vec![0x4600, 0xc200],
            ..Tensor::default()
        };
        assert_eq!(read(&halves).unwrap().data, Ok(Data::Floats(vec![6.0, -3.0])));
    }

    #[test]
    fn data_that_does_not_fit_the_sides_is_refused() {
        let short =
            Tensor { dims: vec![3], data_type: data_type::FLOAT, raw_data: vec![0; 8], ..Tensor::default() };
        assert!(read(&short).unwrap_err().0.contains("8 bytes"));
        let negative = Tensor { dims: vec![-1], data_type: data_type::FLOAT, ..Tensor::default() };
        assert!(read(&negative).is_err());
    }
}
