//! Published networks, whose costs are known.

use super::*;

/// MobileNetV2 1.0 (Sandler et al. 2018) as torchvision and Keras build it.
fn mobilenet_v2(input: u32) -> Network {
    const STAGES: [(u32, u32, u32, u32); 7] = [
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ];
    let mut b = NetworkBuilder::new("mobilenet_v2", Shape::new(input, input, 3), DType::Fp32);
    let conv = |cout, kernel, stride| ops::Conv2d::square(cout, kernel, stride);
    let mut x = b.add("stem", conv(32, 3, 2), &[Source::Input], Activation::Relu6).unwrap();
    for (stage, (expansion, cout, repeats, stride)) in STAGES.into_iter().enumerate() {
        for repeat in 0..repeats {
            let block = Block {
                kind: BlockKind::Ibn,
                fused: false,
                kernel: 3,
                stride: if repeat == 0 { stride } else { 1 },
                hidden: b.shape(x).c * expansion,
                cout,
                activation: Activation::Relu6,
                groups: 1,
                se: None,
            };
            x = block.build(&mut b, format!("s{stage}.b{repeat}"), x).unwrap();
        }
    }
    x = b.add("head.features", conv(1280, 1, 1), &[x], Activation::Relu6).unwrap();
    x = b.add("head.pool", ops::GlobalAvgPool, &[x], Activation::None).unwrap();
    b.add("head.classes", ops::Dense { cout: 1000, bias: true }, &[x], Activation::None).unwrap();
    b.finish()
}

#[test]
fn mobilenet_v2_costs_what_is_published() {
    let network = mobilenet_v2(224);
    assert_eq!(network.macs(), Macs(300_774_272));
    assert_eq!(network.params(), Params(3_487_816));
    assert_eq!(network.peak_activation().in_place, Bytes(6_021_120));
    assert_eq!(network.peak_activation().no_alias, Bytes(9_633_792));
    assert_eq!(network.model_bytes(), Bytes(3_487_816 * 4));
}

#[test]
fn a_network_reads_back_as_it_was_written() {
    let network = mobilenet_v2(96);
    let text = serde_json::to_string(&network).unwrap();
    assert_eq!(read_network("n.json", &text).unwrap(), network);
}

fn problems(layers: &str) -> String {
    let head = r#"{"schema":"nas.network/1","name":"n","input":{"h":8,"w":8,"c":3},"layers":"#;
    read_network("n.json", &format!("{head}{layers}}}")).unwrap_err().to_string()
}

#[test]
fn a_wrong_layer_is_refused_with_place_and_hint() {
    let said = problems(r#"[{"name":"a","op":"conv2","inputs":["input"]}]"#);
    assert!(said.contains("layers[0].op") && said.contains("did you mean `conv2d`?"), "{said}");
    let said = problems(r#"[{"name":"a","op":"add","inputs":["input","b"]}]"#);
    assert!(said.contains("layers[0].inputs[1]") && said.contains("earlier layer"), "{said}");
    let said = problems(r#"[{"name":"a","op":"conv2d","inputs":["input"],"cout":4,"kernel":0}]"#);
    assert!(said.contains("layers[0].kernel") && said.contains("found 0"), "{said}");
    let said = problems(r#"[{"name":"a","op":"conv2d","inputs":["input"],"cout":4,"kernel":1,"groups":2}]"#);
    assert!(said.contains("groups that divide both"), "{said}");
    let said = problems(r#"[{"name":"a","op":"dense","inputs":["input"],"cout":4,"kernel":1}]"#);
    assert!(said.contains("unknown field `kernel`"), "{said}");
    assert!(problems("[]").contains("at least one layer"));
}

#[test]
fn numbers_too_large_saturate_instead_of_wrapping() {
    let layers = r#"[{"name":"a","op":"resize","inputs":["input"],"size":65536},
        {"name":"b","op":"conv2d","inputs":["a"],"cout":65536,"kernel":1024},
        {"name":"c","op":"conv2d","inputs":["b"],"cout":65536,"kernel":1024}]"#;
    let head = r#"{"schema":"nas.network/1","name":"n","input":{"h":8,"w":8,"c":3},"layers":"#;
    let network = read_network("n.json", &format!("{head}{layers}}}")).unwrap();
    assert_eq!(network.macs(), Macs(u64::MAX));
}

#[test]
fn a_network_knows_the_parts_that_it_was_put_together_from() {
    let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 4), DType::Int8);
    let mut x = Source::Input;
    b.end_part();
    for name in ["a", "b", "c", "d"] {
        x = b.add(name, ops::Conv2d::square(4, 1, 1), &[x], Activation::Relu).unwrap();
        if ["a", "c"].contains(&name) {
            b.end_part();
        }
    }
    let network = b.finish();
    assert_eq!(network.parts().collect::<Vec<_>>(), [0..1, 1..3, 3..4], "what nobody ended is layers");
    let mut b = NetworkBuilder::new("n", Shape::new(8, 8, 4), DType::Int8);
    let mut x = Source::Input;
    for name in ["a", "b", "c", "d"] {
        x = b.add(name, ops::Conv2d::square(4, 1, 1), &[x], Activation::Relu).unwrap();
    }
    let apart = b.finish();
    assert_eq!(apart.parts().count(), 4);
    assert_eq!(network, apart, "how it came about is no difference");
}
