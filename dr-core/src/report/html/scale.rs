use super::super::Offset;

/// The left edge of what is drawn to scale; lane names stand before it.
pub(super) const LEFT: f64 = 128.0;
/// The right edge.
pub(super) const RIGHT: f64 = 1164.0;
/// The width of the whole picture.
pub(super) const WIDTH: f64 = 1180.0;

/// How wide a quiet stretch is drawn that is cut short.
const BREAK: f64 = 64.0;
/// How much of a quiet stretch stays to scale at each end, in seconds.
const MARGIN_S: f64 = 12.0;

/// Where moments stand from left to right: to scale, but for quiet stretches that are cut short.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    /// Moments and where they stand, both rising; between two of them all is linear.
    knots: Vec<(f64, f64)>,
    breaks: Vec<(f64, f64)>,
    pixels_per_second: f64,
}

impl Scale {
    /// A scale that shows everything from `from` to `to`, with a little air; a stretch without a `busy` moment that would
    /// take more than an eighth of the picture is cut short.
    pub(super) fn new(from: Offset, to: Offset, busy: &[Offset]) -> Self {
        let air = (to.since(from) * 0.01).max(1.0);
        let (from, to) = (from.secs() - air, to.secs() + air);
        let mut busy: Vec<f64> = busy.iter().map(|at| at.secs()).collect();
        busy.sort_by(f64::total_cmp);
        let breaks: Vec<(f64, f64)> = busy
            .iter()
            .zip(busy.iter().skip(1))
            .map(|(end, next)| (end + MARGIN_S, next - MARGIN_S))
            .filter(|(start, end)| end - start > (to - from) / 8.0)
            .collect();
        let cut: f64 = breaks.iter().map(|(start, end)| end - start).sum();
        #[expect(clippy::cast_precision_loss, reason = "at most seven stretches take an eighth each")]
        let room = RIGHT - LEFT - breaks.len() as f64 * BREAK;
        let pixels_per_second = room / (to - from - cut);
        let mut knots = vec![(from, LEFT)];
        let (mut at, mut x) = (from, LEFT);
        for (start, end) in &breaks {
            x += (start - at) * pixels_per_second;
            knots.push((*start, x));
            x += BREAK;
            knots.push((*end, x));
            at = *end;
        }
        knots.push((to, RIGHT));
        Self { knots, breaks, pixels_per_second }
    }

    /// Where `at` stands.
    pub(super) fn x(&self, at: Offset) -> f64 {
        let at = at.secs();
        for (before, after) in self.knots.iter().zip(self.knots.iter().skip(1)) {
            if at <= after.0 {
                return before.1 + (at - before.0) / (after.0 - before.0) * (after.1 - before.1);
            }
        }
        RIGHT
    }

    /// How wide a second is where the scale is not cut short.
    pub(super) fn pixels_per_second(&self) -> f64 {
        self.pixels_per_second
    }

    /// The stretches that are cut short.
    pub(super) fn breaks(&self) -> impl Iterator<Item = (Offset, Offset)> {
        self.breaks.iter().map(|(from, to)| (Offset::from_secs(*from), Offset::from_secs(*to)))
    }

    /// Round moments to label, 70 pixels apart or more, none in a stretch that is cut short.
    pub(super) fn ticks(&self) -> Vec<Offset> {
        const STEPS: [f64; 14] =
            [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0];
        let from = self.knots.first().map_or(0.0, |knot| knot.0);
        let to = self.knots.last().map_or(0.0, |knot| knot.0);
        let enough = |step: &f64| step * self.pixels_per_second >= 70.0;
        let step = STEPS.into_iter().find(enough).unwrap_or((to - from) / 10.0);
        let mut ticks = Vec::new();
        let mut at = (from / step).ceil() * step;
        // A label is some thirty pixels wide and must not touch the words of the cut.
        let air = 18.0 / self.pixels_per_second;
        while at <= to {
            if !self.breaks.iter().any(|(start, end)| at > start - air && at < end + air) {
                ticks.push(Offset::from_secs(at));
            }
            at += step;
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Offset {
        Offset::from_secs(seconds)
    }

    #[test]
    fn the_scale_holds_its_ends_and_labels_round_moments() {
        let scale = Scale::new(at(-30.0), at(870.0), &[]);
        assert!(scale.x(at(-30.0)) > LEFT && scale.x(at(870.0)) < RIGHT);
        let ticks: Vec<f64> = scale.ticks().iter().map(|tick| tick.secs()).collect();
        assert_eq!((ticks[0], ticks[1] - ticks[0]), (0.0, 120.0));
    }

    #[test]
    fn a_quiet_stretch_is_cut_short_and_the_order_of_moments_stays() {
        let scale = Scale::new(at(0.0), at(600.0), &[at(0.0), at(100.0), at(500.0), at(600.0)]);
        let breaks: Vec<_> = scale.breaks().collect();
        assert_eq!(breaks, [(at(112.0), at(488.0))]);
        assert!((scale.x(at(488.0)) - scale.x(at(112.0)) - BREAK).abs() < 1e-6);
        let xs: Vec<f64> = (0..=600).map(|second| scale.x(at(f64::from(second)))).collect();
        assert!(xs.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(scale.ticks().iter().all(|tick| tick.secs() < 112.0 || tick.secs() > 488.0));
    }
}
