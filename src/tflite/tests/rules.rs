//! What readers of TFLite demand of a file, and what the network says of it.

use super::read::{BYTE, File, INT, Operator, Tensor};
use crate::network::{DType, Network};

/// Checks `file`, which was written of `network`.
pub(super) fn check(file: &File<'_>, network: &Network) {
    for operator in &file.operators {
        let output = &file.tensors[operator.output];
        assert_eq!(output.shape, written(file, operator), "{}", output.name);
        if network.dtype() == DType::Int8 {
            check_scales(file, operator, output);
        }
    }
    assert_eq!(macs(file), network.macs().0);
    for layer in network.layers() {
        let sides = [1, layer.output.h, layer.output.w, layer.output.c].map(|side| side as i32);
        assert_eq!(file.tensor(&layer.name).shape, sides, "{}", layer.name);
    }
    let weights = file.tensors.iter().filter(|tensor| tensor.name.ends_with(".weight"));
    let weights: u64 = weights.map(|tensor| elements(&tensor.shape)).sum();
    assert_eq!(weights, network.layers().iter().map(|layer| layer.weights).sum::<u64>());
}

fn elements(shape: &[i32]) -> u64 {
    shape.iter().map(|side| *side as u64).product()
}

/// Multiply-adds as they follow from weights and shapes in the file.
fn macs(file: &File<'_>) -> u64 {
    let trained = file.operators.iter().filter(|operator| [3, 4, 9].contains(&operator.code));
    let of = |operator: &Operator<'_>| {
        let output = &file.tensors[operator.output].shape;
        elements(&output[1..3]) * elements(&file.input(operator, 1).shape)
    };
    trained.map(of).sum()
}

/// The shape that follows from what an operator reads and is told, as a runtime computes it.
fn written(file: &File<'_>, operator: &Operator<'_>) -> Vec<i32> {
    let read = &file.input(operator, 0).shape;
    let ints = |place: usize| -> Vec<i32> {
        let data = &file.input(operator, place).data;
        data.chunks(4).map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap())).collect()
    };
    match operator.code {
        3 => {
            let filter = &file.input(operator, 1).shape;
            assert_eq!(read[3] % filter[3], 0, "groups");
            let grouped = read[3] != filter[3];
            assert_eq!(grouped, operator.version == 6, "grouped convolutions have a version of their own");
            window(operator, read, &filter[1..3], [4, 5], filter[0])
        }
        4 => {
            let filter = &file.input(operator, 1).shape;
            assert_eq!(filter[3], read[3] * operator.options.unwrap().int(3, 0), "the depth multiplier");
            window(operator, read, &filter[1..3], [5, 6], filter[3])
        }
        1 | 17 => {
            let options = operator.options.unwrap();
            window(operator, read, &[options.int(4, 0), options.int(3, 0)], [98, 99], read[3])
        }
        9 => {
            let filter = &file.input(operator, 1).shape;
            assert_eq!((read[3], operator.options.unwrap().byte(2)), (filter[1], 1));
            vec![1, 1, 1, filter[0]]
        }
        0 | 18 => {
            let other = &file.input(operator, 1).shape;
            read.iter().zip(other).map(|(a, b)| if *a == 1 { *b } else { *a }).collect()
        }
        2 => {
            assert_eq!((operator.options.unwrap().int(0, 0), operator.options.unwrap().byte(1)), (3, 0));
            let channels = (0..operator.inputs.len()).map(|place| file.input(operator, place).shape[3]);
            vec![1, read[1], read[2], channels.sum()]
        }
        40 => {
            assert_eq!((ints(1), operator.options.unwrap().byte(0)), (vec![1, 2], 1));
            vec![1, 1, 1, read[3]]
        }
        23 | 97 => vec![1, ints(1)[0], ints(1)[1], read[3]],
        34 | 60 => {
            let pads = ints(1);
            read.iter().zip(pads.chunks(2)).map(|(side, pads)| side + pads[0] + pads[1]).collect()
        }
        65 => {
            let (begin, size) = (ints(1), ints(2));
            assert!((0..4).all(|side| begin[side] + size[side] <= read[side]));
            size
        }
        22 => {
            assert_eq!(elements(read), elements(&ints(1)));
            ints(1)
        }
        14 | 19 | 21 | 114 | 117 => read.clone(),
        code => panic!("operator {code}"),
    }
}

fn window(operator: &Operator<'_>, read: &[i32], kernel: &[i32], dilations: [usize; 2], c: i32) -> Vec<i32> {
    let options = operator.options.unwrap();
    let side = |axis: usize| {
        // Width stands before height.
        let (stride, dilation) = (options.int(2 - axis, 0), options.int(dilations[1 - axis], 1));
        let reach = (kernel[axis] - 1) * dilation + 1;
        let size = read[1 + axis];
        if options.byte(0) == 0 { (size + stride - 1) / stride } else { (size - reach) / stride + 1 }
    };
    vec![1, side(0), side(1), c]
}

/// The rules for int8 in the specification of TFLite's quantisation.
fn check_scales(file: &File<'_>, operator: &Operator<'_>, output: &Tensor) {
    let (code, input) = (operator.code, file.input(operator, 0));
    assert_eq!((output.kind, output.scales.len(), output.zeros.len()), (BYTE, 1, 1), "{}", output.name);
    match code {
        3 | 4 | 9 => {
            let (weights, bias) = (file.input(operator, 1), file.input(operator, 2));
            let channels = if code == 9 { 1 } else { output.shape[3] as usize };
            assert_eq!(weights.axis, if code == 4 { 3 } else { 0 });
            assert_eq!((weights.scales.len(), bias.scales.len(), bias.kind), (channels, channels, INT));
            assert!(weights.zeros.iter().chain(&bias.zeros).all(|zero| *zero == 0));
            assert!(weights.data.iter().all(|weight| *weight as i8 != i8::MIN), "symmetric");
            for (weight, bias) in weights.scales.iter().zip(&bias.scales) {
                assert_eq!(*bias, weight * input.scales[0]);
            }
        }
        // What only moves or picks numbers keeps their scale.
        1 | 2 | 17 | 22 | 23 | 34 | 60 | 65 | 97 => {
            let reads = if code == 2 { operator.inputs.len() } else { 1 };
            for place in 0..reads {
                let input = file.input(operator, place);
                assert_eq!((&input.scales, &input.zeros), (&output.scales, &output.zeros), "{}", output.name);
            }
        }
        14 => assert_eq!((&output.scales[..], &output.zeros[..]), (&[1.0 / 256.0][..], &[-128][..])),
        _ => {}
    }
}
