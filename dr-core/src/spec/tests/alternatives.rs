//! Blocks of a driver that may have one of several forms.

use super::{GOOD, one, place};

const SWITCH: &str = "{ kind: object, bucket: switch-euw1 }";

#[test]
fn a_form_that_does_not_exist_names_those_that_do() {
    let finding = one(SWITCH, "{ kind: objekt, bucket: switch-euw1 }");
    assert_eq!(finding.path, "resources[2].spec.switch.kind");
    assert_eq!(finding.message, "the text `objekt` is not possible here");
    assert_eq!(finding.remedy, "`object`; possible here: object, check-inversion");
    let text = GOOD.replace("kind: object", "kind: objekt");
    assert_eq!((finding.line, finding.column), place(&text, "objekt"));
}

#[test]
fn a_mistake_inside_a_form_is_told_as_one_of_that_form() {
    let finding = one(SWITCH, "{ kind: check-inversion, chek: x, check: y }");
    assert_eq!(finding.path, "resources[2].spec.switch.chek");
    assert_eq!(finding.remedy, "`check`; known here: kind, check");
}

#[test]
fn a_form_of_the_wrong_type() {
    let finding = one(SWITCH, "object");
    assert_eq!(finding.path, "resources[2].spec.switch");
    assert_eq!(finding.message, "this should be a mapping of keys, and is the text `object`");
}
