//! Order among named things, and the cycle when there is none.

use std::collections::BTreeMap;

/// Things that wait for one another, each for the next and the last for the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cycle(pub(crate) Vec<usize>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Open,
    Done,
}

/// Orders `0..edges.len()` so that everything in `edges[i]` comes before `i`, and otherwise as written. Edges to
/// things that do not exist are ignored. Iterative, so that a long chain cannot exhaust the stack.
pub(crate) fn dependency_order(edges: &[Vec<usize>]) -> Result<Vec<usize>, Cycle> {
    let mut marks: BTreeMap<usize, Mark> = BTreeMap::new();
    let mut order = Vec::with_capacity(edges.len());
    for root in 0..edges.len() {
        if marks.contains_key(&root) {
            continue;
        }
        // A path from the root: each thing with the edges it still has to look at.
        let mut path: Vec<(usize, std::slice::Iter<'_, usize>)> = Vec::new();
        let mut entering = Some(root);
        loop {
            if let Some(node) = entering.take() {
                let Some(before) = edges.get(node) else { continue };
                marks.insert(node, Mark::Open);
                path.push((node, before.iter()));
            }
            let Some((node, before)) = path.last_mut() else { break };
            match before.next() {
                None => {
                    marks.insert(*node, Mark::Done);
                    order.push(*node);
                    path.pop();
                }
                Some(next) if *next >= edges.len() => {}
                Some(next) => match marks.get(next) {
                    Some(Mark::Done) => {}
                    Some(Mark::Open) => {
                        let cycle = path.iter().map(|(node, _)| *node).skip_while(|node| node != next).collect();
                        return Err(Cycle(cycle));
                    }
                    None => entering = Some(*next),
                },
            }
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_waited_for_comes_first_and_the_rest_stays_as_written() {
        assert_eq!(dependency_order(&[vec![2], vec![], vec![1], vec![]]), Ok(vec![1, 2, 0, 3]));
    }

    #[test]
    fn a_cycle_is_shown_without_what_leads_into_it() {
        assert_eq!(dependency_order(&[vec![1], vec![2], vec![3], vec![1]]), Err(Cycle(vec![1, 2, 3])));
        assert_eq!(dependency_order(&[vec![0]]), Err(Cycle(vec![0])));
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_does_not_exhaust_the_stack() {
        let edges: Vec<Vec<usize>> = (0..100_000).map(|i| if i < 99_999 { vec![i + 1] } else { vec![] }).collect();
        assert_eq!(dependency_order(&edges).map(|order| order.first().copied()), Ok(Some(99_999)));
    }

    proptest! {
        #[test]
        fn an_order_keeps_every_edge_and_a_cycle_is_one(
            edges in prop::collection::vec(prop::collection::vec(0usize..12, 0..3), 0..12)
        ) {
            match dependency_order(&edges) {
                Ok(order) => {
                    let at = |n: usize| order.iter().position(|m| *m == n);
                    prop_assert_eq!(order.len(), edges.len());
                    for (node, before) in edges.iter().enumerate() {
                        for other in before.iter().filter(|other| **other < edges.len()) {
                            prop_assert!(at(*other) < at(node));
                        }
                    }
                }
                Err(Cycle(cycle)) => {
                    for (i, node) in cycle.iter().enumerate() {
                        let next = cycle[(i + 1) % cycle.len()];
                        prop_assert!(edges[*node].contains(&next));
                    }
                }
            }
        }
    }
}
