//! The parameters of a node.

use super::{
    external::External,
    proto::{Attribute, Node, Tensor},
    tensor::Constant,
};

/// A node's parameters by name.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'n>(&'n [Attribute]);

impl<'n> Attributes<'n> {
    pub(super) fn of(node: &'n Node) -> Self {
        Self(&node.attribute)
    }

    pub(super) fn get(&self, name: &str) -> Option<&'n Attribute> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    pub(super) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.i
    }

    pub(super) fn float(&self, name: &str) -> Option<f64> {
        self.get(name)?.f.map(f64::from)
    }

    pub(super) fn ints(&self, name: &str) -> Option<&'n [i64]> {
        self.get(name).map(|attribute| attribute.ints.as_slice())
    }

    pub(super) fn floats(&self, name: &str) -> Option<&'n [f32]> {
        self.get(name).map(|attribute| attribute.floats.as_slice())
    }

    pub(super) fn text(&self, name: &str) -> Option<&'n str> {
        std::str::from_utf8(self.get(name)?.s.as_deref()?).ok()
    }

    /// A tensor that is written in the node itself.
    pub(super) fn tensor(&self, name: &str) -> Option<Result<Constant, String>> {
        self.get(name)?.t.as_ref().map(in_place)
    }

    /// What a `Constant` node holds, in whichever of its forms.
    pub(super) fn constant(&self, external: &mut External) -> Result<Constant, String> {
        if let Some(tensor) = self.get("value").and_then(|attribute| attribute.t.as_ref()) {
            return Constant::read(tensor, external).map_err(wrong);
        }
        if let Some(value) = self.int("value_int") {
            return Ok(Constant::ints(Vec::new(), vec![value]));
        }
        if let Some(value) = self.float("value_float") {
            return Ok(Constant::floats(Vec::new(), vec![value]));
        }
        if let Some(values) = self.ints("value_ints") {
            return Ok(Constant::ints(vec![values.len() as u64], values.to_vec()));
        }
        if let Some(values) = self.floats("value_floats") {
            let values: Vec<f64> = values.iter().map(|value| f64::from(*value)).collect();
            return Ok(Constant::floats(vec![values.len() as u64], values));
        }
        Err("a constant without a tensor or a number".into())
    }
}

fn in_place(tensor: &Tensor) -> Result<Constant, String> {
    Constant::read(tensor, &mut External::nowhere()).map_err(wrong)
}

fn wrong((found, expected): (String, String)) -> String {
    format!("{found} where {expected} belongs")
}
