//! The genes of a problem, arranged for variation.

use serde::de::Error as _;

use super::{population::Population, problem::Gene};
use crate::error::{Error, Result};

/// Genes by group along the chain and by kind.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Alternatives of each gene.
    pub(crate) cardinalities: Box<[u16]>,
    /// Genes with more than one alternative.
    pub(crate) free: Vec<u32>,
    /// The genes of each group in chain order; a gene without a group is a group of its own, at the end.
    pub(crate) chain: Vec<Vec<u32>>,
    /// The free genes of each kind in chain order. Genes of no kind are taken for one kind where they have as
    /// many alternatives.
    pub(crate) kinds: Vec<Vec<u32>>,
}

impl Layout {
    /// # Errors
    /// A gene has no alternative or more than 256.
    pub(crate) fn new(genes: &[Gene]) -> Result<Self> {
        if let Some(index) = genes.iter().position(|gene| !(1..=256).contains(&gene.cardinality)) {
            let found = genes[index].cardinality;
            return Err(Error::unusable(format!("gene {index} has {found} alternatives; it needs 1 to 256")));
        }
        let chain = chain(genes);
        let free = |index: &u32| genes[*index as usize].cardinality > 1;
        Ok(Self {
            cardinalities: genes.iter().map(|gene| gene.cardinality).collect(),
            free: (0..genes.len() as u32).filter(free).collect(),
            kinds: kinds(genes, chain.iter().flatten().copied().filter(free)),
            chain,
        })
    }

    /// How many genotypes there are, dead genes not considered; `None` for more than fit.
    pub(crate) fn size(&self) -> Option<u64> {
        self.cardinalities.iter().try_fold(1_u64, |size, &n| size.checked_mul(u64::from(n)))
    }

    pub(crate) fn cardinality(&self, gene: u32) -> usize {
        usize::from(self.cardinalities[gene as usize])
    }

    /// Whether these are the problem's genes, each within its alternatives.
    pub(crate) fn admits(&self, genes: &[u8]) -> bool {
        let within = |(&gene, &count): (&u8, &u16)| u16::from(gene) < count;
        genes.len() == self.cardinalities.len() && genes.iter().zip(&self.cardinalities).all(within)
    }

    /// Refuses a population from a file whose genes are not the problem's.
    pub(crate) fn check(&self, members: &Population) -> Result<(), serde_json::Error> {
        match (0..members.len()).find(|index| !self.admits(members.genes(*index))) {
            Some(index) => {
                Err(serde_json::Error::custom(format!("member {index} with genes of another problem")))
            }
            None => Ok(()),
        }
    }
}

fn chain(genes: &[Gene]) -> Vec<Vec<u32>> {
    let mut order: Vec<u32> = (0..genes.len() as u32).collect();
    let place = |index: u32| genes[index as usize].group.map_or(u64::MAX, u64::from);
    order.sort_by_key(|&index| place(index));
    order.chunk_by(|&a, &b| place(a) == place(b) && place(a) != u64::MAX).map(<[u32]>::to_vec).collect()
}

fn kinds(genes: &[Gene], in_order: impl Iterator<Item = u32>) -> Vec<Vec<u32>> {
    let mut kinds: Vec<(std::result::Result<&str, u16>, Vec<u32>)> = Vec::new();
    for index in in_order {
        let gene = &genes[index as usize];
        let key = gene.kind.as_deref().ok_or(gene.cardinality);
        match kinds.iter_mut().find(|(known, _)| *known == key) {
            Some((_, members)) => members.push(index),
            None => kinds.push((key, vec![index])),
        }
    }
    kinds.into_iter().map(|(_, members)| members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_follow_the_chain_and_lone_genes_stand_at_the_end() {
        let genes =
            [Gene::new(2).in_group(5), Gene::new(3), Gene::new(2).in_group(1), Gene::new(2).in_group(5)];
        let layout = Layout::new(&genes).unwrap();
        assert_eq!(layout.chain, [vec![2], vec![0, 3], vec![1]]);
        assert_eq!(layout.size(), Some(24));
    }

    #[test]
    fn a_gene_without_alternatives_is_refused() {
        let error = Layout::new(&[Gene::new(2), Gene::new(0)]).unwrap_err().to_string();
        assert!(error.contains("gene 1 has 0"), "{error}");
    }

    #[test]
    fn fixed_genes_belong_to_no_kind() {
        let genes = [Gene::new(1).of_kind("width"), Gene::new(4).of_kind("width")];
        let layout = Layout::new(&genes).unwrap();
        assert_eq!((layout.kinds, layout.free), (vec![vec![1]], vec![1]));
    }

    #[test]
    fn genes_of_no_kind_go_together_by_their_number_of_alternatives() {
        let genes = [Gene::new(4), Gene::new(2), Gene::new(4), Gene::new(4).of_kind("width")];
        assert_eq!(Layout::new(&genes).unwrap().kinds, [vec![0, 2], vec![1], vec![3]]);
    }
}
