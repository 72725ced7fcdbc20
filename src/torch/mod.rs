//! Writing a network as a PyTorch module, since training happens there.
//!
//! The module needs `torch` and nothing else, and is meant to be read and changed: a block of the search space
//! is an attribute with its layers by name, and `forward` is one line a layer.

mod forward;
mod layers;
mod names;

use std::fmt::Write;

use self::{forward::forward, layers::init, names::Names};
use crate::{
    error::Result,
    network::{Activation, Network, Op},
};

/// How a network is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TorchOptions {
    /// Whether batch-norm is a layer of its own ([`Network::batch_norms`]) or folded into biases.
    pub batch_norm: bool,
    /// Lines for the module's docstring: where the network comes from, its blocks.
    pub notes: Vec<String>,
}

impl Default for TorchOptions {
    fn default() -> Self {
        Self { batch_norm: true, notes: Vec::new() }
    }
}

/// Python source with a class `Network`.
///
/// # Errors
/// A pool cannot be said in PyTorch.
pub fn torch_module(network: &Network, options: &TorchOptions) -> Result<String> {
    let names = Names::of(network);
    let mut text = head(network, options);
    text.push_str(&helpers(network));
    text.push_str(&class(network, &names));
    text.push_str(&init(network, &names, options.batch_norm));
    text.push_str(&forward(network, &names)?);
    text.push_str(PARAMS);
    let shape = network.input();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\n\nif __name__ == \"__main__\":\n    network = Network().eval()\n    \
         print(f\"{{network.params():,}} params with batch-norm folded\")\n    with torch.no_grad():\n        \
         outputs = network(torch.zeros(1, {}, {}, {}))\n    \
         for name, output in zip(OUTPUTS, outputs if isinstance(outputs, tuple) else (outputs,)):\n        \
         print(name, tuple(output.shape))\n",
        shape.c, shape.h, shape.w
    );
    Ok(text)
}

fn head(network: &Network, options: &TorchOptions) -> String {
    let shape = network.input();
    let mut text =
        format!("\"\"\"{}, written by nas {}.\n\n", quiet(network.name()), env!("CARGO_PKG_VERSION"));
    let _ = writeln!(
        text,
        "Input 1x{}x{}x{}; {} MACs, {} params with batch-norm folded.",
        shape.c,
        shape.h,
        shape.w,
        network.macs(),
        network.params()
    );
    for (index, note) in options.notes.iter().enumerate() {
        let _ = writeln!(text, "{}{}", if index == 0 { "\n" } else { "" }, quiet(note));
    }
    text.push_str("\"\"\"\n\nimport torch\nfrom torch import nn\nfrom torch.nn import functional as F\n\n");
    let _ =
        writeln!(text, "#: The names of what `forward` gives, in order.\nOUTPUTS = {}\n", outputs(network));
    text
}

/// The names of layers that no other reads, as a Python tuple.
fn outputs(network: &Network) -> String {
    let unread = network.layers().iter().zip(network.consumers()).filter(|(_, readers)| readers.is_empty());
    let names: Vec<String> = unread.map(|(layer, _)| format!("\"{}\"", quiet(&layer.name))).collect();
    format!("({}{})", names.join(", "), if names.len() == 1 { "," } else { "" })
}

/// `text` so that it ends no string and no comment.
fn quiet(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c == '"' || c == '\\' { '_' } else { c }).collect()
}

/// The functions that this network's layers need.
fn helpers(network: &Network) -> String {
    let uses = |wanted: fn(&Op) -> bool| network.layers().iter().any(|layer| wanted(&layer.op));
    let mut text = String::new();
    if uses(|op| matches!(op, Op::Conv2d(_) | Op::DepthwiseConv2d(_))) {
        text.push_str(CONV);
    }
    if uses(|op| matches!(op, Op::Dense(_))) {
        text.push_str(DENSE);
    }
    if uses(|op| matches!(op, Op::AvgPool(_))) {
        text.push_str(AVG_POOL);
    }
    text
}

fn class(network: &Network, names: &Names) -> String {
    let mut text = String::new();
    if names.has_blocks() {
        text.push_str(BLOCK);
    }
    let _ = writeln!(
        text,
        "\n\nclass Network(nn.Module):\n    \"\"\"{}.\"\"\"\n\n    def __init__(self):\n        super().__init__()",
        quiet(network.name())
    );
    text
}

/// The activation's class, for modules.
fn activation_class(activation: Activation) -> Option<&'static str> {
    match activation {
        Activation::None => None,
        Activation::Relu => Some("nn.ReLU"),
        Activation::Relu6 => Some("nn.ReLU6"),
        Activation::HardSwish => Some("nn.Hardswish"),
        Activation::Swish => Some("nn.SiLU"),
        Activation::HardSigmoid => Some("nn.Hardsigmoid"),
        Activation::Sigmoid => Some("nn.Sigmoid"),
    }
}

/// The activation's function, after operators without parameters.
fn activation_function(activation: Activation) -> Option<&'static str> {
    match activation {
        Activation::None => None,
        Activation::Relu => Some("F.relu"),
        Activation::Relu6 => Some("F.relu6"),
        Activation::HardSwish => Some("F.hardswish"),
        Activation::Swish => Some("F.silu"),
        Activation::HardSigmoid => Some("F.hardsigmoid"),
        Activation::Sigmoid => Some("torch.sigmoid"),
    }
}

const CONV: &str = r#"
def conv(cin, cout, kernel, stride=1, pads=(0, 0, 0, 0), dilation=1, groups=1, bias=False, norm=True, act=None):
    """Convolution, batch-norm, activation; pads are left, right, top, bottom."""
    left, right, top, bottom = pads
    even = left == right and top == bottom
    layers = nn.Sequential()
    if not even:
        layers.add_module("pad", nn.ZeroPad2d(pads))
    padding = (top, left) if even else 0
    layers.add_module("conv", nn.Conv2d(cin, cout, kernel, stride, padding, dilation, groups, bias))
    nn.init.kaiming_normal_(layers.conv.weight, mode="fan_in")
    if bias:
        nn.init.zeros_(layers.conv.bias)
    if norm:
        layers.add_module("norm", nn.BatchNorm2d(cout))
    if act:
        layers.add_module("act", act())
    return layers

"#;

const DENSE: &str = r#"
def dense(cin, cout, bias=True, act=None):
    """Fully connected layer, activation."""
    layers = nn.Sequential()
    layers.add_module("linear", nn.Linear(cin, cout, bias))
    if act:
        layers.add_module("act", act())
    return layers

"#;

const AVG_POOL: &str = r#"
def avg_pool(x, kernel, stride, pads):
    """The average of each window, of what lies in the picture."""
    inside = F.avg_pool2d(F.pad(torch.ones_like(x[:1, :1]), pads), kernel, stride)
    return F.avg_pool2d(F.pad(x, pads), kernel, stride) / inside

"#;

const BLOCK: &str = r#"
class Block(nn.Module):
    """The layers of one block by name; Network.forward says how they are joined."""

    def __init__(self, **layers):
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
"#;

const PARAMS: &str = r#"
    def params(self):
        """Trained numbers with batch-norm folded, as nas counts them."""
        norms = sum(m.num_features for m in self.modules() if isinstance(m, nn.BatchNorm2d))
        return sum(p.numel() for p in self.parameters()) - norms
"#;

#[cfg(test)]
mod tests;
