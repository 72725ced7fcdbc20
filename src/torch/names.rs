//! Python names for layers and blocks.

use std::collections::{HashMap, HashSet};

use crate::network::{Network, Op};

/// Where each layer of a network is found in the module.
pub(super) struct Names {
    /// By layer.
    layers: Vec<Name>,
    /// The blocks in order, each as in the network and as attribute.
    blocks: Vec<(String, String)>,
}

/// The names of one layer.
pub(super) struct Name {
    /// The block that it belongs to, if any: an index.
    pub(super) block: Option<usize>,
    /// What it is called in its block, or in the network.
    pub(super) member: String,
    /// A variable for what it writes.
    pub(super) variable: String,
}

/// Names that would hide something that the module needs; words of Python among them.
const TAKEN: &str = "False None True and as assert async await break class continue def del elif else except \
    finally for from global if import in is lambda nonlocal not or pass raise return try while with yield \
    self torch nn F x input layers conv dense avg_pool Block Network OUTPUTS forward params train eval training \
    type float double half bfloat16 cpu cuda ipu xpu mtia to to_empty apply children modules parameters buffers \
    compile extra_repr zero_grad share_memory state_dict load_state_dict add_module register_module register_buffer \
    register_parameter get_submodule set_submodule get_parameter get_buffer get_extra_state set_extra_state \
    named_children named_modules named_parameters named_buffers requires_grad_ dump_patches call_super_init";

impl Names {
    pub(super) fn of(network: &Network) -> Self {
        let reserved: HashSet<&str> = TAKEN.split_whitespace().collect();
        let direct: HashSet<&str> =
            network.layers().iter().filter_map(|layer| layer.name.rsplit_once('.')).map(|(b, _)| b).collect();
        let mut names = Self { layers: Vec::new(), blocks: Vec::new() };
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut attributes = Taken::new(&reserved);
        let mut variables = Taken::new(&reserved);
        let mut members: Vec<Taken> = Vec::new();
        // Blocks before layers, so that a layer beside a block cannot take its name.
        for layer in network.layers() {
            let Some(block) = block_of(&layer.name, &direct) else { continue };
            known.entry(block).or_insert_with(|| {
                names.blocks.push((block.to_owned(), attributes.take(block)));
                members.push(Taken::new(&reserved));
                names.blocks.len() - 1
            });
        }
        for layer in network.layers() {
            let block = block_of(&layer.name, &direct);
            let place = block.and_then(|block| known.get(block).copied());
            let member = match (block, place.and_then(|place| members.get_mut(place))) {
                (Some(block), Some(taken)) => taken.take(&layer.name[block.len() + 1..]),
                _ => attributes.take(&layer.name),
            };
            names.layers.push(Name { block: place, member, variable: variables.take(&layer.name) });
        }
        names.keep_blocks_with_modules(network);
        names
    }

    /// A block of sums and pools alone has nothing to be kept in an attribute.
    fn keep_blocks_with_modules(&mut self, network: &Network) {
        let trained = |op: &Op| matches!(op, Op::Conv2d(_) | Op::DepthwiseConv2d(_) | Op::Dense(_));
        let mut used = vec![false; self.blocks.len()];
        for (name, _) in self.layers.iter().zip(network.layers()).filter(|(_, layer)| trained(&layer.op)) {
            if let Some(used) = name.block.and_then(|block| used.get_mut(block)) {
                *used = true;
            }
        }
        for (block, used) in self.blocks.iter_mut().zip(used) {
            if !used {
                block.1.clear();
            }
        }
    }

    /// Whether any layer is in a block.
    pub(super) fn has_blocks(&self) -> bool {
        self.blocks.iter().any(|(_, attribute)| !attribute.is_empty())
    }

    pub(super) fn layers(&self) -> &[Name] {
        &self.layers
    }

    /// The block's name in the network, and its attribute.
    pub(super) fn block(&self, index: usize) -> (&str, &str) {
        self.blocks.get(index).map_or(("", ""), |(name, attribute)| (name, attribute))
    }

    /// How `forward` reaches the module of a layer.
    pub(super) fn module(&self, layer: usize) -> String {
        let Some(name) = self.layers.get(layer) else { return String::new() };
        match name.block {
            Some(block) => format!("self.{}.{}", self.block(block).1, name.member),
            None => format!("self.{}", name.member),
        }
    }
}

/// The shortest part before a dot that has layers of its own: `s1.b1` for `s1.b1.se.reduce`.
fn block_of<'n>(name: &'n str, direct: &HashSet<&str>) -> Option<&'n str> {
    name.match_indices('.').map(|(dot, _)| &name[..dot]).find(|block| direct.contains(block))
}

/// Names that are given already.
struct Taken(HashSet<String>);

impl Taken {
    fn new(reserved: &HashSet<&str>) -> Self {
        Self(reserved.iter().map(|name| (*name).to_owned()).collect())
    }

    /// `name` as Python may write it, or something like it that is free.
    fn take(&mut self, name: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let mut wanted: String = name.trim_matches(['.', '/']).chars().map(plain).collect();
        if !wanted.starts_with(|c: char| c.is_ascii_alphabetic()) {
            wanted.insert_str(0, "layer");
        }
        while self.0.contains(&wanted) {
            wanted.push('_');
        }
        self.0.insert(wanted.clone());
        wanted
    }
}
