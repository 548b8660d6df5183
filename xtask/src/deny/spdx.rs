use std::collections::BTreeSet;

/// Whether the licence expression `expression` can be met with licences of `allowed` alone.
///
/// Reads SPDX expressions (`OR`, `AND`, `WITH`, parentheses) and crates.io's older `A/B`, which means `A OR B`.
/// An expression that cannot be read is not met. Licences that were needed are noted in `used`.
pub(super) fn permitted(expression: &str, allowed: &BTreeSet<String>, used: &mut BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens: &tokens, allowed, used };
    parser.any().is_some_and(|met| met && parser.tokens.is_empty())
}

struct Parser<'a, 't> {
    tokens: &'a [&'t str],
    allowed: &'a BTreeSet<String>,
    used: &'a mut BTreeSet<String>,
}

impl<'t> Parser<'_, 't> {
    fn eat(&mut self, word: &str) -> bool {
        match self.tokens.split_first() {
            Some((first, rest)) if *first == word => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn next(&mut self) -> Option<&'t str> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn any(&mut self) -> Option<bool> {
        let mut met = self.all()?;
        while self.eat("OR") {
            met |= self.all()?;
        }
        Some(met)
    }

    fn all(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.eat("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.eat("(") {
            let met = self.any()?;
            return self.eat(")").then_some(met);
        }
        let mut licence = self.next()?.to_owned();
        if matches!(licence.as_str(), "OR" | "AND" | "WITH" | ")") {
            return None;
        }
        if self.eat("WITH") {
            licence = format!("{licence} WITH {}", self.next()?);
        }
        let met = self.allowed.contains(&licence);
        if met {
            self.used.insert(licence);
        }
        Some(met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(expression: &str) -> bool {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned).into();
        permitted(expression, &allowed, &mut BTreeSet::new())
    }

    #[test]
    fn a_choice_needs_one_and_a_sum_needs_all() {
        assert!(permits("MIT"));
        assert!(permits("GPL-3.0-only OR MIT"));
        assert!(permits("Unlicense/MIT"));
        assert!(permits("(MIT OR Apache-2.0) AND Unicode-3.0"));
        assert!(!permits("(MIT OR Apache-2.0) AND BSD-3-Clause"));
        assert!(!permits("GPL-3.0-only"));
    }

    #[test]
    fn an_exception_is_part_of_the_licence() {
        assert!(permits("Apache-2.0 WITH LLVM-exception"));
        assert!(!permits("MIT WITH LLVM-exception"));
    }

    #[test]
    fn what_cannot_be_read_is_not_permitted() {
        assert!(!permits(""));
        assert!(!permits("MIT AND"));
        assert!(!permits("(MIT"));
        assert!(!permits("MIT Apache-2.0"));
    }
}
