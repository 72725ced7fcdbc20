//! Many scored genotypes in two flat arrays, so that a generation allocates nothing.

use serde::{Deserialize, Serialize};

use super::{evaluation::Evaluation, outcome::Candidate};
use crate::space::Genotype;

/// Scored genotypes, by index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Candidate>", into = "Vec<Candidate>")]
pub struct Population {
    rows: Vec<u8>,
    evaluations: Vec<Evaluation>,
}

impl Population {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.evaluations.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.evaluations.is_empty()
    }

    /// The genes of one member.
    #[must_use]
    pub fn genes(&self, index: usize) -> &[u8] {
        let width = self.rows.len() / self.len().max(1);
        &self.rows[index * width..(index + 1) * width]
    }

    /// The scores of all members.
    #[must_use]
    pub fn evaluations(&self) -> &[Evaluation] {
        &self.evaluations
    }

    /// One member, copied out.
    #[must_use]
    pub fn candidate(&self, index: usize) -> Candidate {
        Candidate::new(Genotype(self.genes(index).into()), self.evaluations[index])
    }

    /// Drops all members and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.rows.clear();
        self.evaluations.clear();
    }

    pub(crate) fn push(&mut self, genes: &[u8], evaluation: Evaluation) {
        self.rows.extend_from_slice(genes);
        self.evaluations.push(evaluation);
    }

    /// Puts another member in the place of `index`.
    pub(crate) fn replace(&mut self, index: usize, genes: &[u8], evaluation: Evaluation) {
        self.rows[index * genes.len()..(index + 1) * genes.len()].copy_from_slice(genes);
        self.evaluations[index] = evaluation;
    }
}

impl TryFrom<Vec<Candidate>> for Population {
    type Error = String;

    fn try_from(members: Vec<Candidate>) -> Result<Self, String> {
        let mut population = Self::default();
        for member in &members {
            if member.genotype.0.len() != members[0].genotype.0.len() {
                return Err("genotypes of different lengths".into());
            }
            population.push(&member.genotype.0, member.evaluation());
        }
        Ok(population)
    }
}

impl From<Population> for Vec<Candidate> {
    fn from(population: Population) -> Self {
        (0..population.len()).map(|index| population.candidate(index)).collect()
    }
}
