//! One rating of many.

use super::{Cause, Rating, TERMS};

/// A weighted mean of ratings. Points are means too, so they still make a hundred with the score; the cause is that of the part that weighs most.
///
/// Weights are the caller's. Ours: sound 2, picture 1, because a call can do without the picture.
#[derive(Clone, Debug, Default)]
pub struct Blend {
    sum: Option<Rating>,
    weight: f32,
    heaviest: f32,
}

impl Blend {
    /// Takes a part; an unknown one changes nothing.
    pub fn add(&mut self, rating: Option<Rating>, weight: f32) {
        let Some(rating) = rating else { return };
        let sum = self.sum.get_or_insert(Rating { points: [0.0; TERMS], cause: Cause::Unknown, layer: None });
        sum.points.iter_mut().zip(rating.points).for_each(|(sum, point)| *sum += weight * point);
        self.weight += weight;
        let lost = weight * rating.lost();
        if lost > self.heaviest {
            self.heaviest = lost;
            (sum.cause, sum.layer) = (rating.cause, rating.layer);
        }
    }

    /// The mean; none: nothing was known.
    #[must_use]
    pub fn rating(&self) -> Option<Rating> {
        let mut mean = self.sum.filter(|_| self.weight > 0.0)?;
        mean.points.iter_mut().for_each(|point| *point /= self.weight);
        Some(mean)
    }
}
