/// How wide `text` is at eleven pixels, roughly: there is no font to ask.
pub(super) fn width_of(text: &str) -> f64 {
    text.chars()
        .map(|c| if matches!(c, 'i' | 'l' | 'j' | '.' | ',' | ' ' | '/' | '-' | '1' | 't') { 4.1 } else { 6.8 })
        .sum()
}

/// The row of each extent such that none overlaps another of its row; rows are filled from the first.
pub(super) fn rows(extents: &[(f64, f64)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..extents.len()).collect();
    let extent = |place: usize| extents.get(place).copied().unwrap_or_default();
    order.sort_by(|a, b| extent(*a).0.total_cmp(&extent(*b).0).then(a.cmp(b)));
    let mut rows = vec![0; extents.len()];
    let mut ends: Vec<f64> = Vec::new();
    for place in order {
        let (from, to) = extent(place);
        let row = ends.iter().position(|end| *end <= from).unwrap_or(ends.len());
        match ends.get_mut(row) {
            Some(end) => *end = to,
            None => ends.push(to),
        }
        if let Some(slot) = rows.get_mut(place) {
            *slot = row;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_overlaps_within_a_row(extents in proptest::collection::vec((0.0_f64..900.0, 0.1_f64..200.0), 0..40)) {
            let extents: Vec<(f64, f64)> = extents.into_iter().map(|(from, length)| (from, from + length)).collect();
            let rows = rows(&extents);
            for (a, first) in extents.iter().enumerate() {
                for (b, second) in extents.iter().enumerate().skip(a + 1) {
                    prop_assert!(rows[a] != rows[b] || first.1 <= second.0 || second.1 <= first.0);
                }
            }
        }
    }

    #[test]
    fn rows_are_filled_from_the_first() {
        assert_eq!(rows(&[(0.0, 5.0), (1.0, 2.0), (5.0, 6.0), (1.5, 3.0)]), [0, 1, 0, 2]);
    }
}
