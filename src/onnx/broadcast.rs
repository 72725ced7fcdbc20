//! NumPy's rule for tensors of different sides: from the last axis on, a side of one is stretched.

/// The sides of the result.
///
/// # Errors
/// Two sides differ and neither is one.
pub(super) fn broadcast_dims(a: &[u64], b: &[u64]) -> Result<Vec<u64>, String> {
    let rank = a.len().max(b.len());
    let side = |dims: &[u64], index: usize| {
        (index + dims.len()).checked_sub(rank).and_then(|index| dims.get(index)).copied().unwrap_or(1)
    };
    let both = |index| match (side(a, index), side(b, index)) {
        (a, b) if a == b || b == 1 => Ok(a),
        (1, b) => Ok(b),
        _ => Err(format!("sides {a:?} with {b:?}")),
    };
    (0..rank).map(both).collect()
}

/// Where the element at `position` of a result with sides `dims` lies in a tensor with sides `own`.
pub(super) fn broadcast_index(position: u64, dims: &[u64], own: &[u64]) -> usize {
    let (mut left, mut index, mut stride) = (position, 0, 1);
    for (back, side) in dims.iter().rev().enumerate() {
        let at = left % (*side).max(1);
        left /= (*side).max(1);
        let own = own.len().checked_sub(back + 1).and_then(|axis| own.get(axis)).copied().unwrap_or(1);
        if own > 1 {
            index += at * stride;
        }
        stride *= own;
    }
    index as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_of_one_are_stretched() {
        assert_eq!(broadcast_dims(&[3, 1], &[2]), Ok(vec![3, 2]));
        assert!(broadcast_dims(&[3], &[2]).is_err());
        let column: Vec<usize> = (0..6).map(|position| broadcast_index(position, &[3, 2], &[3, 1])).collect();
        assert_eq!(column, [0, 0, 1, 1, 2, 2]);
        let row: Vec<usize> = (0..6).map(|position| broadcast_index(position, &[3, 2], &[2])).collect();
        assert_eq!(row, [0, 1, 0, 1, 0, 1]);
    }
}
