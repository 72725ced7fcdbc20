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
    pub(crate) chain: Chain,
    /// The groups of the chain with something to choose.
    pub(crate) places: Vec<u32>,
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
        let chain = Chain::new(genes);
        let free = |index: &u32| genes[*index as usize].cardinality > 1;
        Ok(Self {
            cardinalities: genes.iter().map(|gene| gene.cardinality).collect(),
            free: (0..genes.len() as u32).filter(free).collect(),
            kinds: kinds(genes, chain.genes.iter().copied().filter(free)),
            places: (0..chain.len() as u32).filter(|group| chain.group(*group).iter().any(free)).collect(),
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

/// All genes by group, in the order of the chain; a gene without a group is a group of its own, at the end.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    genes: Vec<u32>,
    /// Where each group begins, and where the last one ends.
    starts: Vec<u32>,
    /// Whether this is the order of the genotype too, so that groups side by side are genes side by side.
    pub(crate) straight: bool,
}

impl Chain {
    fn new(genes: &[Gene]) -> Self {
        let mut order: Vec<u32> = (0..genes.len() as u32).collect();
        let place = |index: u32| genes[index as usize].group.map_or(u64::MAX, u64::from);
        order.sort_by_key(|&index| place(index));
        let groups = order.chunk_by(|&a, &b| place(a) == place(b) && place(a) != u64::MAX);
        let ends = groups.scan(0, |end, group| {
            *end += group.len() as u32;
            Some(*end)
        });
        let starts = std::iter::once(0).chain(ends).collect();
        Self { starts, straight: order.is_sorted(), genes: order }
    }

    /// How many groups there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The genes of one group.
    pub(crate) fn group(&self, group: u32) -> &[u32] {
        self.stretch(group as usize, group as usize + 1)
    }

    /// What a genotype has in one group.
    pub(crate) fn at(&self, group: u32, genotype: &[u8]) -> Vec<u8> {
        self.group(group).iter().map(|gene| genotype[*gene as usize]).collect()
    }

    /// Gives a genotype other genes in one group.
    pub(crate) fn put(&self, group: u32, genes: &[u8], genotype: &mut [u8]) {
        self.group(group).iter().zip(genes).for_each(|(gene, value)| genotype[*gene as usize] = *value);
    }

    /// The genes of the groups from `start` to before `end`.
    pub(crate) fn stretch(&self, start: usize, end: usize) -> &[u32] {
        &self.genes[self.starts[start] as usize..self.starts[end] as usize]
    }
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
        let Chain { genes, starts, straight } = &layout.chain;
        assert_eq!((&genes[..], &starts[..], *straight), (&[2, 0, 3, 1][..], &[0, 1, 3, 4][..], false));
        assert_eq!((layout.chain.len(), layout.chain.stretch(1, 3)), (3, &[0, 3, 1][..]));
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
