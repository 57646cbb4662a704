//! Medians and how sure they are.

/// How sure an interval is to hold the median of all measurements ever made.
const CONFIDENCE: f64 = 0.95;

/// Measurements of the same thing, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// In ascending order, at least one.
    sorted: Vec<f64>,
}

impl Samples {
    /// `None` without any measurement.
    pub fn new(mut seconds: Vec<f64>) -> Option<Self> {
        seconds.sort_by(f64::total_cmp);
        (!seconds.is_empty()).then_some(Self { sorted: seconds })
    }

    /// The measurements in ascending order.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// The median.
    pub fn median(&self) -> f64 {
        let middle = self.sorted.len() / 2;
        if self.sorted.len() % 2 == 1 {
            self.sorted[middle]
        } else {
            f64::midpoint(self.sorted[middle - 1], self.sorted[middle])
        }
    }

    /// The narrowest interval between two measurements, as many of them below as
    /// above, that holds the true median with a probability of at least
    /// 0.95, whatever the distribution; all measurements if they are too
    /// few for that.
    pub fn interval(&self) -> (f64, f64) {
        let left_out = left_out(self.sorted.len());
        let last = self.sorted.len() - 1;
        (self.sorted[left_out], self.sorted[last - left_out])
    }
}

/// How many of `count` measurements can be left out at either end. Each lies below
/// the true median with probability one half, so the number that does is binomial.
fn left_out(count: usize) -> usize {
    let mut outside = 0.0;
    let mut probability = 0.5_f64.powi(count.min(1000) as i32);
    let mut left_out = 0;
    for below in 0..count / 2 {
        // Exactly `below` measurements lie below the median, or above.
        outside += 2.0 * probability;
        if 1.0 - outside < CONFIDENCE {
            break;
        }
        left_out = below;
        probability *= (count - below) as f64 / (below + 1) as f64;
    }
    left_out
}

/// The geometric mean of `values`, if there are any.
pub fn geometric_mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value.ln();
        count += 1;
    }
    (count > 0).then(|| (sum / f64::from(count)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        Samples::new(values.to_vec()).expect("values")
    }

    #[test]
    fn medians() {
        assert_eq!(Samples::new(Vec::new()), None);
        assert_eq!(samples(&[3.0]).median(), 3.0);
        assert_eq!(samples(&[9.0, 1.0, 4.0]).median(), 4.0);
        assert_eq!(samples(&[9.0, 1.0, 4.0, 2.0]).median(), 3.0);
    }

    #[test]
    fn intervals_of_the_sign_test() {
        // Pairs of sample size and measurements left out at either end, from tables
        // of the sign test.
        for (count, expected) in [(1, 0), (5, 0), (6, 0), (8, 0), (9, 1), (12, 2), (20, 5)] {
            assert_eq!(left_out(count), expected, "{count}");
        }
        let values: Vec<_> = (0..9).map(f64::from).collect();
        assert_eq!(samples(&values).interval(), (1.0, 7.0));
        assert_eq!(samples(&[2.0, 1.0]).interval(), (1.0, 2.0));
        assert_eq!(samples(&[2.0]).interval(), (2.0, 2.0));
    }

    #[test]
    fn means() {
        assert_eq!(geometric_mean([]), None);
        assert!((geometric_mean([1.0, 4.0]).expect("a mean") - 2.0).abs() < 1e-12);
    }
}
