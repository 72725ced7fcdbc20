//! Networks with published accuracy on ImageNet.
//!
//! Figures are facts of their authors' tables: single crop, float unless said otherwise. Recipes differ.

mod chain;
mod desktop;
mod mobile;

use nas::network::Network;

use desktop::{densenet, regnet, resnet, vgg};
use mobile::{
    Searched, efficientnet, efficientnet_edgetpu, efficientnet_lite, mnasnet, mobilenet_edgetpu,
    mobilenet_v1, mobilenet_v2, mobilenet_v3, pp_lcnet, searched, shufflenet_v2, tinynet,
};

/// A network and what is known of it.
pub(crate) struct Published {
    /// Where it belongs, one of [`SOURCES`].
    pub(crate) family: &'static str,
    /// Accuracy on ImageNet's validation set in %.
    pub(crate) top1: f64,
    /// Its architecture.
    pub(crate) network: Network,
}

/// Where the accuracies of each family stand.
pub(crate) const SOURCES: [(&str, &str); 17] = [
    ("mobilenet_v1", "Howard et al. 2017; tensorflow/models, slim/nets/mobilenet_v1.md"),
    ("mobilenet_v2", "Sandler et al. 2018; tensorflow/models, slim/nets/mobilenet/README.md"),
    ("mobilenet_v3", "Howard et al. 2019, table 4 and figure 6; the same README"),
    ("mnasnet", "Tan et al. 2019 (A1); torchvision IMAGENET1K_V1 weights (B1)"),
    ("efficientnet", "Tan & Le 2019, table 2"),
    ("efficientnet_lite", "tensorflow/tpu, efficientnet/lite/README.md"),
    ("edgetpu", "tensorflow/tpu, efficientnet/edgetpu/README.md; slim/nets/mobilenet/README.md (int8)"),
    ("regnet", "torchvision IMAGENET1K_V1 weights"),
    ("resnet", "torchvision IMAGENET1K_V1 weights"),
    ("resnext", "torchvision IMAGENET1K_V1 weights, wide ResNets with them"),
    ("vgg", "torchvision IMAGENET1K_V1 weights, with batch-norm"),
    ("shufflenet_v2", "Ma et al. 2018, table 8"),
    (
        "searched",
        "Cai et al. 2019 (ProxylessNAS); Wu et al. 2019 (FBNet); Stamoulis et al. 2019 (Single-Path NAS)",
    ),
    ("mnasnet_a1", "Tan et al. 2019; mingxingtan/mnasnet, README.md"),
    ("tinynet", "Han et al. 2020, table 4; timm's configurations"),
    ("pp_lcnet", "Cui et al. 2021, table 1; PaddleClas"),
    ("densenet", "torchvision IMAGENET1K_V1 weights"),
];

type List = Vec<Published>;

fn push(list: &mut List, family: &'static str, top1: f64, network: Network) {
    list.push(Published { family, top1, network });
}

/// Those in sight of which the score's constants were chosen.
pub(crate) fn seen() -> List {
    let mut list = Vec::new();
    mobilenets(&mut list);
    efficientnets(&mut list);
    desktops(&mut list);
    searched_networks(&mut list);
    list
}

/// Those that were looked at only once the score was finished.
pub(crate) fn unseen() -> List {
    const MNASNET: [(u32, [f64; 5]); 5] = [
        (224, [77.2, 75.2, 73.3, 68.9, 64.1]),
        (192, [76.1, 74.0, 72.1, 67.2, 62.4]),
        // The last is 52.3 in one column of the table and 59.3 in another.
        (160, [74.8, 72.0, 70.1, 64.9, 59.3]),
        (128, [72.5, 69.3, 67.0, 60.8, 54.8]),
        (96, [68.6, 64.4, 62.1, 54.7, 49.3]),
    ];
    let mut list = Vec::new();
    for (input, row) in MNASNET {
        for (width, top1) in [1.4, 1.0, 0.75, 0.5, 0.35].into_iter().zip(row) {
            // That one was seen.
            if (width, input) != (1.0, 224) {
                push(&mut list, "mnasnet_a1", top1, mnasnet(true, width, input));
            }
        }
    }
    for (name, width, depth, input, top1) in [
        ("a", 1.0, 1.2, 192, 77.7),
        ("b", 0.75, 1.1, 188, 75.0),
        ("c", 0.54, 0.85, 184, 71.2),
        ("d", 0.54, 0.695, 152, 67.0),
        ("e", 0.51, 0.6, 106, 59.9),
    ] {
        push(&mut list, "tinynet", top1, tinynet(name, width, depth, input));
    }
    for (width, top1) in [
        (0.25, 51.86),
        (0.35, 58.09),
        (0.5, 63.14),
        (0.75, 68.18),
        (1.0, 71.32),
        (1.5, 73.71),
        (2.0, 75.18),
        (2.5, 76.6),
    ] {
        push(&mut list, "pp_lcnet", top1, pp_lcnet(width));
    }
    for (name, first, growth, blocks, top1) in [
        ("121", 64, 32, [6, 12, 24, 16], 74.43),
        ("169", 64, 32, [6, 12, 32, 32], 75.6),
        ("201", 64, 32, [6, 12, 48, 32], 76.9),
        ("161", 96, 48, [6, 12, 36, 24], 77.14),
    ] {
        push(&mut list, "densenet", top1, densenet(name, first, growth, blocks));
    }
    list
}

fn mobilenets(list: &mut List) {
    const V1: [(f64, [f64; 4]); 4] = [
        (1.0, [70.9, 70.0, 68.0, 65.2]),
        (0.75, [68.4, 67.2, 65.3, 62.1]),
        (0.5, [63.3, 61.7, 59.1, 56.3]),
        (0.25, [49.8, 47.7, 45.5, 41.5]),
    ];
    for (width, row) in V1 {
        for (input, top1) in [224, 192, 160, 128].into_iter().zip(row) {
            push(list, "mobilenet_v1", top1, mobilenet_v1(width, input));
        }
    }
    const V2: [(f64, &[f64]); 6] = [
        (1.4, &[75.0]),
        (1.3, &[74.4]),
        (1.0, &[71.8, 70.7, 68.8, 65.3, 60.3]),
        (0.75, &[69.8, 68.7, 66.4, 63.2, 58.8]),
        (0.5, &[65.4, 63.9, 61.0, 57.7, 51.2]),
        (0.35, &[60.3, 58.2, 55.7, 50.8, 45.5]),
    ];
    for (width, row) in V2 {
        for (input, top1) in [224, 192, 160, 128, 96].into_iter().zip(row) {
            push(list, "mobilenet_v2", *top1, mobilenet_v2(width, input));
        }
    }
    // Widths at 224 pixels, then inputs at full width; the minimalistic variant last.
    const V3: [(bool, [f64; 5], [f64; 5], f64); 2] = [
        (true, [76.6, 75.2, 73.3, 68.8, 64.2], [76.0, 73.7, 71.7, 68.4, 63.3], 72.3),
        (false, [70.4, 67.5, 65.4, 58.0, 49.8], [68.5, 65.4, 62.8, 57.3, 51.7], 61.9),
    ];
    for (large, widths, inputs, minimal) in V3 {
        for (width, top1) in [1.25, 1.0, 0.75, 0.5, 0.35].into_iter().zip(widths) {
            push(list, "mobilenet_v3", top1, mobilenet_v3(large, false, width, 224));
        }
        for (input, top1) in [256, 192, 160, 128, 96].into_iter().zip(inputs) {
            push(list, "mobilenet_v3", top1, mobilenet_v3(large, false, 1.0, input));
        }
        push(list, "mobilenet_v3", minimal, mobilenet_v3(large, true, 1.0, 224));
    }
    push(list, "mnasnet", 75.2, mnasnet(true, 1.0, 224));
    for (width, top1) in [(0.5, 67.73), (0.75, 71.18), (1.0, 73.46), (1.3, 76.51)] {
        push(list, "mnasnet", top1, mnasnet(false, width, 224));
    }
}

fn efficientnets(list: &mut List) {
    for (name, width, depth, input, top1) in [
        ("b0", 1.0, 1.0, 224, 77.1),
        ("b1", 1.0, 1.1, 240, 79.1),
        ("b2", 1.1, 1.2, 260, 80.1),
        ("b3", 1.2, 1.4, 300, 81.6),
        ("b4", 1.4, 1.8, 380, 82.9),
        ("b5", 1.6, 2.2, 456, 83.6),
        ("b6", 1.8, 2.6, 528, 84.0),
        ("b7", 2.0, 3.1, 600, 84.3),
    ] {
        push(list, "efficientnet", top1, efficientnet(name, width, depth, input));
    }
    for (name, width, depth, input, top1) in [
        ("lite0", 1.0, 1.0, 224, 75.1),
        ("lite1", 1.0, 1.1, 240, 76.7),
        ("lite2", 1.1, 1.2, 260, 77.6),
        ("lite3", 1.2, 1.4, 280, 79.8),
        ("lite4", 1.4, 1.8, 300, 81.5),
    ] {
        push(list, "efficientnet_lite", top1, efficientnet_lite(name, width, depth, input));
    }
    for (name, width, depth, input, top1) in
        [("s", 1.0, 1.0, 224, 77.23), ("m", 1.0, 1.1, 240, 78.69), ("l", 1.2, 1.4, 300, 80.62)]
    {
        push(list, "edgetpu", top1, efficientnet_edgetpu(name, width, depth, input));
    }
    for (width, top1) in [(0.75, 73.5), (1.0, 75.6)] {
        push(list, "edgetpu", top1, mobilenet_edgetpu(width, 224));
    }
}

fn desktops(list: &mut List) {
    for (name, blocks, widths, group, top1) in [
        ("x_400mf", [1, 2, 7, 12], [32, 64, 160, 400], 16, 72.83),
        ("x_800mf", [1, 3, 7, 5], [64, 128, 288, 672], 16, 75.21),
        ("x_1.6gf", [2, 4, 10, 2], [72, 168, 408, 912], 24, 77.04),
        ("x_3.2gf", [2, 6, 15, 2], [96, 192, 432, 1008], 48, 78.36),
        ("x_8gf", [2, 5, 15, 1], [80, 240, 720, 1920], 120, 79.34),
        ("x_16gf", [2, 6, 13, 1], [256, 512, 896, 2048], 128, 80.06),
        ("x_32gf", [2, 7, 13, 1], [336, 672, 1344, 2520], 168, 80.62),
        ("y_400mf", [1, 3, 6, 6], [48, 104, 208, 440], 8, 74.05),
        ("y_800mf", [1, 3, 8, 2], [64, 144, 320, 784], 16, 76.42),
        ("y_1.6gf", [2, 6, 17, 2], [48, 120, 336, 888], 24, 77.95),
        ("y_3.2gf", [2, 5, 13, 1], [72, 216, 576, 1512], 24, 78.95),
        ("y_8gf", [2, 4, 10, 1], [224, 448, 896, 2016], 56, 80.03),
        ("y_16gf", [2, 4, 11, 1], [224, 448, 1232, 3024], 112, 80.42),
        ("y_32gf", [2, 5, 12, 1], [232, 696, 1392, 3712], 232, 80.88),
    ] {
        push(list, "regnet", top1, regnet(name, blocks, widths, group));
    }
    for (family, name, blocks, groups, width, top1) in [
        ("resnet", "18", [2, 2, 2, 2], 0, 0, 69.76),
        ("resnet", "34", [3, 4, 6, 3], 0, 0, 73.31),
        ("resnet", "50", [3, 4, 6, 3], 1, 64, 76.13),
        ("resnet", "101", [3, 4, 23, 3], 1, 64, 77.37),
        ("resnet", "152", [3, 8, 36, 3], 1, 64, 78.31),
        ("resnext", "50_32x4d", [3, 4, 6, 3], 32, 4, 77.62),
        ("resnext", "101_32x8d", [3, 4, 23, 3], 32, 8, 79.31),
        ("resnext", "wide_50_2", [3, 4, 6, 3], 1, 128, 78.47),
        ("resnext", "wide_101_2", [3, 4, 23, 3], 1, 128, 78.85),
    ] {
        push(list, family, top1, resnet(name, blocks, groups, width));
    }
    for (name, convs, top1) in [
        ("11", [1, 1, 2, 2, 2], 70.37),
        ("13", [2, 2, 2, 2, 2], 71.59),
        ("16", [2, 2, 3, 3, 3], 73.36),
        ("19", [2, 2, 4, 4, 4], 74.22),
    ] {
        push(list, "vgg", top1, vgg(name, convs));
    }
    for (name, widths, features, top1) in [
        ("0.5", [48, 96, 192], 1024, 60.3),
        ("1.0", [116, 232, 464], 1024, 69.4),
        ("1.5", [176, 352, 704], 1024, 72.6),
        ("2.0", [244, 488, 976], 2048, 74.9),
    ] {
        push(list, "shufflenet_v2", top1, shufflenet_v2(name, widths, features));
    }
}

fn searched_networks(list: &mut List) {
    const MOBILE: [Searched<'_>; 6] = [
        (32, 2, &[(3, 5), (3, 3)]),
        (40, 2, &[(3, 7), (3, 3), (3, 5), (3, 5)]),
        (80, 2, &[(6, 7), (3, 5), (3, 5), (3, 5)]),
        (96, 1, &[(6, 5), (3, 5), (3, 5), (3, 5)]),
        (192, 2, &[(6, 7), (6, 7), (3, 7), (3, 7)]),
        (320, 1, &[(6, 7)]),
    ];
    const CPU: [Searched<'_>; 6] = [
        (32, 2, &[(6, 3), (3, 3), (3, 3), (3, 3)]),
        (48, 2, &[(6, 3), (3, 3), (3, 3), (3, 5)]),
        (88, 2, &[(6, 3), (3, 3)]),
        (104, 1, &[(6, 5), (3, 3), (3, 3), (3, 3)]),
        (216, 2, &[(6, 5), (3, 5), (3, 5), (3, 3)]),
        (360, 1, &[(6, 5)]),
    ];
    const GPU: [Searched<'_>; 6] = [
        (32, 2, &[(3, 5)]),
        (56, 2, &[(3, 7), (3, 3)]),
        (112, 2, &[(6, 7), (3, 5)]),
        (128, 1, &[(6, 5), (3, 3), (3, 5)]),
        (256, 2, &[(6, 7), (6, 7), (6, 7), (6, 5)]),
        (432, 1, &[(6, 7)]),
    ];
    const FBNET_C: [Searched<'_>; 6] = [
        (24, 2, &[(6, 3), (1, 3), (1, 3)]),
        (32, 2, &[(6, 5), (3, 5), (6, 5), (6, 3)]),
        (64, 2, &[(6, 5), (3, 5), (6, 5), (6, 5)]),
        (112, 1, &[(6, 5), (6, 5), (6, 5), (3, 5)]),
        (184, 2, &[(6, 5), (6, 5), (6, 5), (6, 5)]),
        (352, 1, &[(6, 3)]),
    ];
    const SINGLE_PATH: [Searched<'_>; 6] = [
        (24, 2, &[(3, 3), (3, 3), (3, 3)]),
        (40, 2, &[(6, 5), (3, 3), (3, 3), (3, 3)]),
        (80, 2, &[(6, 5), (3, 3), (3, 3), (3, 3)]),
        (96, 1, &[(6, 5), (3, 5), (3, 5), (3, 5)]),
        (192, 2, &[(6, 5), (6, 5), (6, 5), (6, 5)]),
        (320, 1, &[(6, 3)]),
    ];
    for (name, stem, first, stages, features, top1) in [
        ("proxyless_mobile", 32, 16, MOBILE, 1280, 74.6),
        ("proxyless_cpu", 40, 24, CPU, 1432, 75.3),
        ("proxyless_gpu", 40, 24, GPU, 1728, 75.1),
        ("fbnet_c", 16, 16, FBNET_C, 1984, 74.9),
        ("single_path_nas", 32, 16, SINGLE_PATH, 1280, 74.1),
    ] {
        push(list, "searched", top1, searched(name, stem, first, &stages, features));
    }
}
